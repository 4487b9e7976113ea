"""Scores made into losses on which curves are nearly straight, and back again.

- "log": log of a positive loss. A power law is a straight line against log training.
- "bounded": 2 arcsin(sqrt(1 - score)) / pi of a score in 0..1, where binomial errors are
  equally wide everywhere.
- "linear": the loss divided by the spread of what was seen, for everything else.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forkpoint.engine.arm import Score

Floats = NDArray[np.float64]
Name = Literal["log", "bounded", "linear"]
LOSS_FLOOR = 1e-9  # loss units; a loss of exactly 0 has no logarithm
MEAN_LOW, MEAN_HIGH, MEAN_STEPS = -1.0, 2.0, 600  # curve units: the grid of mean bounded losses
SD_HIGH, SD_STEPS, NODES = 1.5, 300, 60  # interpolated, within .0005 of the integral
SPREAD_FLOOR = 1e-6  # loss units; all scores equal


@dataclass(frozen=True)
class Scale:
    """A monotone map from loss to the curve model's unit; `unit` is the spread when linear."""

    name: Name
    higher_is_better: bool
    unit: float = 1.0

    def loss(self, value: float) -> float:
        """The loss of a score: itself, 1 - score when bounded, minus the score otherwise."""
        if not self.higher_is_better:
            return value
        return 1.0 - value if self.name == "bounded" else -value

    def value(self, loss: float) -> float:
        """The score that has this loss."""
        return self.loss(loss)  # each of the three maps is its own inverse

    def forward(self, loss: float) -> float:
        """Loss to curve units."""
        if self.name == "log":
            return float(np.log(max(loss, LOSS_FLOOR)))
        if self.name == "bounded":
            return float(2 / np.pi * np.arcsin(np.sqrt(min(max(loss, 0.0), 1.0))))
        return loss / self.unit

    def error(self, loss: float, standard_error: float, n: int) -> float:
        """Standard error in curve units; bounded ones never below one row's worth."""
        if self.name == "log":
            return standard_error / max(loss, LOSS_FLOOR)
        if self.name == "bounded":
            if standard_error == 0 and 0 < loss < 1:
                return 0.0
            clipped = min(max(loss, 1 / (4 * n + 2)), 1 - 1 / (4 * n + 2))
            floor = np.sqrt(clipped * (1 - clipped) / n) if loss in (0.0, 1.0) else 0.0
            slope = 1 / (np.pi * np.sqrt(clipped * (1 - clipped)))
            return float(max(standard_error, floor) * slope)
        return standard_error / self.unit

    def backward(self, curve: Floats) -> Floats:
        """Curve units to loss."""
        if self.name == "log":
            return np.exp(curve)
        if self.name == "bounded":
            return np.sin(np.clip(curve, 0.0, 1.0) * (np.pi / 2)) ** 2
        return curve * self.unit

    def expected(self, mean: Floats, variance: Floats) -> Floats:
        """Mean loss when the curve's value is normal with this mean and variance."""
        if self.name == "log":
            return np.exp(mean + variance / 2)
        if self.name == "bounded":
            return _bounded_mean(mean, np.sqrt(variance))
        return mean * self.unit


@cache
def _bounded_means() -> Floats:
    """Mean bounded losses by mean and SD of the curve's value, on a grid; values outside 0..1
    count as 0 and 1, as `backward` has it."""
    mean_M = np.linspace(MEAN_LOW, MEAN_HIGH, MEAN_STEPS + 1)
    sd_S = np.linspace(0.0, SD_HIGH, SD_STEPS + 1)
    node_Q, weight_Q = np.polynomial.hermite_e.hermegauss(NODES)
    curve_MSQ = mean_M[:, None, None] + sd_S[:, None] * node_Q
    loss_MSQ = np.sin(np.clip(curve_MSQ, 0.0, 1.0) * (np.pi / 2)) ** 2
    mean_MS: Floats = loss_MSQ @ (weight_Q / weight_Q.sum())
    return mean_MS


def _bounded_mean(mean: Floats, sd: Floats) -> Floats:
    """Mean loss between the points of the grid, linear in both directions."""
    place = np.clip((mean - MEAN_LOW) * (MEAN_STEPS / (MEAN_HIGH - MEAN_LOW)), 0, MEAN_STEPS - 1e-9)
    wide = np.clip(sd * (SD_STEPS / SD_HIGH), 0, SD_STEPS - 1e-9)
    low, left = place.astype(np.intp), wide.astype(np.intp)
    up, right = place - low, wide - left
    flat = _bounded_means().ravel()
    at = low * (SD_STEPS + 1) + left
    before = flat[at] * (1 - right) + flat[at + 1] * right
    after = flat[at + SD_STEPS + 1] * (1 - right) + flat[at + SD_STEPS + 2] * right
    found: Floats = before * (1 - up) + after * up
    return found


def scale_of(scores: list[Score], wanted: str) -> Scale:
    """The scale for one channel's scores; "auto" is log for positive losses where lower is
    better, bounded for scores in 0..1 where higher is better, linear otherwise."""
    higher = bool(scores) and scores[0].better == "higher"
    values = np.array([score.value for score in scores] or [1.0])
    if wanted == "auto":
        if higher:
            wanted = "bounded" if values.min() >= 0 and values.max() <= 1 else "linear"
        else:
            wanted = "log" if values.min() > 0 else "linear"
    if wanted == "log":
        return Scale("log", higher)
    if wanted == "bounded":
        return Scale("bounded", higher)
    spread = float(np.std(values)) if len(values) > 1 else abs(float(values[0]))
    return Scale("linear", higher, max(spread, SPREAD_FLOOR))
