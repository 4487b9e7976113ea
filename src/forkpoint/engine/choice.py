"""The decision rule: the plan whose looks are worth most for their price, or the reason to end."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forkpoint.engine.arm import Ask
from forkpoint.engine.course import Course
from forkpoint.engine.curves import Belief
from forkpoint.engine.history import Cell, History, with_believed
from forkpoint.engine.standing import Reason
from forkpoint.engine.value import plan_gains
from forkpoint.engine.view import Known

Floats = NDArray[np.float64]
GAIN_FLOOR = 1e-12  # loss units; a plan worth less than this changes nothing
FUTURES = 128  # sampled outcomes of a plan
PLAN_ARMS = 10  # arms looked at by the longest plan
SHARE = 0.05  # of the budget left, added to every price: a race has tens of steps, not thousands
THRIFT = 0.7  # power of the price in a plan's worth
DOUBTS = (1.0, 3.0, 9.0)  # widenings of the belief, tried in turn when no plan matters


def choose(
    course: Course,
    history: History,
    under_way: Mapping[Cell, Ask],
    know: Callable[[], Known | None],
) -> Cell | Reason | None:
    """The next cell to run, the reason why there is none, or None to wait for results."""
    busy = {*history.scores, *under_way}
    arms = [arm for arm in range(len(course.arms)) if arm not in history.failures]
    if not arms:
        return Reason(key="engine.stop-failed")
    price_AK = course.prices(busy)
    price_AK[list(history.failures)] = np.inf
    left = course.budget_tokens - history.total_spent() - _committed(course, busy, under_way)
    started = {arm for arm, _ in busy}
    for arm in arms:
        first = (arm, course.runs[arm][0])
        if arm not in started and price_AK[first] <= left:
            return first
    if len(arms) == 1:
        return _because("stop-alone", arm=course.arms[arms[0]].name)
    known = know()
    if known is not None and (enough := _enough(course, known)):
        return enough
    if known is None or not (price_AK <= left).any():
        if under_way:
            return None
        if known is not None and not np.isfinite(price_AK).any():
            return _because("stop-complete")
        return _because("stop-budget", spent=history.total_spent(), budget=course.budget_tokens)
    best = _worthiest(course, known, under_way, price_AK, left)
    if best is None and not under_way:
        return _because("stop-settled", arm=course.arms[known.pick].name)
    return best


def _because(key: str, **values: Any) -> Reason:
    return Reason(key=f"engine.{key}", values=values)


def _committed(course: Course, busy: Collection[Cell], under_way: Mapping[Cell, Ask]) -> float:
    """What the trials under way are expected to cost."""
    total = 0.0
    for cell in under_way:
        total += float(course.prices([other for other in busy if other != cell])[cell])
    return total


def _enough(course: Course, known: Known) -> Reason | None:
    """The reason to stop when the answer is as sure, or as good, as was asked for."""
    name = course.arms[known.pick].name
    settings = course.settings
    p_best = float(known.odds.p_best_A[known.pick])
    regret = float(known.odds.regret_A[known.pick])
    if p_best >= settings.p_best_enough:
        return _because("stop-sure", arm=name, p_best=p_best, wanted=settings.p_best_enough)
    if regret <= settings.regret_enough:
        return _because("stop-regret", arm=name, regret=regret, wanted=settings.regret_enough)
    return None


def _worthiest(
    course: Course, known: Known, under_way: Mapping[Cell, Ask], price_AK: Floats, left: float
) -> Cell | None:
    """The first cell of the worthiest plan; None when no plan can change the pick.

    A plan looks at one rung at the 1, 2, ... most promising arms. Its worth is its gain over
    its price, because one look alone often cannot change the pick where a few together can.
    """
    belief = known.belief
    if under_way:
        pending = sorted(course.flat(cell) for cell in under_way)
        seen = with_believed(known.seen, pending, belief.weight_H @ belief.mean_HC)
        belief = course.model(known.scale).belief(seen)
    rng = np.random.default_rng(course.seed)
    half_SM = rng.standard_normal((FUTURES // 2, PLAN_ARMS))
    normal_SM = np.concatenate([half_SM, -half_SM])
    for doubt in DOUBTS:
        best, best_worth = None, 0.0
        for rung in range(len(course.rungs)):
            arm_M, price_M = _promising(course, known, belief, rung, price_AK, left)
            if not len(arm_M):
                continue
            gain_M = plan_gains(
                belief, known.scale, known.open_A, arm_M * len(course.rungs) + rung,
                _typical_error(known), doubt * normal_SM[:, : len(arm_M)],
            )
            worth_M = gain_M / (price_M + SHARE * left + 1.0) ** THRIFT
            if worth_M.max() > best_worth and gain_M.max() > GAIN_FLOOR:
                best, best_worth = (int(arm_M[0]), rung), float(worth_M.max())
        if best is not None:
            return best
    return None


def _promising(
    course: Course, known: Known, belief: Belief, rung: int, price_AK: Floats, left: float
) -> tuple[NDArray[np.intp], Floats]:
    """The arms of the longest affordable plan at a rung, best first, with running prices.

    An arm is promising by its chance of being the best times what the look tells of its end.
    """
    arm_M = np.flatnonzero(price_AK[:, rung] <= left)
    if not len(arm_M):
        return arm_M, np.empty(0)
    arm_M = arm_M[np.argsort(-known.odds.p_best_A[arm_M], kind="stable")][: 2 * PLAN_ARMS]
    cell_M = arm_M * len(course.rungs) + rung
    covariance_MX = belief.covariance(cell_M, np.concatenate([cell_M, belief.final_A[arm_M]]))
    spread_M = np.sqrt(np.maximum(np.diagonal(covariance_MX), 0.0) + _typical_error(known) + 1e-18)
    tells_M = np.abs(np.diagonal(covariance_MX[:, len(arm_M) :])) / spread_M
    order = np.argsort(-known.odds.p_best_A[arm_M] * tells_M, kind="stable")[:PLAN_ARMS]
    price_M = np.cumsum(price_AK[arm_M[order], rung])
    return arm_M[order[price_M <= left]], price_M[price_M <= left]


def _typical_error(known: Known) -> float:
    """Error variance expected of the next score, in curve units squared."""
    return float(np.median(np.diagonal(known.seen.error_NN)))
