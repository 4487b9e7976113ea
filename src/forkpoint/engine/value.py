"""What a belief is worth: P(best), expected regret, and what one more cell would add."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from forkpoint.engine.curves import Belief
from forkpoint.engine.scale import Scale

Floats = NDArray[np.float64]
DRAWS = 2000  # sampled futures; P(best) of 0.5 is then exact to 0.011
JITTER = 1e-10  # curve units squared; keeps exact look-aheads solvable


@dataclass(frozen=True)
class Odds:
    """Per arm: mean and SD of the final loss, P(best), P(within margin), expected regret."""

    loss_A: Floats
    sd_A: Floats
    p_best_A: Floats
    p_within_A: Floats
    regret_A: Floats


def draws(belief: Belief, seed: int) -> Floats:
    """Sampled final curve values, one row a future, shared out by the mixture's weights."""
    rng = np.random.default_rng(seed)
    arms = len(belief.final_A)
    half = rng.standard_normal((DRAWS // 2, arms))
    normal_SA = np.concatenate([half, -half])
    ends = np.round(np.cumsum(belief.weight_H) * DRAWS).astype(int)
    order = rng.permutation(DRAWS)
    sample_SA = np.empty_like(normal_SA)
    start = 0
    cov_HAA = belief.parts(belief.final_A, belief.final_A)
    for part, end in enumerate(ends):
        if end > start:
            rows = order[start:end]
            values, vectors = np.linalg.eigh((cov_HAA[part] + cov_HAA[part].T) / 2)
            root_AA = vectors * np.sqrt(np.maximum(values, 0.0))
            mean_A = belief.mean_HC[part, belief.final_A]
            sample_SA[rows] = mean_A + normal_SA[rows] @ root_AA.T
            start = end
    return sample_SA


def odds(belief: Belief, scale: Scale, open_A: NDArray[np.bool_], margin: float, seed: int) -> Odds:
    """The odds among the open arms (failed ones have none)."""
    loss_SA = scale.backward(draws(belief, seed))
    competing_SA = np.where(open_A, loss_SA, np.inf)
    best_S = competing_SA.min(axis=1)
    ties_SA = competing_SA <= best_S[:, None]
    p_best_A = (ties_SA / ties_SA.sum(axis=1, keepdims=True)).mean(axis=0)
    return Odds(
        loss_A=loss_SA.mean(axis=0),
        sd_A=loss_SA.std(axis=0),
        p_best_A=p_best_A,
        p_within_A=(competing_SA <= best_S[:, None] + margin).mean(axis=0),
        regret_A=(loss_SA - best_S[:, None]).mean(axis=0),
    )


def plan_gains(
    belief: Belief,
    scale: Scale,
    open_A: NDArray[np.bool_],
    cell_M: NDArray[np.intp],
    error_variance: float,
    normal_SM: Floats,
) -> Floats:
    """How far the expected loss of the pick falls when the first 1, 2, ... cells are looked at.

    Looking moves the means of all finals by `pull_AM` times independent normals, one column a
    cell in the order given, and takes the same squared off their variances.
    """
    final = belief.final_A
    both_MX = belief.covariance(cell_M, np.concatenate([cell_M, final]))
    gram_MM = both_MX[:, : len(cell_M)]
    gram_MM[np.diag_indices_from(gram_MM)] += error_variance + JITTER
    root_MM = np.linalg.cholesky(gram_MM)
    pull_AM = solve_triangular(root_MM, both_MX[:, len(cell_M) :], lower=True).T
    mean_A = belief.mean(final)
    variance_A = np.diagonal(belief.covariance(final, final))
    mean_SAM = mean_A[:, None] + np.cumsum(pull_AM * normal_SM[:, None, :], axis=2)
    left_AM = np.maximum(variance_A[:, None] - np.cumsum(pull_AM**2, axis=1), 0.0)
    loss_SAM = scale.expected(mean_SAM, left_AM)
    loss_SAM[:, ~open_A] = np.inf
    pick = int(np.argmin(np.where(open_A, scale.expected(mean_A, variance_A), np.inf)))
    gain_M: Floats = (loss_SAM[:, pick] - loss_SAM.min(axis=1)).mean(axis=0)
    return gain_M
