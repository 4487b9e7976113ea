"""What a belief is worth: P(best), expected regret, and what one more cell would add."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from forkpoint.engine.belief import Belief
from forkpoint.engine.crowd import CROWD
from forkpoint.engine.kernel import Floats, Ints
from forkpoint.engine.scale import Scale

DRAWS = 2000  # sampled futures; P(best) of 0.5 is then exact to 0.011
CROWD_DRAWS = 500  # of more than 64 arms; P(best) of 0.5 is then exact to 0.022
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
    arms = len(belief.final_A)
    count = DRAWS if arms <= CROWD else CROWD_DRAWS
    normal_SW = normals(seed, count, belief.width())
    ends = np.round(np.cumsum(belief.weight_H) * count).astype(int)
    order = np.random.default_rng(seed).permutation(count)
    centre_SA = np.empty((count, arms))
    away_SA = np.empty_like(centre_SA)
    start = 0
    for part, end in enumerate(ends):
        if end > start:
            rows = order[start:end]
            centre_SA[rows] = belief.mean_HC[part, belief.final_A]
            away_SA[rows] = belief.away(part, normal_SW[rows])
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
    """The moments that every look-ahead of one decision shares, of the finals of the arms that
    may be picked (F).

    Covariances with cells are worked out for the cells of a plan only: those of all cells would
    cost as much as everything else together once there are a thousand arms.
    """

    belief: Belief
    scale: Scale
    final_F: Ints
    mean_F: Floats
    variance_F: Floats
    error_variance: float

    @classmethod
    def of(cls, belief: Belief, scale: Scale, arm_F: Ints, error_variance: float) -> "Lookout":
        """What is needed of a belief; `error_variance` is expected of the next score."""
        final_F = belief.final_A[arm_F]
        variance_F = np.maximum(belief.between(final_F, final_F), 0.0)
        return cls(belief, scale, final_F, belief.mean(final_F), variance_F, error_variance)

    def pull(self, cell_M: Ints) -> Floats:
        """How far seeing each cell, after those before it, moves the means of the finals (F, M)."""
        gram_MM = self.belief.covariance(cell_M, cell_M)
        gram_MM[np.diag_indices_from(gram_MM)] += self.error_variance + JITTER
        root_MM = np.linalg.cholesky(gram_MM)
        cross_FM = self.belief.covariance(self.final_F, cell_M)
        pull_FM: Floats = solve_triangular(root_MM, cross_FM.T, lower=True).T
        return pull_FM

    def gains(self, pull_FM: Floats, normal_SM: Floats) -> Floats:
        """How far the expected loss of the pick falls when the first 1, 2, ... cells are seen.

        Looking moves the means of all finals by `pull_FM` times independent normals, one column
        a cell in the order given, and takes the same squared off their variances.
        """
        shift_SFM = np.cumsum(pull_FM * normal_SM[:, None, :], axis=2)
        left_FM = np.maximum(self.variance_F[:, None] - np.cumsum(pull_FM**2, axis=1), 0.0)
        loss_SFM = self.scale.expected(self.mean_F[:, None] + shift_SFM, left_FM)
        pick = int(np.argmin(self.scale.expected(self.mean_F, self.variance_F)))
        gain_M: Floats = (loss_SFM[:, pick] - loss_SFM.min(axis=1)).mean(axis=0)
        return gain_M

    def tells(self, arm_M: Ints, cell_M: Ints) -> Floats:
        """SD by which each cell would move the mean of its own arm's final value."""
        variance_M = np.maximum(self.belief.between(cell_M, cell_M), 0.0)
        spread_M = np.sqrt(variance_M + self.error_variance + JITTER)
        cross_M = self.belief.between(self.belief.final_A[arm_M], cell_M)
        told_M: Floats = np.abs(cross_M) / spread_M
        return told_M
