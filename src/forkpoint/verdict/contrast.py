"""Differences between arms on the same rows: intervals from training seeds, then rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forkpoint.record import Figure
from forkpoint.verdict.resample import Floats, Sample, interval, row_weights
from forkpoint.verdict.verdict_record import Comparison

KNOWN_SEED_SD = 0.02  # of a 0..1 score; seeds of a 500-row exact match differ by 1-3 points
# [thinking-machines-lab/tinker-cookbook@9dfcc3a2, PEFT's method comparison]
KNOWN_SEED_FREEDOM = 4  # degrees of freedom that the figure above is worth
ROW_CORRELATION = 0.5  # of two arms' errors on the same validation rows, where it is not measured


@dataclass(frozen=True)
class SeedNoise:
    """The SD between training seeds, from this race's repeats and what is known before."""

    sd: float
    freedom: float
    repeats: int  # degrees of freedom that were measured here

    def variance_draws(self, draws: int, generator: np.random.Generator) -> Floats:
        """Draws of the seed variance from its scaled inverse chi-square posterior; shape B."""
        chi_B: Floats = generator.chisquare(self.freedom, size=draws)
        return self.sd**2 * self.freedom / chi_B


def seed_noise(
    scores: Mapping[str, Sequence[float]],
    known_sd: float = KNOWN_SEED_SD,
    known_freedom: float = KNOWN_SEED_FREEDOM,
) -> SeedNoise:
    """Pool the variance of repeated arms with what is known; `scores`: arm -> a score a seed."""
    squares, measured = 0.0, 0
    for values in scores.values():
        if len(values) > 1:
            squares += float(np.var(values, ddof=1)) * (len(values) - 1)
            measured += len(values) - 1
    freedom = known_freedom + measured
    variance = (known_freedom * known_sd**2 + squares) / freedom
    return SeedNoise(float(np.sqrt(variance)), float(freedom), measured)


@dataclass(frozen=True)
class Standing:
    """What an arm stood at on the validation rows; higher is better."""

    value: float
    standard_error: float  # over rows
    rows: int


@dataclass(frozen=True)
class Draws:
    """Draws of every arm's expected score, over rows (shared) and seeds (its own)."""

    arms: tuple[str, ...]
    rows_A_B: Floats
    seeds_A_B: Floats
    points_A: Floats  # the plain estimates
    rows: int  # of the test set

    @property
    def values_A_B(self) -> Floats:  # noqa: N802 - an array by arm and draw
        """The scores themselves."""
        values_A_B: Floats = self.rows_A_B + self.seeds_A_B
        return values_A_B

    def of(self, arm: str) -> Floats:
        """One arm's draws; shape B."""
        place = self.arms.index(arm)
        row: Floats = self.rows_A_B[place] + self.seeds_A_B[place]
        return row

    def difference(self, a: str, b: str) -> Figure:
        """A minus B with its 95 % interval."""
        low, high = interval(self.of(a) - self.of(b))
        point = self.points_A[self.arms.index(a)] - self.points_A[self.arms.index(b)]
        return Figure(value=float(point), low=low, high=high, origin="measured")

    def figure(self, arm: str, rows: int) -> Figure:
        """An arm's score with its 95 % interval over rows and seeds."""
        low, high = interval(self.of(arm))
        return Figure(
            value=float(self.points_A[self.arms.index(arm)]),
            low=max(low, 0.0),
            high=min(high, 1.0),
            n=rows,
            origin="measured",
        )

    def p_value(self, a: str, b: str) -> float:
        """Two-sided bootstrap p-value of a zero difference."""
        difference_B = self.of(a) - self.of(b)
        share = min(float(np.mean(difference_B <= 0)), float(np.mean(difference_B >= 0)))
        return min(1.0, 2 * max(share, 1 / len(difference_B)))


def draw(samples: Mapping[str, Sequence[Sample]], noise: SeedNoise, seed: int) -> Draws:
    """Resample rows once for all arms, and add each arm's own seed noise.

    `samples`: arm -> one sample a training seed, all on the same rows in the same order.
    """
    arms = tuple(samples)
    rows = len(samples[arms[0]][0].scores_N)
    generator = np.random.default_rng(seed + 1)
    weights_B_N = row_weights(rows, seed)
    variance_B = noise.variance_draws(len(weights_B_N), generator)
    rows_A_B, seeds_A_B, points_A = [], [], []
    for arm in arms:
        per_seed_S_B = np.stack([sample.value(weights_B_N) for sample in samples[arm]])
        trainings = sum(sample.trainings for sample in samples[arm])
        spread_B: Floats = np.sqrt(variance_B / trainings)
        rows_A_B.append(per_seed_S_B.mean(axis=0))
        seeds_A_B.append(generator.standard_normal(len(spread_B)) * spread_B)
        points_A.append(float(np.mean([sample.value()[0] for sample in samples[arm]])))
    return Draws(arms, np.stack(rows_A_B), np.stack(seeds_A_B), np.array(points_A), rows)


def with_validation(draws: Draws, standings: Mapping[str, Standing], seed: int) -> Draws:
    """What is believed of the arms from test and validation rows together, each counting by rows.

    Differences are claimed on test alone; who is best is a belief, and uses all that was seen
    [docs/studies/bank.md, 'From choice to verdict']. The noise between seeds is not less for it:
    both sides were answered by the same trainings. An arm without a standing keeps its test draws.
    """
    generator = np.random.default_rng(seed + 3)
    count = int(draws.rows_A_B.shape[1])
    shared_B = generator.standard_normal(count)
    rows_A_B, points_A = draws.rows_A_B.copy(), draws.points_A.copy()
    for place, arm in enumerate(draws.arms):
        own_B = generator.standard_normal(count)
        if arm not in standings:
            continue
        standing = standings[arm]
        noise_B = np.sqrt(ROW_CORRELATION) * shared_B + np.sqrt(1 - ROW_CORRELATION) * own_B
        seen_B = standing.value + standing.standard_error * noise_B
        share = standing.rows / (standing.rows + draws.rows)
        rows_A_B[place] += share * (seen_B - rows_A_B[place])
        points_A[place] += share * (standing.value - points_A[place])
    return Draws(draws.arms, rows_A_B, draws.seeds_A_B, points_A, draws.rows)


def p_best(draws: Draws, others: Mapping[str, tuple[float, float]], seed: int) -> dict[str, float]:
    """Chance of every arm to have the best expected score.

    `others`: arms without test answers -> mean and SD of their predicted final score.
    """
    generator = np.random.default_rng(seed + 2)
    rows = [draws.values_A_B]
    count = int(draws.rows_A_B.shape[1])
    for mean, sd in others.values():
        believed_B: Floats = mean + sd * generator.standard_normal(size=count)
        rows.append(believed_B[None, :])
    names = [*draws.arms, *others]
    winners_B = np.argmax(np.concatenate(rows), axis=0)
    return {name: float(np.mean(winners_B == place)) for place, name in enumerate(names)}


def expected_regret(draws: Draws, arm: str) -> float:
    """How much score naming `arm` is expected to cost against the best finalist."""
    best_B = draws.values_A_B.max(axis=0)
    return float(np.mean(best_B - draws.of(arm)))


def says(difference: Figure, margin: float) -> str:
    """`a_better`, `b_better`, `equal_enough` (whole interval inside the margin) or `unclear`."""
    low, high = difference.low, difference.high
    if low is None or high is None:
        return "unclear"
    if low > 0:
        return "a_better"
    if high < 0:
        return "b_better"
    if -margin < low and high < margin:
        return "equal_enough"
    return "unclear"


def turned(comparison: Comparison) -> Comparison:
    """The same comparison as B minus A."""
    was = comparison.difference
    difference = was.model_copy(
        update={
            "value": -was.value,
            "low": None if was.high is None else -was.high,
            "high": None if was.low is None else -was.low,
        }
    )
    turned_says = {"a_better": "b_better", "b_better": "a_better"}
    return comparison.model_copy(
        update={
            "a": comparison.b,
            "b": comparison.a,
            "difference": difference,
            "says": turned_says.get(comparison.says, comparison.says),
        }
    )


def compare_all(
    draws: Draws, winner: str, runner_up: str | None, margin: float
) -> list[Comparison]:
    """The winner against every other finalist: the headline plain, the rest Holm-adjusted."""
    others = [arm for arm in draws.arms if arm != winner]
    secondary = sorted(
        (arm for arm in others if arm != runner_up), key=lambda arm: draws.p_value(winner, arm)
    )
    adjusted: dict[str, float] = {}
    largest = 0.0
    for place, arm in enumerate(secondary):
        largest = max(largest, min(1.0, draws.p_value(winner, arm) * (len(secondary) - place)))
        adjusted[arm] = largest
    found = []
    for arm in others:
        headline = arm == runner_up
        difference = draws.difference(winner, arm)
        verdict = says(difference, margin)
        p_value = draws.p_value(winner, arm) if headline else adjusted[arm]
        if not headline and verdict in ("a_better", "b_better") and p_value > 0.05:
            verdict = "unclear"
        found.append(
            Comparison.model_validate(
                {
                    "a": winner,
                    "b": arm,
                    "difference": difference,
                    "p_value": p_value,
                    "headline": headline,
                    "says": verdict,
                }
            )
        )
    return found
