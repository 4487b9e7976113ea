"""A race of the bank run to its end as a live one is: brackets, a reserve, leaders repeated.

The bank has one rate an arm. In the live races of docs/studies/pocket-races.md the centre of the
bracket was chosen nearly always, so both sides pay for the whole bracket and keep the centre: the
race three runs an arm at its first rung, brute force three at full length [method.md].
"""

from typing import NamedTuple

import numpy as np
from bank_curves import Draw, Floats, Kind, Said, engine_race, tell

from forkpoint.engine import Prior, Selector
from forkpoint.plan.forecast import LEADERS, RESERVE_SHARE
from forkpoint.race.finalists import CLOSE_SEED_SDS, wanted_at_full_length

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
    """Racing in the budget less its reserve, then whoever may be best to full length, then seeds.

    The rules are those of race/finalists.py; the pick is the better leader by mean validation.
    """
    opening = sum(race.cost(arm, 0, kind, None) for arm in range(len(race.arm_A)))
    most = min(LEADERS * REPEATS * race.full_tokens, RESERVE_SHARE * budget)
    reserve = min(most, max(0.0, budget - opening))
    raced = engine_race(race, budget - reserve, prior, kind, number, seed_sd=seed_sd)
    selector, highest = raced.selector, dict(raced.highest)
    spent = selector.standing().spent_tokens
    last = race.curves.right[kind].shape[2] - 1
    while True:
        told = len(highest), spent
        for name in _wanted(selector):
            arm = race.names.index(name)
            price = race.cost(arm, last, kind, highest.get(arm))
            if highest.get(arm, -1) < last:
                if spent + price > budget:
                    break
                cell = selector.course.ask((arm, last))
                spent += tell(selector, race, cell, highest.get(arm))
                highest[arm] = last
        if told == (len(highest), spent):
            break
    chances = np.array([one.p_best for one in selector.standing().arms])
    current_A = np.full(len(race.arm_A), np.nan)
    for arm, rung in highest.items():
        current_A[arm] = race.score(arm, rung, kind)
    heard = [*raced.heard, Said(chances, current_A, spent)]
    ended = [arm for arm, rung in highest.items() if rung == last]
    first_A = {arm: race.score(arm, last, kind) for arm in ended}
    leaders = sorted(ended, key=lambda arm: -first_A[arm])[:LEADERS]
    if len(leaders) < LEADERS:
        pick = selector.standing().pick
        return Ended(race.names.index(pick) if pick else 0, spent, heard)
    value_A = {arm: [first_A[arm]] for arm in leaders}
    if abs(first_A[leaders[0]] - first_A[leaders[1]]) < CLOSE_SEED_SDS * seed_sd:
        for extra in range(REPEATS):
            for arm in leaders:
                price = race.cost(arm, last, kind, None)
                again = _again(race, arm, last, kind, extra, number)
                if again is not None and spent + price <= budget:
                    spent += price
                    value_A[arm].append(again)
    pick_arm = max(leaders, key=lambda arm: (float(np.mean(value_A[arm])), -leaders.index(arm)))
    return Ended(pick_arm, spent, heard)


def _wanted(selector: Selector) -> list[str]:
    """Arms that go to full length by what the engine knows."""
    arms = [one for one in selector.standing().arms if one.final_loss is not None]
    order = sorted(arms, key=lambda one: (one.final_loss or 0.0, one.arm))
    return wanted_at_full_length(order, {one.arm: one.arm.split(".")[0] for one in order})


def _again(race: Draw, arm: int, rung: int, kind: Kind, extra: int, number: int) -> float | None:
    """The score of one of the arm's other seeds; None where the bank has no further one."""
    seeds = race.curves.test_AS.shape[1]
    others = [seed for seed in range(seeds) if seed != race.seed_A[arm]]
    drawn: Floats = np.random.default_rng([number, arm]).permutation(others)
    if extra >= len(others):
        return None
    right = race.curves.right[kind][race.arm_A[arm], int(drawn[extra]), rung]
    return float(right[race.row_N].mean())
