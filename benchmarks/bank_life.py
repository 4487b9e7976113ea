"""A race of the bank run to its end as a live one is: brackets, a reserve, leaders repeated.

The bank has one rate an arm. In the live races of docs/studies/pocket-races.md the centre of the
bracket was chosen nearly always, so both sides pay for the whole bracket and keep the centre: the
race three runs an arm at its first rung, brute force three at full length [method.md].
"""

from typing import NamedTuple

import numpy as np
from bank_curves import Draw, Floats, Kind, Said, engine_race

from forkpoint.engine import Prior
from forkpoint.plan.forecast import LEADERS, RESERVE_SHARE
from forkpoint.race.finalists import CLOSE_SEED_SDS

RATES = 3  # of a bracket
REPEATS = 2  # further seeds of each leader, the default of a race


class Ended(NamedTuple):
    """A race at its end."""

    pick: int
    spent: float
    heard: list[Said]


def brute_tokens(race: Draw) -> float:
    """Every arm at every rate to full length, the leaders repeated."""
    return race.full_tokens * (race.rates * len(race.arm_A) + LEADERS * REPEATS)


def run_race(
    race: Draw, budget: float, prior: Prior | None, kind: Kind, number: int, seed_sd: float
) -> Ended:
    """Racing in the budget less its reserve, then the leaders to full length and further seeds."""
    full = race.full_tokens
    opening = sum(race.cost(arm, 0, kind, None) for arm in range(len(race.arm_A)))
    left = max(0.0, budget - opening)
    reserve = min(LEADERS * REPEATS * full, RESERVE_SHARE * budget, left)
    raced = engine_race(race, budget - reserve, prior, kind, number, seed_sd=seed_sd)
    last = race.curves.right[kind].shape[2] - 1
    spent, rung = raced.spent, dict(raced.highest)
    contenders = [arm for arm in raced.plausible if arm not in raced.order[:LEADERS]]
    for arm in [*raced.order[:LEADERS], *contenders]:
        price = race.cost(arm, last, kind, rung.get(arm))
        if rung.get(arm, -1) < last and spent + price <= budget:
            spent += price
            rung[arm] = last
    value_A = {arm: [race.score(arm, last, kind)] for arm, at in rung.items() if at == last}
    leaders = sorted(value_A, key=lambda arm: -value_A[arm][0])[:LEADERS]
    if len(leaders) < LEADERS:
        return Ended(raced.order[0], spent, raced.heard)
    first, second = (value_A[arm][0] for arm in leaders)
    if abs(first - second) < CLOSE_SEED_SDS * seed_sd:
        for extra in range(REPEATS):
            for arm in leaders:
                price = race.cost(arm, last, kind, None)
                again = _again(race, arm, last, kind, extra, number)
                if again is not None and spent + price <= budget:
                    spent += price
                    value_A[arm].append(again)
    pick = max(leaders, key=lambda arm: (float(np.mean(value_A[arm])), -leaders.index(arm)))
    return Ended(pick, spent, raced.heard)


def _again(race: Draw, arm: int, rung: int, kind: Kind, extra: int, number: int) -> float | None:
    """The score of one of the arm's other seeds; None where the bank has no further one."""
    seeds = race.curves.test_AS.shape[1]
    others = [seed for seed in range(seeds) if seed != race.seed_A[arm]]
    drawn: Floats = np.random.default_rng([number, arm]).permutation(others)
    if extra >= len(others):
        return None
    right = race.curves.right[kind][race.arm_A[arm], int(drawn[extra]), rung]
    return float(right[race.row_N].mean())
