"""The decision rule: the plan whose looks are worth most for their price, or the reason to end."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from forkpoint.engine.arm import Ask
from forkpoint.engine.course import Course
from forkpoint.engine.crowd import CROWD
from forkpoint.engine.history import Cell, History
from forkpoint.engine.kernel import Floats, Ints
from forkpoint.engine.standing import Reason
from forkpoint.engine.value import Lookout, normals
from forkpoint.engine.view import Known

GAIN_FLOOR = 1e-12  # loss units; a plan worth less than this changes nothing
FUTURES = 128  # sampled outcomes of a plan
PLAN_ARMS = 12  # arms looked at by the longest plan
SLICES = 8.0  # of the budget left: looks smaller than a slice shared by all who compete are skipped
RESERVE = 0.5  # share of the budget kept for large looks, as halving gives each rung its share
LARGE = 0.125  # share of the budget that makes a look large
SHARE = 0.03  # of the budget left, added to every price: a race has tens of steps [docs/LOG.md]
CONTENDERS = 128  # of a crowd, among whom a plan may move the pick [docs/studies/scale.md]
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
    left = course.budget_tokens - history.total_spent() - _committed(course, busy, under_way)
    started = {arm for arm, _ in busy}
    for arm in arms:
        if arm not in started:
            return arm, course.runs[arm][0]  # paid for by the budget that the race was given
    if len(arms) == 1:
        return _because("stop-alone", arm=course.arms[arms[0]].name)
    price_AK = course.prices(busy)
    price_AK[list(history.failures)] = np.inf
    known = know()
    enough = None if known is None else _enough(course, known)
    if known is not None and enough is not None:
        last = (known.pick, course.runs[known.pick][-1])
        if last in history.scores or not course.arms[known.pick].trains:
            return enough
    if known is None or not (price_AK <= left).any():
        if under_way:
            return None
        if enough is not None:
            return enough
        if known is not None and not np.isfinite(price_AK).any():
            return _because("stop-complete")
        return _because("stop-budget", spent=history.total_spent(), budget=course.budget_tokens)
    best = _worthiest(course, known, under_way, price_AK, left)
    if best is None and not under_way:
        return enough or _because("stop-settled", arm=course.arms[known.pick].name)
    return best


def _because(key: str, **values: Any) -> Reason:
    return Reason(key=f"engine.{key}", values=values)


def _committed(course: Course, busy: Collection[Cell], under_way: Mapping[Cell, Ask]) -> float:
    """What the trials under way are expected to cost."""
    if not under_way:
        return 0.0
    rungs: dict[int, list[int]] = {}
    for arm, rung in busy:
        rungs.setdefault(arm, []).append(rung)
    total = 0.0
    for arm, rung in under_way:
        before = max((other for other in rungs[arm] if other != rung), default=-1)
        total += course.price((arm, rung), before)
    return total


def _enough(course: Course, known: Known) -> Reason | None:
    """The reason to stop when the answer is as sure, or as good, as was asked for.

    A race ends for it once its pick was seen at full length, to which a winner is trained in any
    case: curves that are drawn on meet at the ceiling, and a first score may be a lucky guess
    [docs/studies/bank.md].
    """
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
        pending = np.array(sorted(course.flat(cell) for cell in under_way), dtype=np.intp)
        believed_C = belief.weight_H @ belief.mean_HC
        seen = known.seen.with_believed(pending, believed_C[pending])
        belief = course.model(known.scale).belief(seen)
    price_AK = _large_enough(course, known, price_AK, left)
    look = Lookout.of(belief, known.scale, _contenders(known), _typical_error(known))
    normal_SM = normals(course.seed, FUTURES, PLAN_ARMS)
    plans = [
        plan
        for rung in range(len(course.rungs))
        if len((plan := _promising(course, known, look, rung, price_AK, left))[0])
    ]
    pulls = [look.pull(cell_M) for _, cell_M, _ in plans]
    for doubt in DOUBTS:
        best, best_worth = None, 0.0
        for (arm_M, cell_M, price_M), pull_AM in zip(plans, pulls, strict=True):
            gain_M = look.gains(pull_AM, doubt * normal_SM[:, : len(cell_M)])
            worth_M = gain_M / (price_M + SHARE * left + 1.0)
            if worth_M.max() > best_worth and gain_M.max() > GAIN_FLOOR:
                best_worth = float(worth_M.max())
                best = int(arm_M[0]), int(cell_M[0]) % len(course.rungs)
        if best is not None:
            return best
    return None


def _large_enough(course: Course, known: Known, price_AK: Floats, left: float) -> Floats:
    """The prices without those looks that are small for the budget left.

    Gain for price favours many small looks whose lessons overlap, and leaves too little for the
    looks that settle the race. So the last part of the budget is kept for large looks; before,
    a look should cost what a slice of the rest gives to each arm that still competes (the
    perplexity of P(best)). Where nothing that large can be paid for, the dearest looks stay.
    """
    whole = course.budget_tokens - course.opening_cost()
    chance_A = known.odds.lead_A[known.odds.lead_A > 0]
    competing = float(np.exp(-(chance_A * np.log(chance_A)).sum()))
    floor = LARGE * whole if left <= RESERVE * whole else left / (SLICES * competing)
    floor = min(floor, float(price_AK[price_AK <= left].max()))
    large_AK: Floats = np.where(price_AK >= floor, price_AK, np.inf)
    return large_AK


def _promising(
    course: Course, known: Known, look: Lookout, rung: int, price_AK: Floats, left: float
) -> tuple[Ints, Ints, Floats]:
    """The longest affordable plan at a rung: arms, best first, their cells, running prices.

    An arm is promising by its chance of being the best times what the look tells of its end.
    """
    arm_M = np.flatnonzero(price_AK[:, rung] <= left)
    cell_M = arm_M * len(course.rungs) + rung
    promise_M = known.odds.lead_A[arm_M] * look.tells(arm_M, cell_M)
    order = np.argsort(-promise_M, kind="stable")[:PLAN_ARMS]
    price_M = np.cumsum(price_AK[arm_M[order], rung])
    order, price_M = order[price_M <= left], price_M[price_M <= left]
    return arm_M[order], cell_M[order], price_M


def _typical_error(known: Known) -> float:
    """Error variance expected of the next score, in curve units squared."""
    return float(np.median(known.seen.errors.variance()))


def _contenders(known: Known) -> Ints:
    """The open arms among which looks may move the pick: all, or in a crowd the pick and the
    likeliest."""
    open_F = np.flatnonzero(known.open_A)
    if len(known.open_A) <= CROWD:
        return open_F
    lead_F = known.odds.lead_A[open_F] + (open_F == known.pick)
    return open_F[np.sort(np.argsort(-lead_F, kind="stable")[:CONTENDERS])]
