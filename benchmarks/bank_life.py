"""A race of the bank run to its end as a live one is: brackets, a reserve, leaders repeated.

The bank has one rate an arm. In the live races of docs/studies/pocket-races.md the centre of the
bracket was chosen nearly always, so both sides pay for the whole bracket and keep the centre: the
race three runs an arm at its first rung, brute force three at full length [method.md].
"""

from typing import NamedTuple

import numpy as np
from bank_curves import Draw, Kind, Said, engine_race, tell
from numpy.typing import NDArray

from forkpoint.engine import Prior, Selector
from forkpoint.engine.standing import ArmStanding
from forkpoint.plan.forecast import LEADERS, RESERVE_SHARE, reserve_of
from forkpoint.race.finalists import with_prediction
from forkpoint.race.finishing import CLOSE_SEED_SDS, Known, leaders, wishes

Ints = NDArray[np.intp]
RATES = 3  # of a bracket
SEEDS = 3  # of each leader, the default of a race


class Ended(NamedTuple):
    """A race at its end."""

    pick: int
    spent: float
    heard: list[Said]
    arms: list[ArmStanding]  # what the engine believes
    stands: dict[str, float]  # arms at full length -> their standing on validation
    seeds: dict[str, list[int]]  # arms at full length -> the seeds that ran, in that order


def brute_tokens(race: Draw) -> float:
    """Every arm at every rate to full length, the leaders repeated."""
    return race.full_tokens * (race.rates * len(race.arm_A) + LEADERS * (SEEDS - 1))


def run_race(
    race: Draw, budget: float, prior: Prior | None, kind: Kind, number: int, seed_sd: float
) -> Ended:
    """Racing in the budget less its reserve, then whoever may be best to full length, then seeds.

    The rules are those of race/finishing.py, and the pick is made as race/finalists.py does.
    """
    arms = range(len(race.arm_A))
    kinds: tuple[Kind, ...] = (kind, "fresh")  # the engine's rungs are those of fresh runs
    opening = max(sum(race.cost(arm, 0, one, None) for arm in arms) for one in kinds)
    opening += RATES * len(arms)  # a token each: the engine's rungs are whole tokens
    reserve = reserve_of(budget - opening, RESERVE_SHARE * budget, race.full_tokens, SEEDS)
    raced = engine_race(race, max(opening, budget - reserve), prior, kind, number, seed_sd=seed_sd)
    ending = Ending(race, raced.selector, dict(raced.highest), kind, number)
    while ending.step(budget, CLOSE_SEED_SDS * seed_sd):
        pass
    heard = [*raced.heard, *ending.heard]
    stands = {
        one.arm: with_prediction(ending.scores[one.arm], one.final_value)
        for one in raced.selector.standing().arms
        if one.arm in ending.scores
    }
    compared = len(stands) >= LEADERS
    standing = raced.selector.standing()
    named = max(stands, key=lambda arm: stands[arm]) if compared else standing.pick
    seeds = {name: ending.seeds(name) for name in stands}
    pick = race.names.index(named) if named else 0
    return Ended(pick, ending.spent, heard, list(standing.arms), stands, seeds)


def _traits(name: str) -> tuple[str, str]:
    stage, approach = name.split(".")
    return stage, approach


def brute_force(race: Draw, kind: Kind, number: int) -> int:
    """The arm that brute force names: all at full length, the two leaders with every seed."""
    last = race.curves.right[kind].shape[2] - 1
    scores = {name: [race.score(arm, last, kind)] for arm, name in enumerate(race.names)}
    further = further_seeds(race, number)
    for name in leaders(scores):
        arm = race.names.index(name)
        seeds = further[arm, : SEEDS - 1]
        scores[name] += [score_again(race, arm, int(seed), kind) for seed in seeds]
    first = leaders({name: values for name, values in scores.items() if len(values) > 1})
    return race.names.index(first[0])


def further_seeds(race: Draw, number: int) -> Ints:
    """Each arm's other seeds in an order of the race's own."""
    seeds = range(race.curves.test_AS.shape[1])
    return np.array(
        [
            np.random.default_rng([number, arm]).permutation([one for one in seeds if one != own])
            for arm, own in enumerate(race.seed_A)
        ]
    )


def score_again(race: Draw, arm: int, seed: int, kind: Kind) -> float:
    """The score of one of an arm's other seeds at full length."""
    right = race.curves.right[kind][race.arm_A[arm], seed, -1]
    return float(right[race.row_N].mean())


class Ending:
    """What is left of a race when its racing has ended."""

    def __init__(
        self, race: Draw, selector: Selector, highest: dict[int, int], kind: Kind, number: int
    ) -> None:
        self.race, self.selector, self.highest = race, selector, highest
        self.kind, self.number = kind, number
        self.spent = selector.standing().spent_tokens
        self.last = race.curves.right[kind].shape[2] - 1
        self.scores = {
            race.names[arm]: [race.score(arm, self.last, kind)]
            for arm, rung in highest.items()
            if rung == self.last
        }
        self.further = further_seeds(race, number)
        self.heard: list[Said] = []

    def step(self, budget: float, close: float) -> bool:
        """Run the worthiest trials that can be paid for; whether there were any."""
        arms = [one for one in self.selector.standing().arms if one.final_loss is not None]
        known = Known(
            order=sorted(arms, key=lambda one: (one.final_loss or 0.0, one.arm)),
            traits={name: _traits(name) for name in self.race.names},
            scores=self.scores,
            tried={name: len(values) for name, values in self.scores.items()},
            close=close,
        )
        for batch in wishes(known, min(SEEDS, 1 + self.further.shape[1])):
            ran = False
            for name, extra in batch:
                price = self._price(name, extra)
                if self.spent + price > budget:
                    break
                self._run(name, extra)
                ran = True
            if ran:
                return True
        return False

    def seeds(self, name: str) -> list[int]:
        """The seeds with which an arm ran at full length."""
        arm = self.race.names.index(name)
        further = self.further[arm, : len(self.scores[name]) - 1]
        return [int(self.race.seed_A[arm]), *(int(seed) for seed in further)]

    def _price(self, name: str, extra: int) -> float:
        arm = self.race.names.index(name)
        before = None if extra else self.highest.get(arm)
        return self.race.cost(arm, self.last, self.kind, before)

    def _run(self, name: str, extra: int) -> None:
        arm = self.race.names.index(name)
        if extra:
            self.spent += self._price(name, extra)
            seed = int(self.further[arm, extra - 1])
            self.scores[name].append(score_again(self.race, arm, seed, self.kind))
            return
        cell = self.selector.course.ask((arm, self.last))
        self.spent += tell(self.selector, self.race, cell, self.highest.get(arm))
        self.highest[arm] = self.last
        self.scores[name] = [self.race.score(arm, self.last, self.kind)]
        chances = np.array([one.p_best for one in self.selector.standing().arms])
        current_A = np.full(len(self.race.arm_A), np.nan)
        for other, rung in self.highest.items():
            current_A[other] = self.race.score(other, rung, self.kind)
        self.heard.append(Said(chances, current_A, self.spent))
