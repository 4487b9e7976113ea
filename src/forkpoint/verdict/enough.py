"""Would more rows help? A curve through scores at several sizes, and what doubling would bring.

Each size was trained afresh on a nested subset for the same number of passes. The loss is believed
to change as a power of the rows, L(n) = a + b n^-c; exponent, floor and the roughness of real
curves are all uncertain and averaged over. Where returns visibly grow with every doubling, nothing
is extrapolated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forkpoint.record import Figure, Record
from forkpoint.verdict.contrast import SeedNoise
from forkpoint.verdict.resample import Floats, Sample, interval, row_weights

FEWEST_SIZES = 3  # two points fit any curve
FARTHEST = 8.0  # times the rows at hand: three doublings; beyond it nothing is said
SURE = 0.95  # probability from which an answer is given
EXPONENTS = tuple(float(c) for c in np.linspace(-0.45, 2.05, 26))  # equally likely a priori;
# below 0 each doubling brings more than the one before, as early in training
WIGGLE_SHARES = (0.05, 0.1, 0.2, 0.4)  # SD of a real curve around the law, of its usual gain
LEAST_WIGGLE = 0.001  # score points
FALL_SD = 3.0  # times the spread seen, or LEAST_FALL: how large a fall is thought possible
LEAST_FALL = 0.1  # score points
DRAWS = 4000
STEPS_A_DOUBLING = 4  # grid on which sizes are searched

Answer = Literal["more_helps", "flat", "unclear", "cannot_be_known"]


class SizePoint(Record):
    """What training on one size came to, over its seeds."""

    rows: int
    steps: int
    seeds: int
    score: Figure


class Enough(Record):
    """Whether more rows would help one arm, as far as it can be told."""

    arm: str
    metric: str
    margin: float
    passes: float
    rows: int  # all training rows of the arm
    points: tuple[SizePoint, ...]
    gains: tuple[Figure, ...]  # of each size over the one before, on the same rows
    answer: Answer
    reason: str  # catalogue key
    next_gain: Figure | None  # what doubling all rows would bring
    p_above_margin: float | None
    flat_rows: Figure | None  # rows from which a doubling brings less than the margin
    flat_reason: str  # catalogue key
    target: float | None
    target_rows: Figure | None
    target_reason: str  # catalogue key; "" when no target was asked for
    p_target: float | None  # chance that the target is reached within FARTHEST times the rows
    tokens: int  # trained for this answer, the race's own trials not counted
    predicted_points: tuple[Figure, ...] = ()  # the curve at 2, 4, 8 times the rows


@dataclass(frozen=True)
class SizeScores:
    """Outcomes of one size on the same validation rows, a sample a seed; higher is better."""

    rows: int
    steps: int
    samples: Sequence[Sample]


@dataclass(frozen=True)
class Curves:
    """Draws of the curve: loss(n) = level + fall * shape(n), and its roughness."""

    largest: float  # rows
    smallest: float  # rows
    level_B: Floats  # loss at the largest size
    fall_B: Floats  # loss at the smallest size, less the level
    exponent_B: Floats
    wiggle_B: Floats

    def loss(self, rows: float) -> Floats:
        """Expected loss at a size; shape B."""
        start_B = (self.smallest / self.largest) ** -self.exponent_B
        here_B = (rows / self.largest) ** -self.exponent_B
        found: Floats = np.maximum(self.level_B + self.fall_B * (here_B - 1) / (start_B - 1), 0.0)
        return found


def enough(
    arm: str,
    sizes: Sequence[SizeScores],
    noise: SeedNoise,
    *,
    metric: str,
    margin: float,
    passes: float,
    rows: int,
    trivial: float | None,
    target: float | None,
    tokens: int,
    seed: int,
) -> Enough:
    """The answer for one arm; `trivial` is what the best answer without a model scores."""
    ceiling = 0.0 if metric == "bits_per_byte" else 1.0
    seen = _Seen(sizes, noise, seed) if sizes else None
    known = {
        "arm": arm,
        "metric": metric,
        "margin": margin,
        "passes": passes,
        "rows": rows,
        "target": target,
        "tokens": tokens,
        "points": seen.points(ceiling) if seen else (),
        "gains": seen.gains() if seen else (),
    }
    if seen is None or (reason := _cannot(seen, margin, trivial)):
        reason = "enough.few_sizes" if seen is None else reason
        return Enough.model_validate(
            {
                **known, "answer": "cannot_be_known", "reason": reason, "next_gain": None,
                "p_above_margin": None, "flat_rows": None, "flat_reason": "enough.flat_unknown",
                "target_rows": None, "p_target": None,
                "target_reason": "enough.target_unknown" if target is not None else "",
            }
        )  # fmt: skip
    curves = fit(seen.rows_K, ceiling - seen.mean_K, seen.covariance_K_K, seed)
    return Enough.model_validate({**known, **_answer(curves, ceiling, margin, target, seed)})


class _Seen:
    """The scores of all sizes under the same resampled rows."""

    def __init__(self, sizes: Sequence[SizeScores], noise: SeedNoise, seed: int) -> None:
        self.sizes = sorted(sizes, key=lambda size: size.rows)
        generator = np.random.default_rng(seed + 3)
        weights_B_N = row_weights(len(self.sizes[0].samples[0].scores_N), seed, DRAWS)
        variance_B = noise.variance_draws(DRAWS, generator)
        one_row = 1 / weights_B_N.shape[1]  # rows that no size answers differently say little yet
        draws, means = [], []
        for size in self.sizes:
            per_seed_S_B = np.stack([sample.value(weights_B_N) for sample in size.samples])
            spread_B = np.sqrt(variance_B / len(size.samples) + one_row**2)
            draws.append(per_seed_S_B.mean(axis=0) + generator.standard_normal(DRAWS) * spread_B)
            means.append(float(np.mean([sample.value()[0] for sample in size.samples])))
        self.draws_K_B: Floats = np.stack(draws)
        self.mean_K: Floats = np.array(means)
        self.rows_K: Floats = np.array([float(size.rows) for size in self.sizes])
        self.covariance_K_K: Floats = np.cov(self.draws_K_B)
        self.validation_rows = weights_B_N.shape[1]

    def points(self, ceiling: float) -> tuple[SizePoint, ...]:
        """Each size with its score and interval."""
        return tuple(
            SizePoint(
                rows=size.rows,
                steps=size.steps,
                seeds=len(size.samples),
                score=self._figure(float(mean), draws_B, highest=ceiling),
            )
            for size, mean, draws_B in zip(self.sizes, self.mean_K, self.draws_K_B, strict=True)
        )

    def gains(self) -> tuple[Figure, ...]:
        """Each size less the one before."""
        pairs = zip(np.diff(self.mean_K), np.diff(self.draws_K_B, axis=0), strict=True)
        return tuple(self._figure(float(gain), draws_B) for gain, draws_B in pairs)

    def _figure(self, value: float, draws_B: Floats, highest: float | None = None) -> Figure:
        low, high = interval(draws_B)
        if highest is not None:
            low, high = min(low, highest), min(high, highest)
        return Figure(value=value, low=low, high=high, n=self.validation_rows, origin="measured")


def _cannot(seen: _Seen, margin: float, trivial: float | None) -> str | None:
    """Why no curve can be drawn, as a catalogue key; None when one can."""
    if len(seen.sizes) < FEWEST_SIZES:
        return "enough.few_sizes"
    if trivial is not None and float(np.mean(seen.draws_K_B[-1] > trivial)) < SURE:
        return "enough.floor"
    doublings = np.diff(np.log2(seen.rows_K))
    slope_K_B = np.diff(seen.draws_K_B, axis=0) / doublings[:, None]
    rise_B = slope_K_B[-1] - slope_K_B[-2]
    if float(np.mean(rise_B > 0)) >= SURE and float(np.mean(rise_B)) > margin:
        return "enough.taking_off"
    return None


def fit(rows_K: Floats, loss_K: Floats, covariance_K_K: Floats, seed: int) -> Curves:
    """Draws of the curves that explain the losses; raises no error for a bad fit: it is wide."""
    generator = np.random.default_rng(seed + 4)
    largest, smallest = float(rows_K.max()), float(rows_K.min())
    fall_sd = max(LEAST_FALL, FALL_SD * float(np.ptp(loss_K)))
    prior_precision = np.diag([1 / (10 * fall_sd) ** 2, 1 / fall_sd**2])
    prior_mean = np.array([float(loss_K[-1]), 0.0])
    usual_gain = float(np.median(np.abs(np.diff(loss_K))))
    wiggles = [max(LEAST_WIGGLE, share * usual_gain) for share in WIGGLE_SHARES]
    cells: list[tuple[float, float, Floats, Floats]] = []
    log_evidence = []
    for exponent in EXPONENTS:
        shape_K = ((rows_K / largest) ** -exponent - 1) / ((smallest / largest) ** -exponent - 1)
        design_K_2 = np.stack([np.ones_like(shape_K), shape_K], axis=1)
        for wiggle in wiggles:
            noise_K_K = covariance_K_K + wiggle**2 * np.eye(len(rows_K))
            precision = design_K_2.T @ np.linalg.solve(noise_K_K, design_K_2) + prior_precision
            covariance = np.linalg.inv(precision)
            mean = covariance @ (
                design_K_2.T @ np.linalg.solve(noise_K_K, loss_K) + prior_precision @ prior_mean
            )
            whole = noise_K_K + design_K_2 @ np.linalg.solve(prior_precision, design_K_2.T)
            rest_K = loss_K - design_K_2 @ prior_mean
            log_evidence.append(
                -0.5 * (np.linalg.slogdet(whole)[1] + rest_K @ np.linalg.solve(whole, rest_K))
            )
            cells.append((exponent, wiggle, mean, covariance))
    weights = np.exp(np.array(log_evidence) - max(log_evidence))
    return _draw(cells, weights / weights.sum(), (largest, smallest), generator)


def _draw(
    cells: Sequence[tuple[float, float, Floats, Floats]],
    weights: Floats,
    ends: tuple[float, float],
    generator: np.random.Generator,
) -> Curves:
    """Draws from the mixture, those with a floor below zero left out as long as any are left."""
    picks = generator.choice(len(cells), size=4 * DRAWS, p=weights)
    found = np.empty((len(picks), 4))
    for pick in np.unique(picks):
        exponent, wiggle, mean, covariance = cells[pick]
        chosen = picks == pick
        found[chosen, :2] = generator.multivariate_normal(mean, covariance, int(chosen.sum()))
        found[chosen, 2:] = exponent, wiggle
    start_B = (ends[1] / ends[0]) ** -found[:, 2]
    floor_B = found[:, 0] - found[:, 1] / (start_B - 1)
    possible_B = (found[:, 2] < 0) | (floor_B >= 0)
    kept = found[possible_B] if possible_B.sum() >= DRAWS // 10 else found
    kept = kept[generator.integers(0, len(kept), DRAWS)]
    return Curves(ends[0], ends[1], kept[:, 0], kept[:, 1], kept[:, 2], kept[:, 3])


def _answer(
    curves: Curves, ceiling: float, margin: float, target: float | None, seed: int
) -> Mapping[str, object]:
    generator = np.random.default_rng(seed + 5)
    rough_B = np.sqrt(2) * curves.wiggle_B * generator.standard_normal(DRAWS)
    gain_B = curves.loss(curves.largest) - curves.loss(2 * curves.largest) + rough_B
    above = float(np.mean(gain_B >= margin))
    answer: Answer = "unclear"
    if above >= SURE:
        answer = "more_helps"
    elif above <= 1 - SURE:
        answer = "flat"
    flat, flat_reason = _flat(curves, margin)
    reached, target_reason, chance = _target(curves, ceiling, target)
    return {
        "answer": answer,
        "reason": f"enough.{answer}",
        "next_gain": _estimate(gain_B),
        "p_above_margin": above,
        "flat_rows": flat,
        "flat_reason": flat_reason,
        "target_rows": reached,
        "target_reason": target_reason,
        "p_target": chance,
        "predicted_points": tuple(
            _estimate(ceiling - curves.loss(times * curves.largest)) for times in (2.0, 4.0, 8.0)
        ),
    }


def _estimate(draws_B: Floats) -> Figure:
    low, high = interval(draws_B)
    return Figure(value=float(np.median(draws_B)), low=low, high=high, origin="estimated")


def _sizes(curves: Curves) -> Floats:
    """Sizes from the smallest seen to the farthest spoken of."""
    first, last = np.log2(curves.smallest), np.log2(FARTHEST * curves.largest)
    count = round((last - first) * STEPS_A_DOUBLING) + 1
    sizes: Floats = 2.0 ** np.linspace(first, last, count)
    return sizes


def _flat(curves: Curves, margin: float) -> tuple[Figure | None, str]:
    """Rows from which a doubling brings less than the margin."""
    sizes_G = _sizes(curves)
    flat_G_B = np.stack([curves.loss(n) - curves.loss(2 * n) < margin for n in sizes_G])
    return _first_size(flat_G_B, sizes_G, "enough.flat_from")


def _target(
    curves: Curves, ceiling: float, target: float | None
) -> tuple[Figure | None, str, float | None]:
    if target is None:
        return None, "", None
    sizes_G = _sizes(curves)
    reached_G_B = np.stack([ceiling - curves.loss(n) >= target for n in sizes_G])
    rows, reason = _first_size(reached_G_B, sizes_G, "enough.target_at")
    return rows, reason, float(np.mean(reached_G_B.any(axis=0)))


def _first_size(
    holds_G_B: NDArray[np.bool_], sizes_G: Floats, key: str
) -> tuple[Figure | None, str]:
    """The first size at which something holds, over the draws; or why it cannot be said."""
    far = 2 * sizes_G[-1]
    first_B = np.where(holds_G_B.any(axis=0), sizes_G[np.argmax(holds_G_B, axis=0)], far)
    middle = float(np.median(first_B))
    low, high = interval(first_B)
    if middle >= far:
        return None, f"{key}_beyond"
    ends = {"low": low, "high": None if high >= far else high}
    return Figure(value=middle, unit="rows", origin="estimated", **ends), key
