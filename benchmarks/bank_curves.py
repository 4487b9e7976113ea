"""The bank of curves as arrays, and races replayed from it by drawing seeds, arms and rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from bank import OPENING, UNTRAINED, lines_of, opened, unpacked
from numpy.typing import NDArray

from forkpoint.engine import Arm, Ask, Prior, Score, Selector, Settings

Floats = NDArray[np.float64]
Kind = Literal["fresh", "continued"]
KINDS: tuple[Kind, ...] = ("fresh", "continued")
TRUNK = 0.9  # of a continued run's steps at a rung; the rest is its cool-down, thrown away
MARGIN = 0.02  # of the exact-match share


@dataclass(frozen=True)
class Curves:
    """One setting of the bank: A arms, S seeds, K rungs, N validation rows.

    A race's fresh runs have the opening, a sixteenth of full length, for the first rung; continued
    ones begin at an eighth. `eighth` has the fresh runs there.
    """

    name: str
    task: str
    arms: tuple[str, ...]
    right: dict[Kind, NDArray[np.bool_]]  # A, S, K, N
    tokens: dict[Kind, Floats]  # A, S, K: from the start of a run to the rung, cool-down included
    bits: dict[Kind, Floats]  # A, S, K: answer bits per byte on validation
    seconds: dict[Kind, Floats]  # A, S, K
    tested: NDArray[np.bool_]  # A, S, test rows: right or not, of the full fresh run
    zero: dict[str, float]  # stage -> score before training
    eighth: NDArray[np.bool_]  # A, S, N: of fresh runs of an eighth, which races do not have
    eighth_tokens: Floats  # A, S

    @property
    def test_AS(self) -> Floats:  # noqa: N802 - an array by arm and seed
        """Share right of the full fresh run on the test rows."""
        share: Floats = self.tested.mean(axis=2)
        return share

    def lengths(self, kind: Kind) -> Floats:
        """Tokens of a fresh run as long as each rung; shape A, S, K."""
        fresh: Floats = self.tokens["fresh"]
        if kind == "fresh":
            return fresh
        return np.concatenate([self.eighth_tokens[:, :, None], fresh[:, :, 1:]], axis=2)

    @property
    def truth_A(self) -> Floats:  # noqa: N802 - an array by arm
        """The expected test score of every arm: the mean over seeds."""
        mean: Floats = self.test_AS.mean(axis=1)
        return mean


def read_bank(path: Path, fewest_seeds: int = 2) -> list[Curves]:
    """The settings of which every arm has at least so many seeds in common."""
    lines = [line for line in lines_of(path) if "cells" in line and opened(line)]
    found = []
    for name in dict.fromkeys(line["setting"] for line in lines):
        mine = [line for line in lines if line["setting"] == name]
        trained = {(x["arm"], x["seed"]): x for x in mine if not x["arm"].endswith(UNTRAINED)}
        arms = tuple(sorted({arm for arm, _ in trained}))
        seeds = [s for s in sorted({s for _, s in trained}) if all((a, s) in trained for a in arms)]
        if len(arms) > 1 and len(seeds) >= fewest_seeds:
            zero = {
                x["arm"].split(".")[0]: x["cells"][0]["validation"]["score"]
                for x in mine
                if x["arm"].endswith(UNTRAINED)
            }
            found.append(_curves(arms, [[trained[a, s] for s in seeds] for a in arms], zero))
    return found


def _curves(
    arms: tuple[str, ...], lines_AS: Sequence[Sequence[dict[str, Any]]], zero: dict[str, float]
) -> Curves:
    def of(kind: str, pick: Any) -> Any:
        return np.array(
            [[[pick(c) for c in _cells(line, kind)] for line in row] for row in lines_AS]
        )

    def early(pick: Any) -> Any:
        return np.array([[pick(_early(line)) for line in row] for row in lines_AS])

    def validation(cell: dict[str, Any]) -> NDArray[np.bool_]:
        return unpacked(cell["validation"]["right"], cell["validation"]["n"])

    def test(line: dict[str, Any]) -> NDArray[np.bool_]:
        found = next(c["test"] for c in line["cells"] if "test" in c)
        return unpacked(found["right"], found["n"])

    first = lines_AS[0][0]
    return Curves(
        name=first["setting"],
        task=first["task"],
        arms=arms,
        right={kind: of(kind, validation) for kind in KINDS},
        tokens={kind: of(kind, lambda c: float(c["tokens"])) for kind in KINDS},
        bits={kind: of(kind, lambda c: float(c["validation"]["bits_per_byte"])) for kind in KINDS},
        seconds={kind: of(kind, lambda c: float(c["seconds"])) for kind in KINDS},
        tested=np.array([[test(line) for line in row] for row in lines_AS]),
        zero=zero,
        eighth=early(validation),
        eighth_tokens=early(lambda c: float(c["tokens"])),
    )


def _cells(line: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The cells of a race's rungs."""
    mine = [cell for cell in line["cells"] if cell["kind"] == kind]
    if kind == "continued":
        return mine
    return [next(cell for cell in line["cells"] if cell["kind"] == OPENING), *mine[1:]]


def _early(line: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(cell for cell in line["cells"] if cell["kind"] == "fresh")
    return found


@dataclass(frozen=True)
class Draw:
    """One race drawn from a setting: its arms, a training seed for each, its validation rows."""

    curves: Curves
    arm_A: NDArray[np.intp]
    seed_A: NDArray[np.intp]
    row_N: NDArray[np.intp]
    rates: int = 1  # tried at the first rung; the bank has the one that is kept

    @property
    def truth_A(self) -> Floats:  # noqa: N802 - an array by arm
        """What the arms of this race are worth."""
        return self.curves.truth_A[self.arm_A]

    @property
    def names(self) -> list[str]:
        """Of the arms of this race."""
        return [self.curves.arms[arm] for arm in self.arm_A]

    @property
    def gap(self) -> float:
        """Between the two best arms."""
        best = np.sort(self.truth_A)[::-1]
        return float(best[0] - best[1])

    @property
    def full_tokens(self) -> float:
        """Of one fresh run to the end, the mean over the arms."""
        return float(self.curves.tokens["fresh"][self.arm_A, self.seed_A, -1].mean())

    def lengths_K(self, kind: Kind) -> Floats:  # noqa: N802 - an array by rung
        """Tokens of a fresh run as long as each rung, the mean over the arms."""
        mean: Floats = self.curves.lengths(kind)[self.arm_A, self.seed_A].mean(axis=0)
        return mean

    def score(self, arm: int, rung: int, kind: Kind) -> float:
        """Share right on this race's rows."""
        right = self.curves.right[kind][self.arm_A[arm], self.seed_A[arm], rung]
        return float(right[self.row_N].mean())

    def likelihood(self, arm: int, rung: int, kind: Kind) -> float:
        """Answer bits per byte, over all validation rows."""
        return float(self.curves.bits[kind][self.arm_A[arm], self.seed_A[arm], rung])

    def cost(self, arm: int, rung: int, kind: Kind, before: int | None) -> float:
        """Tokens of taking an arm to a rung; a continued run goes on from the rung before.

        The first rung costs as many runs as rates are tried there.
        """
        tokens_K = self.curves.tokens[kind][self.arm_A[arm], self.seed_A[arm]]
        if rung == 0:
            return float(tokens_K[0]) * self.rates
        if kind == "fresh" or before is None:
            return float(tokens_K[rung])
        return float(tokens_K[rung] - TRUNK * tokens_K[before])


def draw_race(curves: Curves, rng: np.random.Generator, arms: int, rates: int = 1) -> Draw:
    """A race of some of the arms with a seed each, on rows drawn with replacement."""
    count, seeds, _, there = curves.right["fresh"].shape
    chosen = np.sort(rng.choice(count, size=min(arms, count), replace=False))
    return Draw(
        curves,
        chosen,
        rng.integers(0, seeds, size=len(chosen)),
        rng.integers(0, there, size=there),
        rates,
    )


@dataclass(frozen=True)
class Said:
    """What the engine believed after a tell: the chance of every arm, and the scores it had."""

    p_best_A: Floats
    current_A: Floats  # the latest score of every arm, NaN before its first
    spent: float


class Raced(NamedTuple):
    """Where the engine left a race."""

    selector: Selector
    heard: list[Said]
    highest: dict[int, int]  # arm -> its highest rung


def engine_race(
    race: Draw, budget: float, prior: Prior | None, kind: Kind, seed: int, **other: Any
) -> Raced:
    """The engine on a drawn race: what it believes, and what it said on the way."""
    names = race.names
    steps_K = race.lengths_K(kind)
    settings = Settings.model_validate(
        {"kind": kind, "scale": "bounded", "prior": prior, "margin": MARGIN,
         "row_correlation": 0.5, "first_rung_trials": race.rates, **other}
    )  # fmt: skip
    arms = [Arm(name=name, stage=name.split(".")[0]) for name in names]
    selector = Selector(arms, [round(float(n)) for n in steps_K], budget, settings, seed)
    highest: dict[int, int] = {}
    current_A = np.full(len(names), np.nan)
    heard: list[Said] = []
    while asks := selector.ask():
        for ask in asks:
            arm = names.index(ask.arm)
            tell(selector, race, ask, highest.get(arm))
            highest[arm] = max(ask.rung, highest.get(arm, 0))
            current_A[arm] = race.score(arm, highest[arm], kind)
        if len(highest) == len(names):
            standing = selector.standing()
            chances = np.array([one.p_best for one in standing.arms])
            heard.append(Said(chances, current_A.copy(), standing.spent_tokens))
    return Raced(selector, heard, highest)


def tell(selector: Selector, race: Draw, ask: Ask, before: int | None) -> float:
    """Tell the engine what an ask came to in this race; returns the tokens it took."""
    arm = race.names.index(ask.arm)
    value, rows = race.score(arm, ask.rung, ask.kind), len(race.row_N)
    cost = race.cost(arm, ask.rung, ask.kind, before)
    error = math.sqrt(value * (1 - value) / rows)
    score = Score(value=value, standard_error=error, n=rows, unit="share", better="higher")
    likelihood = Score(
        value=race.likelihood(arm, ask.rung, ask.kind), standard_error=0.0, n=rows,
        unit="bits/byte", better="lower", channel="likelihood",
    )  # fmt: skip
    selector.tell(ask, [score, likelihood], cost)
    return cost
