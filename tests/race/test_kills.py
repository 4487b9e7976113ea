"""A live race that is killed with -9 at ten drawn moments and resumed each time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS, SEED = 10, 1


@pytest.mark.timeout(900)
def test_a_race_killed_ten_times_ends_as_the_undisturbed_one(tmp_path: Path) -> None:
    """The same decisions and the same verdict; the seed of the moments is printed."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "kills.py"), "--n", str(KILLS),
         "--seed", str(SEED), "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    print(done.stdout)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert f"seed {SEED}" in done.stdout
    assert "0 with another end" in done.stdout
