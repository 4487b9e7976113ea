"""From what was told to what is believed: the posterior, the odds, the standing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forkpoint.engine.arm import Channel
from forkpoint.engine.belief import Belief
from forkpoint.engine.course import Course
from forkpoint.engine.history import History, evidence
from forkpoint.engine.scale import Scale, scale_of
from forkpoint.engine.seen import Seen
from forkpoint.engine.standing import ArmStanding, Reason, Standing
from forkpoint.engine.value import Odds, odds


@dataclass(frozen=True)
class Known:
    """The belief after the last tell; `pick` is the open arm of least expected loss."""

    channel: Channel
    scale: Scale
    seen: Seen
    belief: Belief
    odds: Odds
    open_A: NDArray[np.bool_]
    pick: int


def know(course: Course, history: History) -> Known | None:
    """What is believed now; None while nothing was told or when every arm has failed."""
    channel = history.channel()
    open_A = np.array([arm not in history.failures for arm in range(len(course.arms))])
    if channel is None or not open_A.any():
        return None
    cells = history.of_channel(channel)
    wanted = course.settings.scale if channel == "primary" else "auto"
    scale = scale_of(list(cells.values()), wanted)
    shape = len(course.arms), len(course.rungs)
    seen = evidence(history, cells, scale, course.settings, shape)
    belief = course.model(scale).belief(seen)
    chances = odds(belief, scale, open_A, course.settings.margin, course.seed)
    pick = int(np.argmin(np.where(open_A, chances.loss_A, np.inf)))
    return Known(channel, scale, seen, belief, chances, open_A, pick)


def standing(
    course: Course, history: History, known: Known | None, reason: Reason | None
) -> Standing:
    """The race as a record that can be saved and told to a person."""
    rungs, spared = history.highest_rungs(), _not_read(course, history, known)
    arms = tuple(
        _arm(course, history, known, number, rungs.get(number), number in spared)
        for number in range(len(course.arms))
    )
    lead = None if known is None else arms[known.pick]
    others = [arm for arm in arms if arm is not lead and arm.p_best > 0]
    second = max(others, key=lambda arm: arm.p_best, default=None) if lead else None
    return Standing(
        arms=arms,
        pick=lead.arm if lead else None,
        runner_up=second.arm if second else None,
        p_best=lead.p_best if lead else 0.0,
        p_runner_up_best=second.p_best if second else 0.0,
        expected_regret=lead.expected_regret if lead else None,
        spent_tokens=history.total_spent(),
        budget_tokens=course.budget_tokens,
        channel=history.channel(),
        reason=reason,
    )


def _arm(
    course: Course,
    history: History,
    known: Known | None,
    number: int,
    rung: int | None,
    spared: bool,
) -> ArmStanding:
    arm = course.arms[number]
    failure = history.failures.get(number)
    spent = history.spent_tokens.get(number, 0.0)
    if failure is not None or known is None:
        fresh = 1 / max(1, len(course.arms) - len(history.failures))
        reason = Reason(key="engine.alive-unseen")
        if failure is not None:
            reason = Reason(key="engine.failed", values={"rung": failure[0], "why": failure[1]})
        return ArmStanding(
            arm=arm.name,
            state="alive" if failure is None else "failed",
            reason=reason,
            final_value=None,
            final_loss=None,
            final_sd=None,
            p_best=0.0 if failure else fresh,
            p_within_margin=0.0 if failure else fresh,
            expected_regret=None,
            highest_rung=rung,
            spent_tokens=spent,
        )
    chances, loss = known.odds, float(known.odds.loss_A[number])
    dropped, reason = _fate(course, known, number, rung, spared)
    return ArmStanding(
        arm=arm.name,
        state="dropped" if dropped else "alive",
        reason=reason,
        final_value=known.scale.value(loss),
        final_loss=loss,
        final_sd=float(chances.sd_A[number]),
        p_best=float(chances.p_best_A[number]),
        p_within_margin=float(chances.p_within_A[number]),
        expected_regret=float(chances.regret_A[number]),
        highest_rung=rung,
        spent_tokens=spent,
    )


def _fate(
    course: Course, known: Known, number: int, rung: int | None, spared: bool
) -> tuple[bool, Reason]:
    """Whether an open arm counts as dropped, and why."""
    chances, scale = known.odds, known.scale
    p_best = float(chances.p_best_A[number])
    value = scale.value(float(chances.loss_A[number]))
    if rung is None:
        return False, Reason(key="engine.alive-unseen")
    if number == known.pick:
        return False, Reason(key="engine.leads", values={"p_best": p_best, "value": value})
    if p_best >= course.settings.drop_below:
        return False, Reason(key="engine.alive", values={"p_best": p_best, "value": value})
    stage = course.arms[number].stage
    if spared:
        return False, Reason(key="engine.alive-not-read", values={"stage": str(stage)})
    leader_value = scale.value(float(chances.loss_A[known.pick]))
    values: dict[str, str | int | float] = {
        "rung": rung,
        "p_best": p_best,
        "value": value,
        "leader": course.arms[known.pick].name,
        "leader_value": leader_value,
    }
    return True, Reason(key="engine.dropped", values=values)


def _not_read(course: Course, history: History, known: Known | None) -> set[int]:
    """The likeliest arm of each stage against which only likelihood speaks."""
    if known is None:
        return set()
    read = {course.arms[arm].stage for arm, _ in history.of_channel("primary") if known.open_A[arm]}
    best: dict[str, int] = {}
    for number, arm in enumerate(course.arms):
        if arm.stage is None or arm.stage in read or not known.open_A[number]:
            continue
        first = best.setdefault(arm.stage, number)
        if known.odds.p_best_A[number] > known.odds.p_best_A[first]:
            best[arm.stage] = number
    return set(best.values())
