"""What the end of a race wants next, by what is known: docs/race.md, 5."""

from forkpoint.engine import Reason
from forkpoint.engine.standing import ArmStanding
from forkpoint.race.finishing import Known, Wish, wishes

SEEDS = 3


def standing(arm: str, loss: float, p_best: float, within: float | None = None) -> ArmStanding:
    return ArmStanding(
        arm=arm,
        state="alive",
        reason=Reason(key="engine.alive"),
        final_value=1 - loss,
        final_loss=loss,
        final_sd=0.1,
        p_best=p_best,
        p_within_margin=p_best if within is None else within,
        expected_regret=0.0,
        highest_rung=0,
        spent_tokens=1.0,
    )


ORDER = [
    standing("chat.full", 0.1, 0.4),
    standing("chat.lora", 0.2, 0.2),
    standing("base.full", 0.3, 0.2),
    standing("instruct.full", 0.4, 0.1),
    standing("base.lora", 0.5, 0.08),
    standing("instruct.lora", 0.9, 0.02),
]


def wanted(scores: dict[str, list[float]], close: float = 0.04, **changes: object) -> list[Wish]:
    """The first batch that is not empty."""
    known = Known(
        order=ORDER,
        traits={one.arm: (one.arm.split(".")[0], one.arm.split(".")[1]) for one in ORDER},
        scores=scores,
        tried={arm: len(values) for arm, values in scores.items()},
        close=close,
    )._replace(**changes)
    return next((batch for batch in wishes(known, SEEDS) if batch), [])


def test_every_stage_and_approach_is_looked_at_first() -> None:
    """Next is who brings most that was not seen, the best predicted among these."""
    assert [("chat.full", 0), ("base.lora", 0), ("instruct.full", 0)] == wanted({})
    assert [("base.full", 0), ("instruct.full", 0)] == wanted({"chat.lora": [0.9]})
    full = [one for one in ORDER if one.arm.endswith("full")]
    assert [(one.arm, 0) for one in full] == wanted({}, order=full)


def test_what_a_claim_rests_on_comes_along() -> None:
    """A subset is believed only against the random subset of its size."""
    batch = wanted({}, rests_on=["chat.random"])
    assert ("chat.random", 0) in batch


def test_whoever_may_be_best_is_seen_before_seeds_are_repeated() -> None:
    """However close the leaders are: what was never at full length is the greater doubt."""
    near = {"chat.full": [0.9], "base.full": [0.88], "instruct.lora": [0.5]}
    assert [("chat.lora", 0), ("instruct.full", 0), ("base.lora", 0)] == wanted(near)


def test_an_arm_that_cannot_be_best_is_not_looked_at() -> None:
    """Its stage and approach were seen through others: the leaders' seeds come first."""
    near = {"chat.full": [0.9], "base.lora": [0.3], "instruct.full": [0.88]}
    hopeless = [
        *ORDER[:1], *(one.model_copy(update={"p_within_margin": 0.01}) for one in ORDER[1:])
    ]  # fmt: skip
    batches = wanted(near, order=[hopeless[0], hopeless[3], *hopeless[1:3], *hopeless[4:]])
    assert [("chat.full", 1), ("instruct.full", 1)] == batches


def test_the_leader_with_fewer_seeds_is_repeated() -> None:
    """A lucky first run does not stand against the mean of several."""
    scores = {one.arm: [0.1] for one in ORDER} | {"chat.full": [0.9, 0.86], "base.full": [0.88]}
    assert [("base.full", 1)] == wanted(scores)


def test_last_seeds_come_last_and_then_nothing() -> None:
    """Every plausible arm was seen: the leaders go to the wanted number of seeds."""
    scores = {one.arm: [0.1] for one in ORDER[2:5]} | {
        "chat.full": [0.9, 0.9],
        "chat.lora": [0.9, 0.88],
    }
    assert [("chat.full", 2), ("chat.lora", 2)] == wanted(scores)
    done = {**scores, "chat.full": [0.9] * 3, "chat.lora": [0.9] * 3}
    assert wanted(done) == []


def test_a_trial_that_failed_is_not_wanted_again() -> None:
    """It counts as tried; its stage is still looked at through another arm."""
    known = wanted({}, tried={"chat.full": 1}, order=ORDER[1:])
    assert ("chat.full", 0) not in known
    assert ("chat.lora", 0) in known
