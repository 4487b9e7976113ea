"""The curve model: every arm's score at every rung as one Gaussian vector, conditioned on cells.

In curve units (scale.py) an arm's curve against t, the doublings of training since the first
rung, is

    common(t) + alike(t) + own(t) + wiggle(t),    each: level + slope * t + integral of a walk

A slope that wanders is what the pre-power phase, the power law, its plateau and a turn of
over-fitting have in common; extrapolation is a straight line with an error that grows as
t^1.5. `common` is the task's, so an arm seen at the last rung teaches about all others;
`alike` is shared the more, the nearer two arms were at their first rung.
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
    """What was observed: cells, their curve values, and the covariance of their errors.

    `kin_A` are the arms' first log likelihood losses, NaN where there is none.
    """

    cell_N: Ints
    value_N: Floats
    error_NN: Floats
    kin_A: Floats | None = None


@dataclass(frozen=True)
class Belief:
    """A mixture of Gaussians over all cells, one part for each setting of the prior.

    `half_HNC` are the parts' Cholesky-solved covariances of seen cells with all cells, so that
    the posterior covariance of any few cells is one product away.
    """

    weight_H: Floats
    mean_HC: Floats
    prior_HCC: Floats
    half_HNC: Floats
    final_A: Ints

    def mean(self, cell_M: Ints) -> Floats:
        """Mean curve values of some cells."""
        mean_M: Floats = self.weight_H @ self.mean_HC[:, cell_M]
        return mean_M

    def parts(self, left_L: Ints, right_M: Ints) -> Floats:
        """Covariance (H, L, M) of two sets of cells in each part."""
        prior_HLM = self.prior_HCC[:, left_L[:, None], right_M[None, :]]
        half_HLN = self.half_HNC[:, :, left_L].transpose(0, 2, 1)
        parts_HLM: Floats = prior_HLM - half_HLN @ self.half_HNC[:, :, right_M]
        return parts_HLM

    def covariance(self, left_L: Ints, right_M: Ints) -> Floats:
        """Covariance (L, M) of the mixture, the parts' disagreement included."""
        left_HL = self.mean_HC[:, left_L] - self.mean(left_L)
        right_HM = self.mean_HC[:, right_M] - self.mean(right_M)
        total_LM: Floats = np.tensordot(self.weight_H, self.parts(left_L, right_M), 1)
        return total_LM + (self.weight_H[:, None] * left_HL).T @ right_HM

    def between(self, left_M: Ints, right_M: Ints) -> Floats:
        """Covariance of each cell with the one at the same place on the other side."""
        left_HM = self.mean_HC[:, left_M] - self.mean(left_M)
        right_HM = self.mean_HC[:, right_M] - self.mean(right_M)
        seen_HM = np.einsum(
            "hnm,hnm->hm", self.half_HNC[:, :, left_M], self.half_HNC[:, :, right_M]
        )
        parts_HM = self.prior_HCC[:, left_M, right_M] - seen_HM + left_HM * right_HM
        total_M: Floats = self.weight_H @ parts_HM
        return total_M


def integrated_walk(t_N: Floats, u_M: Floats) -> Floats:
    """Covariance of the integral of a unit random walk between times t and u."""
    low = np.minimum(t_N[:, None], u_M[None, :])
    return low**3 / 3 + low**2 * np.abs(t_N[:, None] - u_M[None, :]) / 2


def covariance(
    grid: Grid, scales: CurveScales, level_A: Floats, kin_A: Floats | None = None
) -> Floats:
    """Prior covariance of all cells under one setting.

    `level_A` are the arms' first values, `kin_A` what else says which arms are alike.
    """
    t_T, place_C = np.unique(grid.t_C, return_inverse=True)
    rise_TT, walk_TT = t_T[:, None] * t_T[None, :], integrated_walk(t_T, t_T)
    cells = np.ix_(place_C, place_C)
    common_TT = scales.common_slope**2 * rise_TT + scales.common_walk**2 * walk_TT
    alike_TT = scales.alike_slope**2 * rise_TT + scales.alike_walk**2 * walk_TT
    own_TT = scales.own_slope**2 * rise_TT + scales.own_walk**2 * walk_TT
    own_TT = own_TT + scales.own_level**2 + scales.wiggle**2 * np.eye(len(t_T))
    same_CC = grid.arm_C[:, None] == grid.arm_C[None, :]
    total: Floats = COMMON_LEVEL_SD**2 + common_TT[cells] + same_CC * own_TT[cells]
    of_arms = np.ix_(grid.arm_C, grid.arm_C)
    alike: Floats = _alike(scales, level_A, kin_A)[of_arms] * alike_TT[cells]
    return total + alike


def _alike(scales: CurveScales, level_A: Floats, kin_A: Floats | None) -> Floats:
    """How much each two arms share of the alike part: 1 for an arm with itself."""
    by_kin = kin_A is not None and scales.kin_reach > 0
    place_A = kin_A if kin_A is not None and by_kin else level_A
    apart_AA = (place_A[:, None] - place_A) / (scales.kin_reach if by_kin else scales.alike_reach)
    share_AA: Floats = np.nan_to_num(np.exp(-(apart_AA**2) / 2))  # no likelihood: like nobody
    np.fill_diagonal(share_AA, 1.0)
    return share_AA


class CurveModel:
    """The prior over one grid, ready to be conditioned again and again."""

    def __init__(self, grid: Grid, prior: Prior) -> None:
        self.grid = grid
        self.prior = prior
        t_C = grid.t_C
        self.mean_HC = np.stack([s.mean_slope * t_C + s.bend * t_C**2 / 2 for s in prior.scales])
        self._key: Floats | None = None
        self._cov_HCC: Floats = np.empty(0)

    def belief(self, seen: Seen) -> Belief:
        """The posterior given the seen cells, of which there must be at least one."""
        centre, level_A = _starts(self.grid, seen)
        told = seen.kin_A if seen.kin_A is not None else level_A[:0]
        key = np.concatenate([level_A, told])
        if self._key is None or not np.array_equal(key, self._key, equal_nan=True):
            self._key = key
            self._cov_HCC = np.stack(
                [covariance(self.grid, one, level_A, seen.kin_A) for one in self.prior.scales]
            )
        mean_HC = self.mean_HC + centre
        log_evidence, means, halves = [], [], []
        for mean_C, cov_CC in zip(mean_HC, self._cov_HCC, strict=True):
            gram_NN = cov_CC[np.ix_(seen.cell_N, seen.cell_N)] + seen.error_NN
            gram_NN[np.diag_indices_from(gram_NN)] += JITTER
            root_NN, lower = cho_factor(gram_NN, lower=True, check_finite=False)
            off_N = seen.value_N - mean_C[seen.cell_N]
            solved_N = cho_solve((root_NN, lower), off_N, check_finite=False)
            log_root = float(np.log(np.diagonal(root_NN)).sum())
            log_evidence.append(-0.5 * float(off_N @ solved_N) - log_root)
            means.append(mean_C + cov_CC[:, seen.cell_N] @ solved_N)
            halves.append(
                solve_triangular(root_NN, cov_CC[seen.cell_N], lower=True, check_finite=False)
            )
        weight_H = np.exp(np.array(log_evidence) - max(log_evidence))
        weight_H /= weight_H.sum()
        return Belief(weight_H, np.stack(means), self._cov_HCC, np.stack(halves), self.grid.final_A)


def _starts(grid: Grid, seen: Seen) -> tuple[float, Floats]:
    """The common level to centre on, and each arm's lowest seen value (the centre if unseen)."""
    t_N = grid.t_C[seen.cell_N]
    centre = float(seen.value_N[t_N == t_N.min()].mean())
    level_A = np.full(len(grid.final_A), centre)
    order = np.argsort(-t_N, kind="stable")
    level_A[grid.arm_C[seen.cell_N[order]]] = seen.value_N[order]
    return centre, level_A
