"""What a belief is worth: P(best), expected regret, and what one more cell would add."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from forkpoint.engine.curves import Belief
from forkpoint.engine.scale import Scale

Floats = NDArray[np.float64]
DRAWS = 2000  # sampled futures; P(best) of 0.5 is then exact to 0.011
DOUBT = 1.75  # times the model's SDs: the best log score on either of two tables, so that each
# is judged by the other's [studies/selection.md]
JITTER = 1e-10  # curve units squared; keeps exact look-aheads solvable


@dataclass(frozen=True)
class Odds:
    """Per arm: mean and SD of the final loss, P(best), P(within margin), expected regret.

    `lead_A` is P(best) without the doubt about the model: it says where to look, not how sure
    to be. Means are without it too, as a wide error must not make an arm look worse.
    """

    loss_A: Floats
    sd_A: Floats
    lead_A: Floats
    p_best_A: Floats
    p_within_A: Floats
    regret_A: Floats


@cache
def normals(seed: int, count: int, width: int) -> Floats:
    """Standard normals in opposite pairs, the same whenever asked for."""
    half = np.random.default_rng(seed).standard_normal((count // 2, width))
    return np.concatenate([half, -half])


def draws(belief: Belief, seed: int) -> tuple[Floats, Floats]:
    """Sampled final curve values as centres and deviations, one row a future, shared out by the
    mixture's weights."""
    normal_SA = normals(seed, DRAWS, len(belief.final_A))
    ends = np.round(np.cumsum(belief.weight_H) * DRAWS).astype(int)
    order = np.random.default_rng(seed).permutation(DRAWS)
    centre_SA, away_SA = np.empty_like(normal_SA), np.empty_like(normal_SA)
    start = 0
    cov_HAA = belief.parts(belief.final_A, belief.final_A)
    for part, end in enumerate(ends):
        if end > start:
            rows = order[start:end]
            values, vectors = np.linalg.eigh((cov_HAA[part] + cov_HAA[part].T) / 2)
            root_AA = vectors * np.sqrt(np.maximum(values, 0.0))
            centre_SA[rows] = belief.mean_HC[part, belief.final_A]
            away_SA[rows] = normal_SA[rows] @ root_AA.T
            start = end
    return centre_SA, away_SA


def odds(
    belief: Belief,
    scale: Scale,
    open_A: NDArray[np.bool_],
    margin: float,
    seed: int,
    doubt: float = DOUBT,
) -> Odds:
    """The odds among the open arms (failed ones have none)."""
    centre_SA, away_SA = draws(belief, seed)
    sharp_SA = scale.backward(centre_SA + away_SA)
    loss_SA = scale.backward(centre_SA + doubt * away_SA)
    competing_SA = np.where(open_A, loss_SA, np.inf)
    best_S = competing_SA.min(axis=1)
    return Odds(
        loss_A=sharp_SA.mean(axis=0),
        sd_A=loss_SA.std(axis=0),
        lead_A=_chances(np.where(open_A, sharp_SA, np.inf)),
        p_best_A=_chances(competing_SA),
        p_within_A=(competing_SA <= best_S[:, None] + margin).mean(axis=0),
        regret_A=(loss_SA - best_S[:, None]).mean(axis=0),
    )


def _chances(loss_SA: Floats) -> Floats:
    """Share of futures in which each arm has the least loss; ties are shared."""
    ties_SA = loss_SA <= loss_SA.min(axis=1, keepdims=True)
    chance_A: Floats = (ties_SA / ties_SA.sum(axis=1, keepdims=True)).mean(axis=0)
    return chance_A


@dataclass(frozen=True)
class Lookout:
    """The moments that every look-ahead of one decision shares: finals (A) and cells (C).

    Covariances of finals with cells are worked out for the cells of a plan only: those of all
    cells would cost as much as everything else together once there are a thousand arms.
    """

    belief: Belief
    scale: Scale
    open_A: NDArray[np.bool_]
    mean_A: Floats
    variance_A: Floats
    variance_C: Floats
    error_variance: float

    @classmethod
    def of(
        cls, belief: Belief, scale: Scale, open_A: NDArray[np.bool_], error_variance: float
    ) -> "Lookout":
        """What is needed of a belief; `error_variance` is expected of the next score."""
        final, everything = belief.final_A, np.arange(belief.mean_HC.shape[1])
        off_HC = belief.mean_HC - belief.mean(everything)
        seen_HC = np.einsum("hnc,hnc->hc", belief.half_HNC, belief.half_HNC)
        own_HC = np.diagonal(belief.prior_HCC, axis1=1, axis2=2) - seen_HC + off_HC**2
        variance_C = np.maximum(belief.weight_H @ own_HC, 0.0)
        mean_A = belief.mean(final)
        return cls(belief, scale, open_A, mean_A, variance_C[final], variance_C, error_variance)

    def pull(self, cell_M: NDArray[np.intp]) -> Floats:
        """How far seeing each cell, after those before it, moves the means of all finals (A, M)."""
        gram_MM = self.belief.covariance(cell_M, cell_M)
        gram_MM[np.diag_indices_from(gram_MM)] += self.error_variance + JITTER
        root_MM = np.linalg.cholesky(gram_MM)
        cross_AM = self.belief.covariance(self.belief.final_A, cell_M)
        pull_AM: Floats = solve_triangular(root_MM, cross_AM.T, lower=True).T
        return pull_AM

    def gains(self, pull_AM: Floats, normal_SM: Floats) -> Floats:
        """How far the expected loss of the pick falls when the first 1, 2, ... cells are seen.

        Looking moves the means of all finals by `pull_AM` times independent normals, one column
        a cell in the order given, and takes the same squared off their variances.
        """
        shift_SAM = np.cumsum(pull_AM * normal_SM[:, None, :], axis=2)
        left_AM = np.maximum(self.variance_A[:, None] - np.cumsum(pull_AM**2, axis=1), 0.0)
        loss_SAM = self.scale.expected(self.mean_A[:, None] + shift_SAM, left_AM)
        loss_SAM[:, ~self.open_A] = np.inf
        now_A = self.scale.expected(self.mean_A, self.variance_A)
        pick = int(np.argmin(np.where(self.open_A, now_A, np.inf)))
        gain_M: Floats = (loss_SAM[:, pick] - loss_SAM.min(axis=1)).mean(axis=0)
        return gain_M

    def tells(self, arm_M: NDArray[np.intp], cell_M: NDArray[np.intp]) -> Floats:
        """SD by which each cell would move the mean of its own arm's final value."""
        spread_M = np.sqrt(self.variance_C[cell_M] + self.error_variance + JITTER)
        cross_M = self.belief.between(self.belief.final_A[arm_M], cell_M)
        told_M: Floats = np.abs(cross_M) / spread_M
        return told_M
