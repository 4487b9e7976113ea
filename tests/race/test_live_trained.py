"""One live race of every trained approach on the pocket family, on preference rows."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
APPROACHES = ("qlora", "dpo-full", "cpt-full", "delta-full")


def forkpoint(*words: str, home: Path, code: int = 0) -> str:
    """What a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "forkpoint", *words], capture_output=True, text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "FORKPOINT_HOME": str(home)},
    )  # fmt: skip
    assert code == done.returncode, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished race: each ticket's department preferred to another one."""
    pytest.importorskip("bitsandbytes", reason="QLoRA needs the extra 'quant'")
    place = tmp_path_factory.mktemp("trained")
    bundled = (ROOT / "src/forkpoint/data/bundled/tickets.jsonl").read_text().splitlines()
    tickets = [json.loads(line)["messages"] for line in bundled[:60]]
    labels = sorted({turns[-1]["content"] for turns in tickets})
    rows = [
        {"prompt": turns[:-1], "chosen": turns[-1:],
         "rejected": [{"role": "assistant",
                       "content": labels[labels.index(turns[-1]["content"]) - 1]}]}
        for turns in tickets
    ]  # fmt: skip
    (place / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    (place / "notes.txt").write_text(
        "\n\n".join(f"The {label} department answers letters." for label in labels * 4)
    )
    asked = [word for name in APPROACHES for word in ("--approach", name)]
    forkpoint(
        "race", str(place / "rows.jsonl"), "--model", "pocket-instruct", *asked,
        "--corpus", str(place / "notes.txt"), "--twin", "pocket-base", "--passes", "2",
        "--rows-per-step", "8", "--finalist-seeds", "1", "--folds", "0", "--budget", "100%",
        "--skip-general", "--out", str(place / "run"), "--yes", home=place / "home",
    )  # fmt: skip
    return place / "run"


def lines(run: Path, kind: str) -> list[dict[str, Any]]:
    """The ledger's lines of one kind."""
    every = [json.loads(line) for line in (run / "ledger.jsonl").read_text().splitlines()]
    return [line for line in every if line["kind"] == kind]


def test_every_approach_is_trained_and_scored(run: Path) -> None:
    """No trial fails, and each arm stands in the verdict with an interval and n."""
    assert [] == lines(run, "trial_failed")
    verdict = json.loads((run / "verdict.json").read_text())
    assert {f"pocket-instruct.{name}" for name in APPROACHES} == {
        result["arm"] for result in verdict["results"]
    }
    for result in verdict["results"]:
        assert result["validation"]["low"] <= result["validation"]["value"]


def test_tokens_of_every_stage_are_counted(run: Path) -> None:
    """Raw text and pairs are part of an arm's cost, foreseen and spent."""
    agreed = json.loads((run / "race.json").read_text())
    planned = {arm["approach"]: arm["full_tokens"] for arm in agreed["arms"]}
    assert planned["qlora"] == planned["delta-full"]
    assert planned["cpt-full"] > planned["qlora"] < planned["dpo-full"]
    for line in lines(run, "trial_scored"):
        kind = line["trial"]["arm"].split(".")[1]
        share = agreed["rungs"][line["trial"]["rung"] - 1]["share"]
        assert line["tokens"] == pytest.approx(share * planned[kind], rel=0.15)


def test_preferences_are_measured_beside_the_primary_metric(run: Path) -> None:
    """Chosen over rejected, with interval and n, for every trial and every test answer."""
    for line in (*lines(run, "trial_scored"), *lines(run, "answers_made")):
        found = line["secondary"]["preferred"]
        assert found["n"] == line["primary"]["n"] > 0
        assert 0 <= found["low"] <= found["value"] <= found["high"] <= 1
    text = forkpoint("report", str(run), home=run)
    assert "chosen" in text


@pytest.mark.parametrize(("lang", "word"), [("en", "Base twin"), ("zh", "孪生")])
def test_the_report_names_the_approaches(run: Path, lang: str, word: str) -> None:
    """Arms are called by words, in both languages."""
    page = forkpoint("report", str(run), "--format", "html", "--lang", lang, home=run)
    assert word in page or word in (run / "report.html").read_text()
