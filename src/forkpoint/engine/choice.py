"""The decision rule: the cell whose look is worth most per token, or the reason to end."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from forkpoint.engine.arm import Ask
from forkpoint.engine.course import Course
from forkpoint.engine.history import Cell, History, with_believed
from forkpoint.engine.standing import Reason
from forkpoint.engine.value import knowledge_gain
from forkpoint.engine.view import Known

GAIN_FLOOR = 1e-12  # loss units; a look worth less than this changes nothing
COST_FLOOR = 1e-9  # tokens; keeps the worth of a free look finite


def choose(
    course: Course, history: History, under_way: Mapping[Cell, Ask], known: Known | None
) -> Cell | Reason | None:
    """The next cell to run, the reason why there is none, or None to wait for results."""
    busy = {**dict.fromkeys(history.scores), **dict.fromkeys(under_way)}
    left = course.budget_tokens - history.total_spent()
    left -= sum(course.cost(cell, busy) for cell in under_way)
    arms = [arm for arm in range(len(course.arms)) if arm not in history.failures]
    if not arms:
        return Reason(key="engine.stop-failed")
    started = {arm for arm, _ in busy}
    for arm in arms:
        first = (arm, course.runs[arm][0])
        if arm not in started and course.cost(first, busy) <= left:
            return first
    if len(arms) == 1:
        return Reason(key="engine.stop-alone", values={"arm": course.arms[arms[0]].name})
    if known is not None and (enough := _enough(course, known)):
        return enough
    cells = [cell for arm in arms for cell in _runnable(course, arm, busy)]
    affordable = [cell for cell in cells if course.cost(cell, busy) <= left]
    if not affordable or known is None:
        if under_way:
            return None
        budget: dict[str, str | int | float] = {
            "spent": history.total_spent(), "budget": course.budget_tokens,
        }
        complete = not cells and known is not None
        key = "engine.stop-complete" if complete else "engine.stop-budget"
        return Reason(key=key, values={} if complete else budget)
    gain_M = gains(course, known, affordable, under_way)
    if gain_M.max() <= GAIN_FLOOR:
        values: dict[str, str | int | float] = {"arm": course.arms[known.pick].name}
        return None if under_way else Reason(key="engine.stop-settled", values=values)
    cost_M = np.array([max(course.cost(cell, busy), COST_FLOOR) for cell in affordable])
    return affordable[int(np.argmax(gain_M / cost_M))]


def gains(
    course: Course, known: Known, cells: list[Cell], under_way: Mapping[Cell, Ask]
) -> NDArray[np.float64]:
    """The value of looking at each cell, the trials under way taken to come out as expected."""
    belief = known.belief
    if under_way:
        pending = sorted(course.flat(cell) for cell in under_way)
        seen = with_believed(known.seen, pending, belief.mean_C)
        belief = course.model(known.scale).belief(seen)
    flat_M = np.array([course.flat(cell) for cell in cells], dtype=np.intp)
    error = float(np.median(np.diagonal(known.seen.error_NN)))
    return knowledge_gain(belief, known.scale, known.open_A, flat_M, error)


def _enough(course: Course, known: Known) -> Reason | None:
    """The reason to stop when the answer is as sure, or as good, as was asked for."""
    name = course.arms[known.pick].name
    settings = course.settings
    p_best = float(known.odds.p_best_A[known.pick])
    regret = float(known.odds.regret_A[known.pick])
    if p_best >= settings.p_best_enough:
        values: dict[str, str | int | float] = {"p_best": p_best, "wanted": settings.p_best_enough}
        return Reason(key="engine.stop-sure", values={"arm": name, **values})
    if regret <= settings.regret_enough:
        values = {"regret": regret, "wanted": settings.regret_enough}
        return Reason(key="engine.stop-regret", values={"arm": name, **values})
    return None


def _runnable(course: Course, arm: int, busy: Mapping[Cell, None]) -> list[Cell]:
    """The cells of an arm not yet run; a continued run only goes forward."""
    if not course.arms[arm].trains:
        return []
    done = [rung for number, rung in busy if number == arm]
    floor = max(done, default=-1) if course.settings.kind == "continued" else -1
    return [(arm, rung) for rung in course.runs[arm] if rung not in done and rung > floor]
