"""Untrained arms in a race: asked first, chosen on validation, tested once, part of the verdict."""

import json
from pathlib import Path
from typing import Any

import pytest
from race_records import capability
from simulated_race import decisions, make_agreement, race

from forkpoint.ledger import Agreement, Setup, UntrainedArm, read_lines
from forkpoint.race.work import AnswerWork
from forkpoint.report import read_view
from forkpoint.report.asked import untrained_views
from forkpoint.report.history import history_of
from forkpoint.report.page import html
from forkpoint.report.plan_text import plan_text
from forkpoint.report.text import text

CHECKPOINTS = ("pocket-base", "pocket-instruct", "pocket-chat")
SETUPS = {
    "prompt": ("plain",),
    "few-shot": ("2-near", "4-near", "8-near"),
    "rag": ("1-rows", "3-rows"),
}
LEVELS = {"plain": 0.2, "2-near": 0.35, "4-near": 0.6, "8-near": 0.5, "1-rows": 0.3, "3-rows": 0.4}


def untrained() -> tuple[UntrainedArm, ...]:
    return tuple(
        UntrainedArm(
            name=f"{name}.{approach}",
            checkpoint=name,
            approach=approach,
            stage=None,
            setups=tuple(
                Setup(name=setup, rendering="chat", prompt_tokens=40.0 * place)
                for place, setup in enumerate(setups, start=1)
            ),
        )
        for name in CHECKPOINTS
        for approach, setups in SETUPS.items()
    )


def level(arm: str, share: float) -> float:
    """Trained arms by their curves; an untrained one by its setup, Instruct a little ahead."""
    name, _, setup = arm.partition(" ")
    if not setup:
        return capability(name, share)
    return LEVELS[setup] + (0.1 if "instruct" in name else 0.0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder whose race has three untrained arms a checkpoint."""
    monkeypatch.setenv("FORKPOINT_HOME", str(tmp_path / "home"))
    make_agreement(tmp_path / "run", untrained=untrained())
    return tmp_path / "run"


def kinds(folder: Path) -> list[str]:
    return [line.kind for line in read_lines(folder)]


def test_they_are_asked_before_anything_is_trained(folder: Path) -> None:
    """Every setup answers validation, then one is chosen, then the first trial starts."""
    race(folder, truth=level)
    order = kinds(folder)
    asked = sum(len(setups) for setups in SETUPS.values()) * len(CHECKPOINTS)
    assert ["answers_made"] * asked == order[:asked]
    assert ["setup_chosen"] * 9 == order[asked : asked + 9]
    assert "trial_started" == order[asked + 9]


def test_the_best_setup_on_validation_is_chosen_and_tested(folder: Path) -> None:
    """Four examples beat two and eight; the choice stands in the ledger with all that was tried."""
    verdict, _ = race(folder, truth=level)
    found = {one.arm: one for one in verdict.untrained}
    shot = found["pocket-instruct.few-shot"]
    assert "4-near" == shot.setup
    assert set(SETUPS["few-shot"]) == set(shot.tried)
    assert shot.test is not None
    assert (80, 80) == (shot.test.n, shot.validation.n if shot.validation else None)
    assert shot.arm == verdict.untrained[0].arm  # the best of all, first


def test_which_are_tested_is_written_down_before_the_test_set_is_opened(folder: Path) -> None:
    """The best of each kind, and the finalists' checkpoints as they were."""
    race(folder, truth=level)
    lines = read_lines(folder)
    chosen = next(line for line in lines if line.kind == "finalists")
    opened = next(line for line in lines if line.kind == "test_opened")
    assert chosen.seq < opened.seq
    best = [f"pocket-instruct.{kind}" for kind in ("few-shot", "rag", "prompt")]
    assert best == list(chosen.untrained)
    tested = {x.arm for x in lines if x.kind == "answers_made" and x.split == "test"}
    prompts = {f"{arm.rpartition('.')[0]}.prompt" for arm in chosen.trials}
    assert {*best, *prompts, *chosen.trials} == tested


def test_training_is_worth_it_where_it_is(folder: Path) -> None:
    """Best trained against best untrained, on the same rows, with interval and n."""
    verdict, _ = race(folder, truth=level)
    worth = verdict.worth
    assert worth is not None
    assert ("worth_it", "pocket-instruct.few-shot") == (worth.kind, worth.untrained)
    assert verdict.arm == worth.trained
    assert worth.difference.low is not None
    assert 0 < worth.difference.low < worth.difference.value
    assert verdict.test_rows == worth.difference.n


def test_training_is_not_worth_it_where_asking_is_better(folder: Path) -> None:
    """The sentence says so in both languages, in text and on the page."""
    verdict, _ = race(
        folder, truth=lambda arm, share: 0.995 if "4-near" in arm else 0.8 * level(arm, share)
    )
    assert verdict.worth is not None
    assert "not_worth_it" == verdict.worth.kind
    view = read_view(folder)
    for lang, sentence in (("en", "not worth it here"), ("zh", "这里不值得微调")):
        assert sentence in text(view, lang, width=2000)
        assert sentence in html(view, lang)


def test_a_setup_that_fails_is_out_and_the_race_goes_on(folder: Path) -> None:
    """Eight examples run out of memory: the others are compared, the failure is written down."""

    def mishap(work: AnswerWork) -> dict[str, Any] | None:
        failed = work.setup == "8-near" or work.subject == "pocket-base.rag"
        return {"key": "race.out_of_memory", "values": {}} if failed else None

    verdict, _ = race(folder, truth=level, unanswered=mishap)
    found = {one.arm: one for one in verdict.untrained}
    assert found["pocket-chat.few-shot"].tried["8-near"] is None
    assert "4-near" == found["pocket-chat.few-shot"].setup
    assert found["pocket-base.rag"].setup is None
    dropped = [x.arm for x in read_lines(folder) if x.kind == "arm_dropped" and x.rung == 0]
    assert ["pocket-base.rag"] == dropped
    assert verdict.arm is not None


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.8, 0.95])
def test_a_resumed_race_decides_the_same(folder: Path, tmp_path: Path, cut: float) -> None:
    """Cut anywhere, the setups chosen and the arms tested are those of the whole race."""
    race(folder, truth=level)
    whole = decisions(folder)
    ledger = folder / "ledger.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[: round(cut * len(lines))]))
    race(folder, truth=level)
    assert whole == decisions(folder)
    again = [json.loads(x) for x in ledger.read_bytes().splitlines()]
    chosen = [x["setup"] for x in again if x["kind"] == "setup_chosen"]
    assert 9 == len(chosen)


def test_they_cost_no_training_tokens(folder: Path, tmp_path: Path) -> None:
    """The budget of a race with untrained arms trains as much as without."""
    verdict, _ = race(folder, truth=level)
    make_agreement(tmp_path / "plain")
    plain, _ = race(tmp_path / "plain", truth=level)
    assert plain.spent_tokens == verdict.spent_tokens
    assert plain.worth is None  # a race of an older version names no untrained arm


def test_a_row_without_a_score_for_an_untrained_arm_is_out_for_all(folder: Path) -> None:
    """All arms are compared on the same rows."""
    verdict, _ = race(
        folder, truth=level, unscored=lambda arm, row: "4-near" in arm and int(row, 16) % 8 == 0
    )
    assert 10 == verdict.test_unscored
    assert verdict.worth is not None
    assert 70 == verdict.worth.difference.n == verdict.test_rows


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_plan_names_them_first(folder: Path, lang: str) -> None:
    """How many arms without training, and how many setups are tried."""
    told = plan_text(make_agreement(folder, untrained=untrained()), lang)
    assert "pocket-base.few-shot" in told
    assert "18" in told


def test_an_unfinished_race_shows_what_was_asked(folder: Path) -> None:
    """While it runs the report holds the untrained arms with their validation scores."""
    race(folder, truth=level)
    ledger = folder / "ledger.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[:40]))
    (folder / "verdict.json").unlink()
    view = read_view(folder)
    assert "pocket-instruct.few-shot" == view.asked[0].result.arm
    assert view.untrained_validation.keys() == set(CHECKPOINTS)
    assert "pocket-instruct.few-shot" in text(view, "en")


def test_report_and_verdict_say_the_same_of_untrained_arms(folder: Path) -> None:
    """What the ledger alone tells while a race is under way is what the verdict tells at its end.

    Order, stop rate and shortened prompts included.
    """
    verdict, _ = race(folder, truth=level)
    agreed = Agreement.from_json((folder / "race.json").read_bytes())
    lines = [
        line.model_copy(update={"shortened": 3}) if line.kind == "answers_made" else line
        for line in read_lines(folder)
    ]
    tested = [one.arm for one in verdict.untrained if one.test]
    told = untrained_views(agreed, history_of(lines), None)
    assert [3] * len(tested) == [view.result.shortened for view in told if view.tested]
    assert list(verdict.untrained) == [
        view.result.model_copy(update={"shortened": 0}) for view in told
    ]
