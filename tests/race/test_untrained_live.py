"""A live race with every way to ask; one of them, and what is trained, are from another package."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from outside_package import install

ROOT = Path(__file__).parents[2]
APPROACHES = ("attention-lora", "prompt", "few-shot", "rag", "one-word")


def forkpoint(
    *words: str, home: Path, code: int = 0, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    paths = [str(path)] if path else []
    paths += [given for given in [os.environ.get("PYTHONPATH", "")] if given]
    done = subprocess.run(
        [sys.executable, "-m", "forkpoint", *words],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            "FORKPOINT_HOME": str(home),
            "PYTHONPATH": os.pathsep.join(paths),
        },
    )
    assert code == done.returncode, done.stderr
    return done


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installed package of two kinds: one is asked, one is trained."""
    return install(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred bundled rows and two documents, one of them no text."""
    folder = tmp_path_factory.mktemp("rows")
    lines = (ROOT / "src/forkpoint/data/bundled/tickets.jsonl").read_text().splitlines()[:100]
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "handbook").mkdir()
    (folder / "handbook" / "care.md").write_text(
        "# Repair\n\nPlease send us my or your broken thing: a glass, a lamp. 我的请尽快维修。\n"
    )
    (folder / "handbook" / "scan.pdf").write_bytes(b"%PDF \x00")
    return folder


@pytest.fixture(scope="module")
def run(rows: Path, outside: Path) -> Path:
    """The folder of a finished race of one checkpoint in every way."""
    named = [word for approach in APPROACHES for word in ("--approach", approach)]
    forkpoint(
        "race", str(rows / "rows.jsonl"), "--model", "pocket-instruct", *named,
        "--documents", str(rows / "handbook"), "--shots", "2", "--system", "You sort tickets.",
        "--passes", "1", "--budget", "60%", "--folds", "0", "--skip-general", "--price", "$2/h",
        "--licence", "commercial", "--max-latency", "600", "--max-memory", "100GB",
        "--out", str(rows / "run"), "--yes", home=rows / "home", path=outside,
    )  # fmt: skip
    return rows / "run"


def verdict_of(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "verdict.json").read_text())
    return found


def test_every_way_to_ask_is_an_arm_with_scores_on_the_same_rows(run: Path) -> None:
    """Validation and test with interval and n, whether a kind is ours or not."""
    verdict = verdict_of(run)
    found = {one["approach"]: one for one in verdict["untrained"]}
    assert {"prompt", "few-shot", "rag", "one-word"} == set(found)
    for one in found.values():
        assert "pocket-instruct." + one["approach"] == one["arm"]
        assert one["test"]["n"] == verdict["test_rows"]
        assert one["validation"]["low"] <= one["validation"]["value"]
    assert set(found["one-word"]["tried"]) == {"polite", "short"}
    assert found["rag"]["setup"].endswith("documents")


def test_the_verdict_says_whether_training_is_worth_it(run: Path) -> None:
    """One trained arm is enough for the question."""
    worth = verdict_of(run)["worth"]
    assert "pocket-instruct.attention-lora" == worth["trained"]
    assert worth["difference"]["low"] <= worth["difference"]["value"] <= worth["difference"]["high"]


def test_every_arm_has_the_cost_of_its_answers(run: Path) -> None:
    """Tokens, seconds in batches and alone, memory and money; longer prompts cost more tokens."""
    costs = {one["arm"].rpartition(".")[2]: one for one in verdict_of(run)["costs"]}
    assert set(APPROACHES) == set(costs)
    for one in costs.values():
        assert "test" == one["split"]
        assert one["peak_bytes"] > 1_000_000
        assert one["money"].startswith("$")
        assert one["seconds"]["value"] > 0
        assert one["alone_seconds"]["n"] >= 2
        assert one["prompt_tokens"]["low"] <= one["prompt_tokens"]["value"]
    tokens = {name: one["prompt_tokens"]["value"] for name, one in costs.items()}
    assert tokens["attention-lora"] == tokens["prompt"] < tokens["few-shot"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_report_shows_a_prompt_of_each_and_what_an_answer_costs(run: Path, lang: str) -> None:
    """As text and as a page, in both languages."""
    told = forkpoint("report", str(run), "--lang", lang, home=run).stdout
    page = (run / "report.html").read_text(encoding="utf-8")  # in both languages
    for approach in APPROACHES:
        assert f"pocket-instruct.{approach}" in told
        assert f"pocket-instruct.{approach}" in page
    assert "One word" in page  # the prompt of the kind from outside
    assert "Please send us my or your broken thing" in page  # the passage that was retrieved
    assert "You sort tickets." in page  # the system prompt, the same for all


def test_what_was_agreed_stands_in_the_run_folder(run: Path) -> None:
    """Documents and files left out, limits, and prompts, so that the folder stands alone."""
    agreed = json.loads((run / "race.json").read_text())
    assert {"scan.pdf": "untrained.document_kind"} == agreed["documents"]["left_out"]
    assert 600 == agreed["limits"]["latency_seconds"]
    assert "care.md" in (run / "documents.jsonl").read_text()
    assert 4 == len(list((run / "prompts").glob("*.json")))


def test_an_approach_from_another_package_trains_as_its_file_says(run: Path) -> None:
    """Planned by its own count of parameters, tried at three rates, trained on attention alone."""
    from safetensors import safe_open

    plan = json.loads((run / "race.json").read_text())["arms"]
    assert ["attention-lora"] == [arm["approach"] for arm in plan]
    book = [json.loads(line) for line in (run / "ledger.jsonl").read_text().splitlines()]
    scored = [line for line in book if line["kind"] == "trial_scored"]
    assert 3 <= len({line["trial"]["rate"] for line in scored})
    assert [] == [line for line in book if line["kind"] == "trial_failed"]
    adapter = next((run / "arms").rglob("adapter_model.safetensors"))
    with safe_open(adapter, "pt") as file:
        names = list(file.keys())
        sizes = [file.get_tensor(name).numel() for name in names]
    assert all("self_attn" in name for name in names)
    assert sum(sizes) == plan[0]["trainable_parameters"]


def test_untrained_arms_are_no_tuned_ones(run: Path) -> None:
    """Bad cases and votes are about the arms that were trained, unless others are named."""
    found = json.loads(forkpoint("bad-cases", str(run), "--json", home=run).stdout)
    assert ["pocket-instruct.attention-lora"] == [one["arm"] for one in found["arms"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--approach", "lora", "--approach", "rag", "--documents", "nowhere"], "does not exist"),
        (["--approach", "lora", "--approach", "few-shot", "--shots", "5000"], "5000"),
        (["--approach", "prompt", "--approach", "rag"], "--approach lora"),
        (["--approach", "lora", "--approach", "magic"], "few-shot"),
        (["--documents", "."], "--approach rag"),
        (["--shots", "3"], "--approach few-shot"),
        (["--max-memory", "much"], "much"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(
    rows: Path, tmp_path: Path, words: list[str], said: str
) -> None:
    """Exit 2, what was found and what to do, no traceback."""
    done = forkpoint(
        "race", str(rows / "rows.jsonl"), "--model", "pocket-instruct", *words,
        "--out", str(tmp_path / "run"), "--yes", "--lang", "en", home=tmp_path, code=2,
    )  # fmt: skip
    assert said in done.stderr
    assert "Traceback" not in done.stderr
