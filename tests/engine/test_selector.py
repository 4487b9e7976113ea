"""What the live race and the replay of tables may rely on."""

import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest

from forkpoint.engine import Arm, Ask, Paired, Score, Selector, Settings
from forkpoint.errors import BadInput

RUNGS = [100, 200, 400, 800, 1600, 3200]
Curve = Callable[[int, int], float]


def power(arm: int, tokens: int) -> float:
    """Losses of arms whose order is 3, 2, 1, 0 at the end and nearly reversed at the start."""
    level, slope = (1.0, 1.1, 1.25, 1.45)[arm % 4], (0.02, 0.06, 0.11, 0.18)[arm % 4]
    return float(2.0 * level * (tokens / 100) ** -slope)


def score(value: float, error: float = 0.0, n: int = 100, **other: str) -> Score:
    """A loss, or what `other` says."""
    given = {"unit": "nats", "better": "lower", **other}
    return Score.model_validate({"value": value, "standard_error": error, "n": n, **given})


def accuracy(value: float, n: int) -> Score:
    """A share of right answers with its binomial error."""
    return score(value, float(np.sqrt(value * (1 - value) / n)), n, unit="share", better="higher")


def run(race: Selector, curve: Curve, limit: int = 500) -> list[tuple[str, int]]:
    """Run a race to its end and return the cells in the order they were run."""
    path = []
    while asks := race.ask():
        for ask in asks:
            arm = race.course.index[ask.arm]
            race.tell(ask, [score(curve(arm, ask.amount_tokens))], float(ask.amount_tokens))
            path.append((ask.arm, ask.rung))
        assert len(path) < limit
    return path


def arms(count: int = 4) -> list[Arm]:
    return [Arm(name=f"arm{number}") for number in range(count)]


def test_finds_the_arm_that_wins_late() -> None:
    """With budget for a part of brute force, crossing curves are read and the late winner found."""
    race = Selector(arms(), RUNGS, 9000, Settings(margin=0.0))
    run(race, power)
    standing = race.standing()
    brute_force = 4 * RUNGS[-1]
    assert standing.pick == "arm3"
    assert standing.spent_tokens <= 9000 < brute_force
    assert standing.p_best >= 0.95
    assert race.reason is not None and race.reason.key in ("engine.stop-sure", "engine.stop-regret")


def test_every_arm_is_seen_once_first() -> None:
    """No arm is judged before it was run: the opening takes all to their first rung."""
    race = Selector(arms(), RUNGS, 9000)
    assert [("arm0", 0), ("arm1", 0), ("arm2", 0), ("arm3", 0)] == run(race, power)[:4]


def test_budget_is_never_exceeded() -> None:
    """Spending stays within the budget whatever the prices of arms."""
    costly = [Arm(name=f"arm{n}", cost_per_token=1.0 + n) for n in range(4)]
    settings = Settings(p_best_enough=1, regret_enough=0)
    race = Selector(costly, RUNGS, 7000, settings)
    while asks := race.ask():
        for ask in asks:
            arm = race.course.index[ask.arm]
            price = ask.amount_tokens * (1.0 + arm)
            race.tell(ask, [score(power(arm, ask.amount_tokens))], price)
    assert race.standing().spent_tokens <= 7000
    assert race.reason is not None


def test_the_same_history_gives_the_same_next_ask() -> None:
    """A race resumes from its ledger: replaying the tells leads to the ask that was due."""
    first = Selector(arms(), RUNGS, 9000, Settings(margin=0.0))
    told = []
    for _ in range(9):
        (ask,) = first.ask()
        scores = [score(power(first.course.index[ask.arm], ask.amount_tokens))]
        first.tell(ask, scores, ask.amount_tokens)
        told.append((ask, scores))
    again = Selector(arms(), RUNGS, 9000, Settings(margin=0.0))
    for ask, scores in told:
        again.tell(Ask.from_json(ask.to_json()), scores, ask.amount_tokens)
    assert first.ask() == again.ask()
    assert first.standing() == again.standing()


def test_other_eigenvectors_do_not_change_a_race(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eigenvectors are known but for their sign, and libraries differ in it; races must not."""
    first = Selector(arms(), RUNGS, 9000, Settings(margin=0.0))
    path = run(first, power)
    eigh = np.linalg.eigh

    def flipped(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, vectors = eigh(matrix)
        return values, vectors * np.where(np.arange(len(values)) % 2, 1.0, -1.0)

    monkeypatch.setattr(np.linalg, "eigh", flipped)
    again = Selector(arms(), RUNGS, 9000, Settings(margin=0.0))
    assert path == run(again, power)
    for one, other in zip(first.standing().arms, again.standing().arms, strict=True):
        assert one.p_best == pytest.approx(other.p_best, abs=1e-9)
        assert one.final_sd == pytest.approx(other.final_sd, abs=1e-9)


def test_the_order_of_telling_does_not_matter() -> None:
    """Trials under way may come back in any order."""
    settings = Settings(parallel=4, margin=0.0)
    forward, backward = (Selector(arms(), RUNGS, 9000, settings) for _ in range(2))
    for race, step in ((forward, 1), (backward, -1)):
        for ask in race.ask()[::step]:
            arm = race.course.index[ask.arm]
            race.tell(ask, [score(power(arm, ask.amount_tokens))], ask.amount_tokens)
    assert forward.ask() == backward.ask()


def test_several_trials_under_way_are_different() -> None:
    """With four slots, four different cells are handed out, then none until one returns."""
    race = Selector(arms(8), RUNGS, 20000, Settings(parallel=4))
    asks = race.ask()
    assert 4 == len({(ask.arm, ask.rung) for ask in asks})
    assert [] == race.ask()
    assert race.reason is None
    race.tell(asks[0], [score(2.0)], 100)
    assert 1 == len(race.ask())


def test_continued_runs_go_forward_and_pay_the_difference() -> None:
    """A continued curve is never asked below where it is; its steps cost what they add."""
    race = Selector(arms(), RUNGS, 9000, Settings(kind="continued", p_best_enough=1))
    reached: dict[str, int] = {}
    while asks := race.ask():
        for ask in asks:
            before = reached.get(ask.arm, 0)
            assert ask.amount_tokens > before
            reached[ask.arm] = ask.amount_tokens
            arm = race.course.index[ask.arm]
            race.tell(ask, [score(power(arm, ask.amount_tokens))], ask.amount_tokens - before)
    assert race.standing().spent_tokens <= 9000


def test_a_failed_arm_is_out_with_its_reason() -> None:
    """A failed arm is never asked again, cannot win, and says why in both languages."""
    race = Selector(arms(), RUNGS, 9000, Settings(margin=0.0))
    for _ in range(4):
        (ask,) = race.ask()
        if ask.arm == "arm3":
            race.fail(ask, "diverged twice", 40)
        else:
            race.tell(ask, [score(power(int(ask.arm[-1]), 100))], 100)
    assert "arm3" not in {name for name, _ in run(race, power)}
    failed = race.standing().arms[3]
    assert ("failed", 0.0, 40.0) == (failed.state, failed.p_best, failed.spent_tokens)
    assert "diverged twice" in failed.reason.say("en")
    assert "diverged twice" in failed.reason.say("zh")


def test_when_all_but_one_fail_the_last_is_the_answer() -> None:
    """One arm left ends the race and is the pick; none left is said as such."""
    race = Selector(arms(2), RUNGS, 9000)
    first, second = race.ask(), []
    race.fail(first[0], "out of memory")
    second = race.ask()
    race.tell(second[0], [score(2.0)], 100)
    assert [] == race.ask()
    assert race.reason is not None and race.reason.key == "engine.stop-alone"
    assert "arm1" == race.standing().pick
    race.fail(second[0], "lost")
    assert [] == race.ask()
    assert race.reason.key == "engine.stop-failed"
    assert race.standing().pick is None


def test_noisy_accuracies_of_equal_arms_stay_unsure() -> None:
    """Arms with the same scores on 100 rows are not separated: nobody has 90 %."""
    race = Selector(arms(3), [1000, 2000, 4000], 1e6, Settings(p_best_enough=1, regret_enough=0))
    for _ in range(9):
        for ask in race.ask():
            race.tell(ask, [accuracy(0.5 + 0.1 * ask.rung, 100)], ask.amount_tokens)
    chances = [arm.p_best for arm in race.standing().arms]
    assert all(0.1 < chance < 0.7 for chance in chances)
    assert 1.0 == pytest.approx(sum(chances))


def test_more_rows_make_surer() -> None:
    """The same difference of 6 points is believed more on 2,000 rows than on 50."""
    sure = []
    for rows in (50, 2000):
        race = Selector(arms(2), [1000, 2000], 1e6)
        for arm in range(2):
            for rung in range(2):
                ask = Ask(arm=f"arm{arm}", rung=rung, amount_tokens=1000 << rung, kind="fresh")
                race.tell(ask, [accuracy(0.60 + 0.06 * arm, rows)], 1000)
        sure.append(race.standing().arms[1].p_best)
    assert sure[0] < sure[1] - 0.1
    assert sure[1] > 0.95


def test_the_same_rows_for_all_arms_make_surer() -> None:
    """Errors shared by arms cancel in their difference: by a correlation or told pair by pair."""

    def chance(settings: Settings, paired: bool) -> float:
        race = Selector(arms(2), [1000], 1e6, settings)
        first, second = (
            Ask(arm=f"arm{a}", rung=0, amount_tokens=1000, kind="fresh") for a in (0, 1)
        )
        low, high = accuracy(0.60, 200), accuracy(0.64, 200)
        race.tell(first, [low], 1000)
        shared = 0.8 * low.standard_error * high.standard_error
        pairs = [Paired(arm="arm0", rung=0, covariance=shared)] if paired else []
        race.tell(second, [high], 1000, pairs)
        return race.standing().arms[1].p_best

    apart = chance(Settings(), False)
    assert chance(Settings(row_correlation=0.8), False) > apart + 0.03
    assert chance(Settings(row_correlation=0.8), False) == pytest.approx(chance(Settings(), True))


def test_training_noise_caps_certainty() -> None:
    """A lead of one point at the end is not certain when seeds differ by two points."""

    def chance(seed_sd: float) -> float:
        race = Selector(arms(2), [1000], 1e6, Settings(seed_sd=seed_sd))
        for arm in range(2):
            ask = Ask(arm=f"arm{arm}", rung=0, amount_tokens=1000, kind="fresh")
            race.tell(ask, [accuracy(0.60 + 0.01 * arm, 100_000)], 1000)
        return race.standing().arms[1].p_best

    assert chance(0.0) > 0.99
    assert chance(0.02) < 0.75


def test_likelihood_alone_does_not_end_a_stage() -> None:
    """The last arm of a stage stays in while only likelihood speaks against it; a primary score
    that is just as bad does end it."""

    def fate(channel: str) -> str:
        team = [Arm(name="base", stage="base"), Arm(name="chat", stage="chat")]
        race = Selector(team, [1000, 2000], 1e6)
        for name, value in (("base", 0.5), ("chat", 3.0)):
            for rung in range(2):
                ask = Ask(arm=name, rung=rung, amount_tokens=1000 << rung, kind="fresh")
                race.tell(ask, [score(value * 0.99**rung, channel=channel)], 1000)
        return race.standing().arms[1].state

    assert ("alive", "dropped") == (fate("likelihood"), fate("primary"))


def test_primary_scores_decide_over_likelihood() -> None:
    """Where both channels are told, the primary metric names the pick."""
    race = Selector(arms(2), [1000], 1e6)
    for number, (right, loss) in enumerate(((0.9, 2.0), (0.5, 0.5))):
        ask = Ask(arm=f"arm{number}", rung=0, amount_tokens=1000, kind="fresh")
        race.tell(ask, [accuracy(right, 500), score(loss, channel="likelihood")], 1000)
    assert ("arm0", "primary") == (race.standing().pick, race.standing().channel)


def test_an_arm_that_does_not_train_stands_still() -> None:
    """A prompt is run once, costs nothing, and is predicted to stay where it is."""
    team = [Arm(name="prompt", trains=False), Arm(name="lora")]
    race = Selector(team, [1000, 2000, 4000, 8000], 1e6, Settings(p_best_enough=1, regret_enough=0))
    while asks := race.ask():
        for ask in asks:
            value = 0.6 if ask.arm == "prompt" else 0.5 + 0.1 * ask.rung
            cost = 0 if ask.arm == "prompt" else ask.amount_tokens
            race.tell(ask, [accuracy(value, 1000)], cost)
    prompt, lora = race.standing().arms
    assert ("lora", 0.0) == (race.standing().pick, prompt.spent_tokens)
    assert prompt.final_value == pytest.approx(0.6, abs=0.02)
    assert lora.final_value == pytest.approx(0.8, abs=0.03)


def test_negative_losses_and_exact_ties_are_raced() -> None:
    """Losses below zero and equal scores are no error; the race ends with some arm named."""
    race = Selector(arms(3), [100, 200, 400], 5000, Settings(p_best_enough=1, regret_enough=0))
    run(race, lambda arm, tokens: -1.0 - 0.001 * tokens)
    assert race.standing().pick in {"arm0", "arm1", "arm2"}
    assert race.reason is not None
    better = Selector(arms(3), [100, 200, 400], 5000)
    run(better, lambda arm, tokens: -1.0 - 0.001 * tokens * arm)
    assert "arm2" == better.standing().pick


def test_gaps_are_never_asked() -> None:
    """An arm is only asked for rungs that it has."""
    team = [Arm(name="arm0", rungs=(0, 2, 5)), *arms()[1:]]
    race = Selector(team, RUNGS, 20000, Settings(p_best_enough=1, regret_enough=0))
    assert {rung for name, rung in run(race, power) if name == "arm0"} <= {0, 2, 5}


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: Selector(arms(1), RUNGS, 1e6), "one-arm"),
        (lambda: Selector([*arms(2), *arms(1)], RUNGS, 1e6), "same-name"),
        (lambda: Selector(arms(2), [], 1e6), "no-rungs"),
        (lambda: Selector(arms(2), [200, 100], 1e6), "no-rungs"),
        (lambda: Selector(arms(2), RUNGS, 199), "budget-too-small"),
        (lambda: Selector(arms(2), RUNGS, float("nan")), "budget-too-small"),
        (
            lambda: Selector([Arm(name="a", cost_per_token=0), Arm(name="b")], RUNGS, 1e6),
            "cost-not-positive",
        ),
        (
            lambda: Selector([Arm(name="a", rungs=(9,)), Arm(name="b")], RUNGS, 1e6),
            "no-rung-of-arm",
        ),
    ],
)
def test_a_race_that_cannot_be_run_is_refused(make: Callable[[], Selector], key: str) -> None:
    """Each impossible race is refused with its own message, in both languages."""
    with pytest.raises(BadInput) as caught:
        make()
    assert f"engine.{key}" == caught.value.key
    assert caught.value.message("en") and caught.value.message("zh")


@pytest.mark.parametrize(
    ("change", "scores", "cost", "key"),
    [
        ({}, [], 1.0, "no-score"),
        ({}, [score(float("nan"))], 1.0, "score-not-a-number"),
        ({}, [score(1.0, -0.1)], 1.0, "score-not-a-number"),
        ({}, [score(1.0)], float("inf"), "cost-not-a-number"),
        ({"arm": "nobody"}, [score(1.0)], 1.0, "unknown-arm"),
        ({"rung": 17}, [score(1.0)], 1.0, "unknown-rung"),
        ({"arm": "arm1"}, [score(1.0)], 1.0, "told-twice"),
        ({}, [score(1.0, better="higher")], 1.0, "score-turned"),
    ],
)
def test_a_score_that_cannot_be_used_is_refused(
    change: dict[str, object], scores: list[Score], cost: float, key: str
) -> None:
    """NaN, unknown cells, repeats and turned metrics are refused, and nothing is recorded."""
    race = Selector(arms(2), RUNGS, 1e6)
    first = Ask(arm="arm1", rung=0, amount_tokens=100, kind="fresh")
    race.tell(first, [score(2.0)], 100)
    before = race.standing()
    ask = first.model_copy(update={"arm": "arm0", **change})
    with pytest.raises(BadInput) as caught:
        race.tell(ask, scores, cost)
    assert f"engine.{key}" == caught.value.key
    assert caught.value.message("en") and caught.value.message("zh")
    assert before == race.standing()


def test_a_score_outside_the_chosen_scale_is_refused() -> None:
    """A scale that was asked for is held to: no loss of 0 on the logarithmic one."""
    race = Selector(arms(2), RUNGS, 1e6, Settings(scale="log"))
    with pytest.raises(BadInput) as caught:
        race.tell(race.ask()[0], [score(0.0)], 100)
    assert "engine.score-outside" == caught.value.key


def test_every_reason_can_be_said() -> None:
    """Each reason for an arm's state or for the end has its sentence in both languages."""
    race = Selector(arms(), RUNGS, 9000, Settings(margin=0.0))
    run(race, power)
    reasons = [race.reason, *(arm.reason for arm in race.standing().arms)]
    assert all(reason and reason.say("en") and reason.say("zh") for reason in reasons)
    assert "dropped" in {arm.state for arm in race.standing().arms}


def test_a_decision_over_30_arms_and_10_rungs_takes_well_under_a_second() -> None:
    """The engine's own time (CPU) per decision stays below half a second."""
    race = Selector(arms(30), [100 << k for k in range(10)], 1e6, Settings(p_best_enough=1))
    rng = np.random.default_rng(0)
    for ask in [a for _ in range(60) for a in race.ask()]:
        race.tell(ask, [score(2.0 * 0.9**ask.rung * rng.uniform(0.9, 1.1))], ask.amount_tokens)
    began = time.process_time()
    assert race.ask()
    assert time.process_time() - began < 0.5


def test_the_engine_needs_neither_torch_nor_transformers() -> None:
    """A fresh process that races imports no training library."""
    code = (
        "import sys; from forkpoint.engine import Arm, Selector;"
        "Selector([Arm(name='a'), Arm(name='b')], [1, 2], 9).ask();"
        "print([m for m in ('torch', 'transformers', 'trl', 'peft') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.strip()


def test_first_rungs_that_cost_more_than_planned_leave_no_arm_out() -> None:
    """A bracket that was widened is paid from what comes after, not by an arm that goes unseen."""
    race = Selector(arms(), RUNGS, 4.0 * RUNGS[0])
    seen = []
    while asks := race.ask():
        for ask in asks:
            seen.append(ask.arm)
            race.tell(ask, [score(1.0)], 2.0 * ask.amount_tokens)
    assert ["arm0", "arm1", "arm2", "arm3"] == seen
