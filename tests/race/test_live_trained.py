"""One live race of every approach on the pocket family, on preference rows."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TRAINED = ("lora", "qlora", "full", "dpo-full", "cpt-full", "delta-full")
UNTRAINED = ("few-shot", "rag")  # and prompt, which every race has
TASK = """\
task: mail
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: ask
doc_to_target: is
doc_to_choice: among
metric_list: [{{metric: acc, aggregation: mean, higher_is_better: true}}]
"""


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
    pytest.importorskip("lm_eval", reason="tasks need the extra 'eval'")
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
    (place / "mail.jsonl").write_text("".join(
        json.dumps({"ask": turns[0]["content"], "is": labels.index(turns[-1]["content"]),
                    "among": labels}) + "\n"
        for turns in tickets[:12]
    ))  # fmt: skip
    (place / "mail.yaml").write_text(TASK.format(data=place / "mail.jsonl"))
    asked = [word for name in (*TRAINED, *UNTRAINED) for word in ("--approach", name)]
    forkpoint(
        "race", str(place / "rows.jsonl"), "--model", "pocket-instruct", *asked,
        "--corpus", str(place / "notes.txt"), "--twin", "pocket-base", "--passes", "1",
        "--rows-per-step", "8", "--finalist-seeds", "1", "--folds", "0", "--budget", "100%",
        "--skip-general", "--retain", str(place / "mail.yaml"), "--floor", "pocket-instruct:0.9",
        "--out", str(place / "run"), "--yes", home=place / "home",
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
    assert {f"pocket-instruct.{name}" for name in TRAINED} == {
        result["arm"] for result in verdict["results"]
    }
    assert {f"pocket-instruct.{name}" for name in ("prompt", *UNTRAINED)} == {
        result["arm"] for result in verdict["untrained"]
    }
    for result in (*verdict["results"], *verdict["untrained"]):
        assert result["validation"]["low"] <= result["validation"]["value"]


def test_tokens_of_every_stage_are_counted(run: Path) -> None:
    """Raw text and pairs are part of an arm's cost, foreseen and spent."""
    agreed = json.loads((run / "race.json").read_text())
    planned = {arm["approach"]: arm["full_tokens"] for arm in agreed["arms"]}
    plain = planned["lora"]
    assert (plain, plain, plain) == (planned["qlora"], planned["full"], planned["delta-full"])
    assert planned["cpt-full"] > plain < planned["dpo-full"]
    for line in lines(run, "trial_scored"):
        kind = line["trial"]["arm"].split(".")[1]
        share = agreed["rungs"][line["trial"]["rung"] - 1]["share"]
        assert line["tokens"] == pytest.approx(share * planned[kind], rel=0.15)


def test_preferences_are_measured_beside_the_primary_metric(run: Path) -> None:
    """Chosen over rejected, with interval and n, for every arm, trained or only asked."""
    for line in (*lines(run, "trial_scored"), *lines(run, "answers_made")):
        found = line["secondary"]["preferred"]
        assert found["n"] == line["primary"]["n"] > 0
        assert 0 <= found["low"] <= found["value"] <= found["high"] <= 1
    text = forkpoint("report", str(run), home=run)
    assert "likelier than the rejected" in text


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_report_shows_every_arm(run: Path, lang: str) -> None:
    """Every arm of the race stands in text and page, in both languages."""
    said = forkpoint("report", str(run), "--lang", lang, home=run)
    page = (run / "report.html").read_text()
    for arm in json.loads((run / "race.json").read_text())["arms"]:
        assert arm["name"] in said
        assert arm["name"] in page


def test_a_task_is_retained_and_the_floor_is_judged(run: Path) -> None:
    """Before and after on the same questions, paired; every finalist stands beside the floor."""
    verdict = json.loads((run / "verdict.json").read_text())
    changes = [change for change in verdict["changes"] if change["ability"] == "mail"]
    finalists = {result["arm"] for result in verdict["results"] if result["roles"]}
    assert finalists == {change["subject"] for change in changes}
    for change in changes:
        assert change["difference"]["value"] == pytest.approx(
            change["after"]["value"] - change["before"]["value"]
        )
        assert 12 == change["difference"]["n"] == change["before"]["n"]
    assert finalists == {one["arm"] for one in verdict["floor"]["standings"]}
    assert {"holds"} == {one["says"] for one in verdict["floor"]["standings"]}
    assert {} == verdict["retain_failed"]
    assert 'aria-label="Task score against general ability' in (run / "report.html").read_text()
