"""The methods that forkpoint is judged against; each looks through a purse and predicts finals."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from tables import Floats, Purse

TAIL = 3  # points of a straight line in the racing rules, as in AtS
Outcome = tuple[int | None, Floats | None]  # the pick, and predicted final losses where it has them


def _line(log_rows: Floats, log_loss: Floats, at: float) -> float:
    if len(log_rows) == 1:
        return float(log_loss[0])
    slope, level = np.polyfit(log_rows, log_loss, 1)
    return float(level + slope * at)


def _curve(purse: Purse, arm: int) -> tuple[Floats, Floats]:
    """Log rows and log loss of the cells that an arm was looked at."""
    rungs = sorted(k for a, k in purse.looked if a == arm)
    rows_K = purse.table.rows_K[rungs].astype(float)
    loss_K = np.maximum(purse.table.loss_AK[arm, rungs], 1e-9)
    return np.log(rows_K), np.log(loss_K)


def _look_below_limit(purse: Purse) -> None:
    for arm in range(len(purse.table.arms)):
        for rung in purse.low_K:
            if np.isfinite(purse.table.loss_AK[arm, rung]):
                purse.look(arm, int(rung))


def _pick(predicted_A: Floats) -> int | None:
    return None if np.isnan(predicted_A).all() else int(np.nanargmin(predicted_A))


def accept_then_stop(purse: Purse, points: int = 3, delta: float = 5.0) -> Outcome:
    """AtS: a line through the largest points, taken down until a point lies off by delta SDs.

    As published, the smallest point of a curve is tested but never taken in.
    """
    _look_below_limit(purse)
    at = float(np.log(purse.table.rows_K[-1]))
    predicted = []
    for arm in range(len(purse.table.arms)):
        x, y = _curve(purse, arm)
        taken = len(x)
        if len(x) > points:
            for taken in range(points, len(x)):
                slope, level = np.polyfit(x[-taken:], y[-taken:], 1)
                spread = float((y[-taken:] - level - slope * x[-taken:]).std())
                if abs(y[-taken - 1] - level - slope * x[-taken - 1]) > delta * spread:
                    break
        if len(x):
            predicted.append(np.exp(_line(x[-taken:], y[-taken:], at)))
        else:
            predicted.append(np.nan)
    predicted_A = np.array(predicted)
    return _pick(predicted_A), predicted_A


def sub_tuning(purse: Purse) -> Outcome:
    """The loss at the highest rung within the ratio."""
    if not len(purse.low_K):
        return None, None
    loss_A = np.full(len(purse.table.arms), np.nan)
    for arm in range(len(loss_A)):
        there = [k for k in purse.low_K if np.isfinite(purse.table.loss_AK[arm, k])]
        if there and purse.affords(arm, int(there[-1])):
            loss_A[arm] = purse.look(arm, int(there[-1]))
    return _pick(loss_A), loss_A


def zero_shot(purse: Purse) -> Outcome:
    """The loss before any training."""
    return _pick(purse.table.zero_A), purse.table.zero_A


def model_size(purse: Purse) -> Outcome:
    """The largest checkpoint; its PearCorr is that of log parameters, sign as published."""
    size_A = np.log(purse.table.size_A)
    return (None if np.isnan(size_A).all() else int(np.nanargmax(size_A))), size_A


def racing(purse: Purse, keep: float, by_line: bool) -> Outcome:
    """Plain racing: all arms on low rungs, then each rung keeps a share, by extrapolated loss
    or by the loss itself. The rung at which dropping begins is the highest whose whole ladder
    fits the purse."""
    arms, rungs = len(purse.table.arms), len(purse.table.rows_K)
    start = 0
    for first in range(rungs - 1, -1, -1):
        if _ladder_cost(purse, first, keep) <= purse.allowed:
            start = first
            break
    alive = list(range(arms))
    for rung in range(rungs):
        if rung > start:
            alive = _best(purse, alive, max(1, int(np.ceil(len(alive) * keep - 1e-9))), by_line)
        for arm in alive:
            if purse.affords(arm, rung):
                purse.look(arm, rung)
    final = [a for a in alive if any(k[0] == a for k in purse.looked)]
    return (_best(purse, final, 1, by_line)[0] if final else None), None


def _ladder_cost(purse: Purse, start: int, keep: float) -> float:
    """Rows of a whole ladder, at the mean price of an arm."""
    count, total = float(len(purse.table.arms)), 0.0
    before = 0.0
    for rung, rows in enumerate(purse.table.rows_K):
        if rung > start:
            count = max(1.0, np.ceil(count * keep - 1e-9))
        step = float(rows) - before if purse.accounting == "last" else float(rows)
        before = float(rows)
        total += count * step * float(np.mean(purse.price_A))
    return total


def _best(purse: Purse, arms: list[int], count: int, by_line: bool) -> list[int]:
    at = float(np.log(purse.table.rows_K[-1]))
    worth = {}
    for arm in arms:
        x, y = _curve(purse, arm)
        if not len(x):
            worth[arm] = np.inf
        elif by_line:
            worth[arm] = _line(x[-TAIL:], y[-TAIL:], at)
        else:
            worth[arm] = float(y[-1])
    return sorted(arms, key=lambda arm: (worth[arm], arm))[:count]


def asha(purse: Purse, eta: int = 2) -> Outcome:
    """Asynchronous successive halving by loss, rungs a factor eta apart, one worker.

    The lowest rung is the highest whose whole ladder fits the purse.
    """
    rows_K, arms = purse.table.rows_K, len(purse.table.arms)
    step = max(1, round(np.log(eta) / np.log(rows_K[-1] / rows_K[-2])))
    start = 0
    for first in range(len(rows_K) - 1, -1, -1):
        if _ladder_cost(purse, first, 1 / eta) <= purse.allowed:
            start = first
            break
    ladder = list(range(start, len(rows_K), step))
    waiting = list(range(arms))
    done: dict[int, dict[int, float]] = {rung: {} for rung in ladder}
    while True:
        job = None
        for below, above in reversed(list(pairwise(ladder))):
            best = sorted(done[below], key=lambda arm, rung=below: done[rung][arm])
            ready = [arm for arm in best[: len(best) // eta] if arm not in done[above]]
            if ready:
                job = (ready[0], above)
                break
        if job is None and waiting:
            job = (waiting.pop(0), ladder[0])
        if job is None or not purse.affords(*job):
            if job is not None and job[1] == ladder[0] and waiting:
                continue
            break
        done[job[1]][job[0]] = purse.look(*job)
    reached = [rung for rung in ladder if done[rung]]
    if not reached:
        return None, None
    top = done[reached[-1]]
    return min(top, key=lambda arm: top[arm]), None


PLAIN_RACING: dict[str, Callable[[Purse], Outcome]] = {
    "RacingThird": lambda purse: racing(purse, 2 / 3, by_line=True),
    "RacingHalf": lambda purse: racing(purse, 1 / 2, by_line=True),
    "HalvingByLoss": lambda purse: racing(purse, 1 / 2, by_line=False),
}
RIVALS: dict[str, Callable[[Purse], Outcome]] = {
    "AtS": accept_then_stop,
    "SubTuning": sub_tuning,
    "ZeroShot": zero_shot,
    "ModelSize": model_size,
    "ASHA": asha,
    **PLAIN_RACING,
}
