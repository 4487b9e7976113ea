"""A live race on the pocket family: real processes, real training, real kills."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def forkpoint(*words: str, home: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    import os

    done = subprocess.run(
        [sys.executable, "-m", "forkpoint", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "FORKPOINT_HOME": str(home)},
    )
    assert code == done.returncode, done.stderr
    return done


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one small finished race, general ability included."""
    out = tmp_path_factory.mktemp("live")
    lines = (ROOT / "src/forkpoint/data/bundled/tickets.jsonl").read_text().splitlines()[:90]
    (out / "rows.jsonl").write_text("\n".join([*lines, '{"messages": []}']) + "\n")
    forkpoint(
        "race", str(out / "rows.jsonl"), "--model", "pocket-base", "--model", "pocket-instruct",
        "--approach", "full", "--passes", "3", "--budget", "60%", "--out", str(out / "run"),
        "--yes", home=out / "home",
    )  # fmt: skip
    return out / "run"


def test_the_run_folder_is_whole(run: Path) -> None:
    """Everything that is used later is there."""
    for name in ("race.json", "ledger.jsonl", "rows.jsonl", "masks.json", "verdict.json"):
        assert (run / name).stat().st_size > 0, name
    page = (run / "report.html").read_text()
    assert "<script src" not in page
    assert "http-equiv" in page
    assert (run / "arms" / "pocket-base.full" / "rung-1").is_dir()


def test_the_verdict_carries_its_certainty(run: Path) -> None:
    """Every arm has a measured score with interval and n; the cost is beside brute force's."""
    verdict = json.loads((run / "verdict.json").read_text())
    assert verdict["spent_tokens"] <= verdict["brute_force_tokens"]
    for result in verdict["results"]:
        assert result["validation"]["low"] <= result["validation"]["value"]
        assert result["validation"]["n"] > 0
    assert {change["ability"] for change in verdict["changes"]} >= {"knowledge", "refuse"}
    for drift in verdict["drifts"]:
        assert 0 < drift["drift"]["low"] < drift["drift"]["value"]
        assert drift["drift"]["n"] > 0
    assert any(drift["null_control"] for drift in verdict["drifts"])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_report_is_text_json_and_page(run: Path, lang: str) -> None:
    """`forkpoint report` shows the finished race in every form and both languages."""
    text = forkpoint("report", str(run), "--lang", lang, home=run).stdout
    assert "pocket-" in text
    assert ("95%" in text) or ("95 %" in text)
    assert json.loads(forkpoint("report", str(run), "--json", home=run).stdout)


def test_a_changed_checkpoint_is_refused_on_resume(run: Path, tmp_path: Path) -> None:
    """A race goes on only with the checkpoints it began with."""
    import shutil

    other = tmp_path / "run"
    shutil.copytree(run, other)
    agreed = json.loads((other / "race.json").read_text())
    agreed["checkpoints"]["pocket-base"]["identity"] = "0" * 64
    (other / "race.json").write_text(json.dumps(agreed))
    done = forkpoint("race", "--resume", str(other), home=tmp_path, code=2)
    assert "pocket-base" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_terminal_and_without_yes_it_never_waits(tmp_path: Path) -> None:
    """Race says so and exits 2."""
    done = forkpoint(
        "race", "tickets", "--model", "pocket-base", "--model", "pocket-chat", home=tmp_path, code=2
    )
    assert "--yes" in done.stderr
