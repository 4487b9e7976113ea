"""The process that drives a race on Ray is killed with -9 and the race resumed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from simulated_race import Silent
from test_arrivals import BusyWorkers, agree, clear, decided, diverging

from forkpoint.ledger import Resumed, TrialScored, read_lines
from forkpoint.race.driver import run_race
from forkpoint.race.verdict_writer import VERDICT
from forkpoint.verdict.verdict_record import Verdict

pytest.importorskip("ray", reason="Ray is not installed: pip install forkpoint[cluster]")
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

HERE = Path(__file__).parent
KILLED_AT = 25  # lines of the ledger: in the middle of the brackets
WAIT_SECONDS = 600.0


def drive(folder: Path) -> "subprocess.Popen[bytes]":
    path = os.pathsep.join([str(HERE), str(HERE.parent / "report"), *sys.path])
    return subprocess.Popen(
        [sys.executable, str(HERE / "driven_on_ray.py"), str(folder)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def lines(folder: Path) -> int:
    ledger = folder / "ledger.jsonl"
    return ledger.read_bytes().count(b"\n") if ledger.exists() else 0


def test_a_race_whose_driver_was_killed_ends_as_the_undisturbed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same decisions and verdict; trials that were under way are run again, none counts twice.

    The undisturbed race ran on other workers, in virtual time.
    """
    monkeypatch.setenv("FORKPOINT_HOME", str(tmp_path / "home"))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    workers = BusyWorkers(whole, agree(whole), 0, truth=clear, mishap=diverging)
    undisturbed = run_race(whole, workers, Silent())
    agree(killed)
    process, began = drive(killed), time.monotonic()
    while lines(killed) < KILLED_AT and process.poll() is None:
        assert time.monotonic() - began < WAIT_SECONDS
        time.sleep(0.05)
    assert process.poll() is None, process.communicate()[1].decode()[-3000:]
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (killed / VERDICT).exists()
    resumed = drive(killed)
    said = resumed.communicate()[1].decode()
    assert 0 == resumed.returncode, said[-3000:]
    assert decided(whole) == decided(killed)
    own = {"test_openings", "seconds"}
    verdict = Verdict.from_json((killed / VERDICT).read_bytes())
    assert undisturbed.model_dump(exclude=own) == verdict.model_dump(exclude=own)
    found = read_lines(killed)
    assert 1 == sum(isinstance(line, Resumed) for line in found)
    scored = [line.trial for line in found if isinstance(line, TrialScored)]
    assert len(set(scored)) == len(scored)
