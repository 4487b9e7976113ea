"""What a belief is worth: P(best), expected regret, and what one more cell would add."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from forkpoint.engine.curves import Belief
from forkpoint.engine.scale import Scale

Floats = NDArray[np.float64]
DRAWS = 4000  # sampled futures; P(best) of 0.5 is then exact to 0.008
NODES = 15  # equally likely outcomes of a look-ahead


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
    arms = belief.mean_HA.shape[1]
    half = rng.standard_normal((DRAWS // 2, arms))
    normal_SA = np.concatenate([half, -half])
    ends = np.round(np.cumsum(belief.weight_H) * DRAWS).astype(int)
    order = rng.permutation(DRAWS)
    sample_SA = np.empty_like(normal_SA)
    start = 0
    for end, mean_A, cov_AA in zip(ends, belief.mean_HA, belief.cov_HAA, strict=True):
        if end > start:
            rows = order[start:end]
            values, vectors = np.linalg.eigh((cov_AA + cov_AA.T) / 2)
            root = vectors * np.sqrt(np.maximum(values, 0.0))
            sample_SA[rows] = mean_A + normal_SA[rows] @ root.T
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


def knowledge_gain(
    belief: Belief, scale: Scale, open_A: NDArray[np.bool_], cell_M: NDArray[np.intp],
    error_variance: float,
) -> Floats:
    """How much the expected loss of the pick falls when one cell is looked at, per cell."""
    mean_A, variance_A = belief.final_mean, belief.final_variance
    cell_variance_M = belief.variance_C[cell_M] + error_variance
    pull_AM = belief.cross_AC[:, cell_M] / np.sqrt(np.maximum(cell_variance_M, 1e-18))
    node_Q = ndtri((np.arange(NODES) + 0.5) / NODES)
    node_Q /= np.sqrt(np.mean(node_Q**2))
    mean_AMQ = mean_A[:, None, None] + pull_AM[:, :, None] * node_Q
    left_AM = np.maximum(variance_A[:, None] - pull_AM**2, 0.0)
    loss_AMQ = scale.expected(mean_AMQ, left_AM[:, :, None])
    loss_AMQ[~open_A] = np.inf
    now_AM = loss_AMQ.mean(axis=2)
    gain_M: Floats = now_AM.min(axis=0) - loss_AMQ.min(axis=0).mean(axis=1)
    return gain_M
