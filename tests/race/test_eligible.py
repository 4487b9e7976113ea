"""Limits of the user's take arms out before the race, each with its reason."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from race_records import agreement, facts

from forkpoint.errors import BadInput, DoesNotFit
from forkpoint.ledger import Agreement, Setup, Speed, UntrainedArm
from forkpoint.race.eligible import answer_alone_seconds, eligible, licensed, limits_of
from forkpoint.race.request import RaceRequest
from forkpoint.report.plan_text import plan_text

IDS = tuple(f"{number:016x}" for number in range(40))


@dataclass
class Given:
    """Two checkpoints, the second ten times slower; one untrained arm each in two setups."""

    agreed: Agreement
    speeds: dict[str, Speed]
    untrained: tuple[UntrainedArm, ...]


def speed(alone: float) -> Speed:
    return Speed(
        start_seconds=1.0, load_seconds=1.0, score_row_seconds=0.1, answer_batch=32,
        answer_warmup_seconds=0.0, answer_prompt_seconds=1.0, answer_step_seconds=0.1,
        answer_tokens=10, setup_seconds={}, train_tokens_per_second={},
        alone_prompt_seconds=alone, alone_step_seconds=alone / 10, prompt_tokens=50.0,
    )  # fmt: skip


@pytest.fixture
def given() -> Given:
    agreed = agreement((IDS[:20], IDS[20:30], IDS[30:]), lambda text: text)
    names = ("pocket-instruct", "pocket-chat")
    arms = tuple(
        UntrainedArm(
            name=f"{name}.few-shot", checkpoint=name, approach="few-shot", stage=None,
            setups=(
                Setup(name="2-near", prompt_tokens=150.0),
                Setup(name="8-near", prompt_tokens=450.0),
            ),
        )
        for name in names
    )  # fmt: skip
    kept = tuple(arm for arm in agreed.arms if arm.checkpoint in names)
    agreed = agreed.model_copy(update={"arms": kept, "untrained": arms})
    return Given(agreed, {names[0]: speed(0.1), names[1]: speed(1.0)}, arms)


def request(**limits: Any) -> RaceRequest:
    return RaceRequest(
        data="rows.jsonl", models=("a",), approaches=("lora", "full", "few-shot"), **limits
    )


def found(given: Given, **limits: Any) -> Any:
    plan = given.agreed
    return eligible(
        request(**limits), plan.arms, given.untrained, given.speeds, plan.checkpoints, plan.settings
    )


def test_seconds_of_an_answer_are_reading_and_writing() -> None:
    """A prompt three times as long takes three times as long to read; writing stays."""
    assert pytest.approx(0.1 + 10 * 0.01) == answer_alone_seconds(speed(0.1), None)
    assert pytest.approx(0.3 + 10 * 0.01) == answer_alone_seconds(speed(0.1), 150.0)


def test_without_limits_everyone_races(given: Given) -> None:
    """Nothing is taken out that nobody asked to take out."""
    arms, untrained, out = found(given)
    assert (given.agreed.arms, given.untrained, ()) == (arms, untrained, out)


def test_slow_arms_and_slow_setups_are_out_with_their_seconds(given: Given) -> None:
    """The slow checkpoint is out altogether; the fast one keeps the setup that is fast enough."""
    arms, untrained, out = found(given, max_latency=0.5)
    assert {"pocket-instruct"} == {arm.checkpoint for arm in arms}
    assert ["2-near"] == [setup.name for setup in untrained[0].setups]
    assert {"8-near": "untrained.too_slow"} == untrained[0].left_out
    reasons = {one.name: (one.key, one.values["seconds"]) for one in out}
    assert ("untrained.too_slow", 2.0) == reasons["pocket-chat.lora"]
    assert ("untrained.too_slow", 4.0) == reasons["pocket-chat.few-shot"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_is_not_eligible_is_listed_in_the_plan(given: Given, lang: str) -> None:
    """Name, figure and limit, in both languages."""
    arms, untrained, out = found(given, max_latency=0.5)
    changes = {"arms": arms, "untrained": untrained, "ineligible": out}
    told = plan_text(given.agreed.model_copy(update=changes), lang)
    line = next(line for line in told.splitlines() if "pocket-chat.full" in line and "0.5" in line)
    assert "2" in line
    assert "8-near" in told


def test_nothing_left_is_nothing_to_race(given: Given) -> None:
    """Every arm with its figure and the limit, and how to go on."""
    with pytest.raises(DoesNotFit) as refused:
        found(given, max_latency=0.01)
    said = refused.value.message("en")
    assert "pocket-instruct.lora 0.2 s > 0.01 s" in said
    assert "--max-latency" in said


def test_memory_is_that_of_answering(pocket: Path, given: Given) -> None:
    """A real checkpoint needs some hundred MB with its libraries: 1 GB takes it, 50 MB do not."""
    from forkpoint.facts import read_checkpoint

    real = read_checkpoint(str(pocket))
    given.agreed = given.agreed.model_copy(
        update={"checkpoints": dict.fromkeys(given.speeds, real)}
    )
    assert () == found(given, max_memory="1GB")[2]
    with pytest.raises(DoesNotFit) as refused:
        found(given, max_memory="50MB")
    assert "50 MB" in refused.value.message("en")


@pytest.fixture
def pocket() -> Path:
    from forkpoint.facts import read_checkpoint

    return Path(str(read_checkpoint("pocket-instruct").path))


@pytest.mark.parametrize(
    ("wanted", "use", "key"),
    [
        ("commercial", "no", "untrained.licence_forbids"),
        ("commercial", "unknown", "untrained.licence_unknown"),
        ("free", "conditions", "untrained.licence_forbids"),
        ("mit", "yes", "untrained.licence_other"),
    ],
)
def test_a_licence_that_does_not_allow_it_takes_a_checkpoint_out(
    wanted: str, use: str, key: str
) -> None:
    """All its arms, untrained ones too; unknown is no permission."""
    other = facts("pocket-chat").model_copy(update={"commercial_use": use})
    fine = facts("pocket-instruct").model_copy(
        update={"licence": "MIT" if wanted == "mit" else "Apache-2.0"}
    )
    kept, out = licensed(request(licence=wanted), {"fine": fine, "other": other})
    assert ["fine"] == list(kept)
    names = {f"other.{approach}" for approach in ("prompt", "few-shot", "lora", "full")}
    assert (names, {key}) == ({one.name for one in out}, {one.key for one in out})


def test_conditions_are_allowed_for_commercial_use() -> None:
    """As in `forkpoint models`: permitted with conditions is permitted."""
    found = facts("pocket-chat").model_copy(update={"commercial_use": "conditions"})
    assert () == licensed(request(licence="commercial"), {"a": found})[1]


@pytest.mark.parametrize("limits", [{"max_latency": 0.0}, {"max_latency": float("nan")}])
def test_a_limit_that_is_none_is_refused(limits: dict[str, Any]) -> None:
    """Before anything is loaded."""
    with pytest.raises(BadInput):
        limits_of(request(**limits))
    with pytest.raises(BadInput):
        limits_of(request(max_memory="much"))
