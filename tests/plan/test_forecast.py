"""Time foreseen: what costs more takes longer, and a budget in time becomes tokens that fit it."""

from math import ceil

import pytest

from forkpoint.engine import Arm, Selector
from forkpoint.engine import Settings as EngineSettings
from forkpoint.errors import BadInput
from forkpoint.ledger import ArmPlan, Correction, Settings, Speed
from forkpoint.plan.budget import brute_force_tokens, budget_tokens, read_budget
from forkpoint.plan.clock import BusyTime
from forkpoint.plan.forecast import (
    STATIONS,
    Asking,
    Course,
    answer_seconds,
    budget_within,
    forecast,
    opening_tokens,
    reserve_of,
    reserve_tokens,
    trial_seconds,
)
from forkpoint.plan.lengths import plan_rungs
from forkpoint.plan.price import read_price

SPEED = Speed(
    start_seconds=0.1,
    load_seconds=0.2,
    score_row_seconds=0.002,
    answer_batch=32,
    answer_warmup_seconds=0.1,
    answer_prompt_seconds=0.05,
    answer_step_seconds=0.01,
    answer_tokens=8,
    setup_seconds={"lora": 0.5, "full": 0.3},
    train_tokens_per_second={"lora": 3000.0, "full": 4000.0},
)


def arm(name: str, **changes: object) -> ArmPlan:
    """An arm of 80,000 tokens."""
    checkpoint, _, approach = name.rpartition(".")
    plain = ArmPlan(
        name=name,
        checkpoint=checkpoint,
        approach=approach,
        stage="base",
        renderings=("plain",),
        centre_rate=1e-3,
        rate_reason="race.metric_asked",
        rate_values={},
        full_tokens=80_000,
        load_seconds=0.5,
        train_tokens_per_second=3000.0,
        answers_per_second=100.0,
    )
    return plain.model_copy(update=changes)


def settings(**changes: object) -> Settings:
    """Those of a pocket race on two cores."""
    plain = Settings(
        seed=0, metric="macro_f1", metric_reason="race.metric_by_answers", margin=0.02,
        threshold=0.95, rows_per_step=8, passes=3.0, rate_factors=(1 / 3, 1.0, 3.0),
        loss_turns="last", system_prompt=None, context_tokens=512, answer_tokens={},
        answer_limit_bytes=40, truncate="no", dtype="float32", device="cpu", lora_rank=16,
        lora_alpha=32, schedule="linear", warmup_share=0.1, finalist_seeds=3, known_seed_sd=0.02,
        general_set="pocket", workers=2,
    )  # fmt: skip
    return plain.model_copy(update=changes)


def course(**changes: object) -> Course:
    """Six arms on three checkpoints."""
    names = ("base", "instruct", "chat")
    plain = Course(
        arms=[arm(f"{name}.{how}") for name in names for how in ("lora", "full")],
        rungs=plan_rungs(650, 3.0, 8),
        settings=settings(),
        speeds=dict.fromkeys(names, SPEED),
        limits=dict.fromkeys(names, 20),
        rung_rows=150,
        test_rows=200,
    )
    return plain._replace(**changes)


def total(one: Course, tokens: float = 800_000) -> float:
    """Seconds of the whole race."""
    return sum(forecast(one, tokens).values())


def test_a_trial_is_the_sum_of_its_pieces() -> None:
    """Start, set-up, training, loading, likelihood, answers: by hand."""
    pieces = 0.1 + 0.5 + 30_000 / 3000 + 0.2 + 150 * 0.002 + 0.1 + 5 * (0.05 + 8 * 0.01)
    assert pieces == pytest.approx(trial_seconds(SPEED, "lora", 30_000, 150))
    half_more = Correction(factor=1.5, trials=6, races=2)
    assert 1.5 * pieces == pytest.approx(trial_seconds(SPEED, "lora", 30_000, 150, half_more))


def test_answers_cost_batches_not_rows() -> None:
    """33 rows take two batches; an untuned checkpoint runs to its limit."""
    one, two = (answer_seconds(SPEED, rows, 8) for rows in (32, 33))
    assert 0.05 + 8 * 0.01 + 0.002 == pytest.approx(two - one)
    assert answer_seconds(SPEED, 32, 20) > one


def test_every_station_is_foreseen() -> None:
    """None is forgotten, and general ability costs nothing where it is not measured."""
    found = forecast(course(), 800_000)
    assert STATIONS == tuple(found)
    assert all(seconds > 0 for seconds in found.values())
    quick = course(settings=settings(general_set=None))
    assert 0 == forecast(quick, 800_000)["general"]


@pytest.mark.parametrize(
    "more",
    [
        {"settings": settings(workers=1)},
        {"rung_rows": 400},
        {"test_rows": 2000},
        {"limits": dict.fromkeys(("base", "instruct", "chat"), 200)},
        {"corrections": {"lora": Correction(factor=2.0, trials=9, races=3)}},
    ],
)
def test_what_costs_more_takes_longer(more: dict[str, object]) -> None:
    """Fewer workers, more rows, longer answers, folds, slower trials."""
    assert total(course(**more)) > total(course())


def test_asking_in_more_ways_takes_longer_and_longer_prompts_longest() -> None:
    """Every setup of an untrained arm is a pass over the validation rows."""
    once = [Asking(name, f"{name}.prompt", 1.0) for name in ("base", "instruct", "chat")]
    few = [*once, *(Asking("base", "base.few-shot", 3.0) for _ in range(3))]
    long = [*once, *(Asking("base", "base.few-shot", 9.0) for _ in range(3))]
    found = [forecast(course(asking=asked), 800_000)["untrained"] for asked in (once, few, long)]
    assert sorted(found) == found
    assert len(set(found)) == 3
    assert forecast(course(), 800_000)["untrained"] == found[0]


def test_the_reserve_compares_two_arms_or_is_raced() -> None:
    """Every seed of the leaders at most; what is left after the brackets at most."""
    assert 600.0 == reserve_of(left=2_000.0, most=1_400.0, full=100.0, seeds=3)
    assert 350.0 == reserve_of(left=400.0, most=350.0, full=100.0, seeds=3)
    assert 0.0 == reserve_of(left=190.0, most=700.0, full=100.0, seeds=3)


@pytest.mark.parametrize("full", [1_000, 19_456, 19_457, 33_333])
@pytest.mark.parametrize("times", [1.0, 1.01, 1.5, 2.0, 3.0])
def test_what_is_kept_leaves_every_arm_its_bracket(full: int, times: float) -> None:
    """To the token, as the engine counts: it refuses a budget that does not take all to rung 1."""
    one = course(arms=[arm("a.lora", full_tokens=full), arm("b.lora", full_tokens=3 * full + 1)])
    parts = one.arms, one.rungs, one.settings
    budget = ceil(times * opening_tokens(*parts))
    Selector(
        [Arm(name=each.name, cost_per_token=each.full_tokens / full) for each in one.arms],
        [max(1, round(rung.share * full)) for rung in one.rungs],
        budget - reserve_tokens(*parts, budget),
        EngineSettings(first_rung_trials=len(one.settings.rate_factors)),
    )


def test_folds_are_trainings_of_the_finalists() -> None:
    """Where every row is tested once, more of the budget goes to the finalists."""
    folded = forecast(course(settings=settings(folds=5)), 800_000)
    assert folded["finishing"] > forecast(course(), 800_000)["finishing"]


def test_more_budget_never_takes_less() -> None:
    """Monotone in tokens, so that a time can be turned into tokens."""
    seconds = [round(total(course(), tokens), 6) for tokens in range(0, 2_000_000, 50_000)]
    assert sorted(seconds) == seconds


@pytest.mark.parametrize("minutes", [2, 3, 5])
def test_a_budget_in_time_is_filled_and_kept(minutes: int) -> None:
    """The race foreseen with the tokens found takes just that time."""
    tokens = budget_within(course(), 60 * minutes, 2_000_000)
    assert 60 * minutes == pytest.approx(total(course(), tokens), rel=0.01)
    assert 2_000_000 == budget_within(course(), 1e9, 2_000_000)


def test_pieces_side_by_side_count_once_and_pauses_not_at_all() -> None:
    """The time in which something ran."""
    busy = BusyTime()
    for minute, seconds in ((1, 60), (1, 30), (2, 90), (50, 10)):
        busy.add(f"2026-01-01T00:{minute:02d}:00+00:00", seconds)
    assert 60 + 60 + 10 == busy.seconds


@pytest.mark.parametrize(
    ("text", "hour", "half"),
    [
        ("2.5/h", "2.50", "1.25"),
        ("$2.5/h", "$2.50", "$1.25"),
        ("0,8 EUR/hour", "0.80 EUR", "0.40 EUR"),
        ("18 元/小时", "18.00 元", "9.00 元"),
    ],
)
def test_a_price_keeps_its_currency(text: str, hour: str, half: str) -> None:
    """As it was given, before or after the figure."""
    price = read_price(text)
    assert (hour, half) == (price.of(3600), price.of(1800))


@pytest.mark.parametrize("text", ["", "cheap", "2.5", "/h", "-1/h", "1/h/h", "x" * 40 + "1/h"])
def test_what_is_no_price_is_a_sentence(text: str) -> None:
    """Said before anything runs."""
    with pytest.raises(BadInput):
        read_price(text)


def test_auto_is_half_of_brute_force_or_what_the_first_rung_needs() -> None:
    """Few rows have one rung, which takes more than half: the race is not refused for that."""
    several = course()
    brute = brute_force_tokens(several.arms, several.settings)
    auto = read_budget("auto")
    assert brute // 2 == budget_tokens(auto, several, brute)
    single = course(rungs=several.rungs[-1:])
    opening = opening_tokens(single.arms, single.rungs, single.settings)
    assert opening > brute / 2
    assert opening == pytest.approx(budget_tokens(auto, single, brute), abs=1)
    assert brute // 2 == budget_tokens(read_budget("50%"), single, brute)
