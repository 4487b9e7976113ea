"""A race of the bank run to its end as a live one is: brackets, a reserve, leaders repeated.

The bank has one rate an arm, the centre of its bracket, so both sides pay for the whole bracket and
keep the centre: the race three runs an arm at its first rung, brute force three at full length
[method.md]. What a live race loses by choosing a rate early is not replayed.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from bank_curves import MARGIN, Draw, Floats, Kind, Said, engine_race, tell
from numpy.typing import NDArray

from forkpoint.engine import Prior, Selector
from forkpoint.engine.standing import ArmStanding
from forkpoint.plan.forecast import LEADERS, RESERVE_SHARE, reserve_of
from forkpoint.race.finalists import PLAUSIBLE, leading_roles, with_prediction
from forkpoint.race.finishing import CLOSE_SEED_SDS, Known, leaders, wishes
from forkpoint.verdict.contrast import KNOWN_SEED_SD, Standing
from forkpoint.verdict.judge import Evidence, Judgement, judge
from forkpoint.verdict.resample import Sample

Ints = NDArray[np.intp]
RATES = 3  # of a bracket
SEEDS = 3  # of each leader, the default of a race
TEST_ROWS = 200  # of a race, from the 1,000 of its setting
DRAWN = 7  # the stream that they are drawn from


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
    rung = len(arms) * race.rates * race.lengths_K(kind)[0]  # as the engine counts it
    opening = max(rung, sum(race.cost(arm, 0, kind, None) for arm in arms))
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


def brute_force(race: Draw, kind: Kind, number: int) -> tuple[int, int]:
    """The arm that brute force leads with on validation, and the one it names after its test.

    All arms at full length, the two leaders with every seed.
    """
    last = race.curves.right[kind].shape[2] - 1
    scores = {name: [race.score(arm, last, kind)] for arm, name in enumerate(race.names)}
    seeds = {name: [int(race.seed_A[arm])] for arm, name in enumerate(race.names)}
    further = further_seeds(race, number)
    for name in leaders(scores):
        arm = race.names.index(name)
        seeds[name] += [int(seed) for seed in further[arm, : SEEDS - 1]]
        scores[name] += [score_again(race, arm, seed, kind) for seed in seeds[name][1:]]
    first = leaders({name: values for name, values in scores.items() if len(values) > 1})
    stands = {name: sum(scores[name]) / len(scores[name]) for name in first}
    return race.names.index(first[0]), after_test(race, stands, seeds, number)


def after_test(
    race: Draw, stands: Mapping[str, float], seeds: Mapping[str, Sequence[int]], number: int
) -> int:
    """Of the two that stand best on validation the better on validation and test rows together."""
    rows = test_rows(race, number)
    first = sorted(stands, key=lambda name: (-stands[name], name))[:2]

    def seen(name: str) -> float:
        right = race.curves.tested[race.curves.arms.index(name)][list(seeds[name])][:, rows]
        return (stands[name] * len(race.row_N) + float(right.mean()) * len(rows)) / (
            len(race.row_N) + len(rows)
        )

    return race.names.index(max(first, key=seen))


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


@cache
def no_model(setting: str) -> Floats:
    """The commonest answer said to every test row of a setting of the bank: right (1) or not."""
    from bank_tasks import SETTINGS, TEST, rows_of

    known = next((one for one in SETTINGS if one.name == setting), None)
    if known is None:
        return np.zeros(TEST)
    answers = [answer for _, answer in rows_of(known).test]
    common = Counter(answers).most_common(1)[0][0]
    return np.array([float(answer == common) for answer in answers])


def test_rows(race: Draw, number: int) -> Ints:
    """The test rows of a race: some of those of its setting."""
    there = race.curves.tested.shape[2]
    return np.random.default_rng([number, DRAWN]).permutation(there)[:TEST_ROWS]


def verdict_of(race: Draw, ended: Ended, number: int) -> Judgement | None:
    """What a race that ended so says on its own test rows; None where no two arms can be tested."""
    order = sorted(ended.stands, key=lambda arm: (-ended.stands[arm], arm))
    if len(order) < 2:
        return None
    believed = {one.arm: one for one in ended.arms}
    plausible = [arm for arm in order if believed[arm].p_within_margin >= PLAUSIBLE]
    curves = race.curves
    places = {arm: curves.arms.index(arm) for arm in race.names}
    seconds = curves.seconds["fresh"][:, :, -1].mean(axis=1)
    stages = {arm: _traits(arm)[0] for arm in race.names}
    roles = leading_roles(order, plausible, stages, lambda arm: (0.0, seconds[places[arm]], arm))
    tested = list(dict.fromkeys(roles.values()))
    rows = test_rows(race, number)
    seen = {
        one.arm: (one.final_value, one.final_sd or 0.0)
        for one in ended.arms
        if one.final_value is not None
    }
    return judge(
        Evidence(
            samples={
                arm: [
                    Sample(curves.tested[places[arm], seed, rows].astype(float))
                    for seed in ended.seeds[arm]
                ]
                for arm in tested
            },
            validation_order=tested,
            others={arm: one for arm, one in seen.items() if arm not in tested},
            foreseen={arm: mean for arm, (mean, _) in seen.items() if arm in tested},
            trivial=Sample(no_model(curves.name)[rows]),
            serving_cost={arm: (0.0, float(seconds[places[arm]])) for arm in tested},
            rate_flips=(),
            margin=MARGIN,
            seed=number,
            known_seed_sd=KNOWN_SEED_SD,
            validation={arm: standing(race, ended, arm) for arm in tested},
        )
    )


def named_by(race: Draw, ended: Ended, number: int) -> int:
    """The arm that the verdict names; where it names nobody, who leads on all the rows it saw."""
    said = verdict_of(race, ended, number)
    if said is None:
        return ended.pick
    if said.arm is None:
        return after_test(race, ended.stands, ended.seeds, number)
    return race.names.index(said.arm)


def regret_elsewhere(race: Draw, pick: int, used: Sequence[int]) -> float:
    """What an arm loses by the seeds that its choice has not seen: as a live race is judged.

    By all seeds a choice is judged by its own luck too. The best is by all seeds in both.
    """
    score_S = race.curves.test_AS[race.arm_A[pick]]
    unused = [seed for seed in range(len(score_S)) if seed not in used]
    return float(race.truth_A.max() - score_S[unused].mean())


def standing(race: Draw, ended: Ended, arm: str) -> Standing:
    """Where an arm at full length stood on this race's validation rows."""
    value, rows = race.score(race.names.index(arm), -1, "fresh"), len(race.row_N)
    return Standing(ended.stands[arm], math.sqrt(value * (1 - value) / rows), rows)


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
