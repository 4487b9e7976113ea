"""The curve model: every arm's score at every rung as one Gaussian vector, conditioned on cells.

In curve units (scale.py) an arm's curve against t, the doublings of training since the first
rung, is

    common(t) + own(t) + wiggle(t),    common and own: level + slope * t + integral of a walk

A slope that wanders is what the pre-power phase, the power law, its plateau and a turn of
over-fitting have in common; extrapolation is a straight line with an error that grows as
t^1.5. `common` is the task's, so an arm seen at the last rung teaches about all others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from forkpoint.engine.prior import CurveScales, Prior

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
COMMON_LEVEL_SD = 2.0  # curve units; so wide that the scores alone say where a task lies
JITTER = 1e-10  # curve units squared; keeps a Cholesky factor of exact scores possible


@dataclass(frozen=True)
class Grid:
    """The cells of a race, arm-major: `t_C` doublings, `arm_C` arm index, `final_A` cells."""

    t_C: Floats
    arm_C: Ints
    final_A: Ints


@dataclass(frozen=True)
class Seen:
    """What was observed: cells, their curve values, and the covariance of their errors."""

    cell_N: Ints
    value_N: Floats
    error_NN: Floats


@dataclass(frozen=True)
class Belief:
    """A mixture of Gaussians over final values (weight_H, mean_HA, cov_HAA), and its moments.

    `cross_AC` and `variance_C` are the mixture's covariance of finals with each cell and the
    cells' variance, `mean_C` their mean: all that a look-ahead by one cell needs.
    """

    weight_H: Floats
    mean_HA: Floats
    cov_HAA: Floats
    mean_C: Floats
    variance_C: Floats
    cross_AC: Floats
    final_A: Ints

    @property
    def final_mean(self) -> Floats:
        """Mean final values, axis A."""
        return self.mean_C[self.final_A]

    @property
    def final_variance(self) -> Floats:
        """Variance of final values, axis A."""
        return self.variance_C[self.final_A]


def integrated_walk(t_N: Floats, u_M: Floats) -> Floats:
    """Covariance of the integral of a unit random walk between times t and u."""
    low = np.minimum(t_N[:, None], u_M[None, :])
    return low**3 / 3 + low**2 * np.abs(t_N[:, None] - u_M[None, :]) / 2


def covariance(grid: Grid, scales: CurveScales) -> Floats:
    """Prior covariance of all cells under one setting."""
    t = grid.t_C
    same = grid.arm_C[:, None] == grid.arm_C[None, :]
    tt = t[:, None] * t[None, :]
    walk = integrated_walk(t, t)
    common = COMMON_LEVEL_SD**2 + scales.common_slope**2 * tt + scales.common_walk**2 * walk
    own = scales.own_level**2 + scales.own_slope**2 * tt + scales.own_walk**2 * walk
    rough = scales.wiggle**2 * (t[:, None] == t[None, :])
    total: Floats = common + same * (own + rough)
    return total


class CurveModel:
    """The prior over one grid, ready to be conditioned again and again."""

    def __init__(self, grid: Grid, prior: Prior) -> None:
        self.grid = grid
        self.cov_HCC = np.stack([covariance(grid, scales) for scales in prior.scales])
        self.mean_HC = np.stack(
            [scales.slope * grid.t_C + scales.bend * grid.t_C**2 / 2 for scales in prior.scales]
        )

    def belief(self, seen: Seen) -> Belief:
        """The posterior given the seen cells; with none seen, the prior."""
        final = self.grid.final_A
        centre = _centre(self.grid, seen)
        weights, means, finals, crosses, variances = [], [], [], [], []
        for mean_C, cov_CC in zip(self.mean_HC, self.cov_HCC, strict=True):
            mean, final_cov, cross, variance, evidence = _condition(
                mean_C + centre, cov_CC, final, seen
            )
            weights.append(evidence)
            means.append(mean)
            finals.append(final_cov)
            crosses.append(cross)
            variances.append(variance)
        weight_H = np.exp(np.array(weights) - max(weights))
        weight_H /= weight_H.sum()
        mean_HC = np.stack(means)
        mean_C = weight_H @ mean_HC
        off_HC = mean_HC - mean_C
        cross_AC = np.einsum("h,hac->ac", weight_H, np.stack(crosses))
        cross_AC += np.einsum("h,ha,hc->ac", weight_H, off_HC[:, final], off_HC)
        variance_C = weight_H @ (np.stack(variances) + off_HC**2)
        return Belief(
            weight_H, mean_HC[:, final], np.stack(finals), mean_C, variance_C, cross_AC, final
        )


def _centre(grid: Grid, seen: Seen) -> float:
    """Mean of the values seen at the lowest doubling: where the common level is centred."""
    if not len(seen.cell_N):
        return 0.0
    t_N = grid.t_C[seen.cell_N]
    return float(seen.value_N[t_N == t_N.min()].mean())


def _condition(
    mean_C: Floats, cov_CC: Floats, final_A: Ints, seen: Seen
) -> tuple[Floats, Floats, Floats, Floats, float]:
    """Posterior mean_C, final cov_AA, cross_AC, variance_C and the log evidence."""
    cells = seen.cell_N
    cross_AC = cov_CC[final_A]
    variance_C = np.diagonal(cov_CC)
    if not len(cells):
        return mean_C, cross_AC[:, final_A], cross_AC, variance_C, 0.0
    gram = cov_CC[np.ix_(cells, cells)] + seen.error_NN
    gram[np.diag_indices_from(gram)] += JITTER
    factor = cho_factor(gram, lower=True, check_finite=False)
    residual_N = seen.value_N - mean_C[cells]
    solved_N = cho_solve(factor, residual_N, check_finite=False)
    half_NC = solve_triangular(factor[0], cov_CC[cells], lower=True, check_finite=False)
    mean = mean_C + cov_CC[:, cells] @ solved_N
    cross = cross_AC - half_NC[:, final_A].T @ half_NC
    variance = np.maximum(variance_C - np.einsum("nc,nc->c", half_NC, half_NC), 0.0)
    log_root = float(np.log(np.diagonal(factor[0])).sum())
    evidence = -0.5 * float(residual_N @ solved_N) - log_root
    return mean, cross[:, final_A], cross, variance, evidence
