"""The curve model ready for use: conditioned again and again on what was seen so far."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from forkpoint.engine.belief import Belief, CrowdBelief, DenseBelief
from forkpoint.engine.crowd import CROWD, Crowd, crowd
from forkpoint.engine.kernel import Floats, Grid, covariance, likeness_place
from forkpoint.engine.prior import Prior
from forkpoint.engine.seen import JITTER, Seen


class CurveModel:
    """The prior over one grid; more than CROWD arms are conditioned through what they share."""

    def __init__(self, grid: Grid, prior: Prior) -> None:
        self.grid = grid
        self.prior = prior
        t_C = grid.t_C
        self.mean_HC = np.stack([s.mean_slope * t_C + s.bend * t_C**2 / 2 for s in prior.scales])
        self._key: Floats | None = None
        self._cov_HCC: Floats = np.empty(0)
        self._crowds: list[Crowd] = []

    def belief(self, seen: Seen) -> Belief:
        """The posterior given the seen cells, of which there must be at least one."""
        centre, level_A = _starts(self.grid, seen)
        told = seen.kin_A if seen.kin_A is not None else level_A[:0]
        many = len(level_A) > CROWD and seen.errors.told_MM is None
        key = np.concatenate([[float(many)], level_A, told])
        if self._key is None or not np.array_equal(key, self._key, equal_nan=True):
            self._key = key
            self._prepare(level_A, seen.kin_A, many)
        mean_HC = self.mean_HC + centre
        return self._of_many(seen, mean_HC) if many else self._of_few(seen, mean_HC)

    def _prepare(self, level_A: Floats, kin_A: Floats | None, many: bool) -> None:
        settings = self.prior.scales
        if many:
            self._crowds = [
                crowd(self.grid, one, *likeness_place(one, level_A, kin_A)) for one in settings
            ]
        else:
            self._cov_HCC = np.stack(
                [covariance(self.grid, one, level_A, kin_A) for one in settings]
            )

    def _of_few(self, seen: Seen, mean_HC: Floats) -> Belief:
        """By one Cholesky factor of the covariance of all that was seen."""
        error_NN = seen.errors.matrix()
        log_evidence, means, halves = [], [], []
        for mean_C, cov_CC in zip(mean_HC, self._cov_HCC, strict=True):
            gram_NN = cov_CC[np.ix_(seen.cell_N, seen.cell_N)] + error_NN
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
        return DenseBelief(
            _weights(log_evidence),
            np.stack(means),
            self.grid.final_A,
            self._cov_HCC,
            np.stack(halves),
        )

    def _of_many(self, seen: Seen, mean_HC: Floats) -> Belief:
        """Arm by arm, given the weights that they share."""
        parts = [
            one.given(seen.cell_N, seen.value_N - mean_C[seen.cell_N], seen.errors)
            for one, mean_C in zip(self._crowds, mean_HC, strict=True)
        ]
        widest = max(part.load_CR.shape[1] for part in parts)
        loads = [np.pad(p.load_CR, ((0, 0), (0, widest - p.load_CR.shape[1]))) for p in parts]
        return CrowdBelief(
            _weights([part.log_evidence for part in parts]),
            mean_HC + np.stack([part.mean_C for part in parts]),
            self.grid.final_A,
            np.stack([part.own_AKK for part in parts]),
            np.stack(loads),
        )


def _weights(log_evidence: list[float]) -> Floats:
    weight_H: Floats = np.exp(np.array(log_evidence) - max(log_evidence))
    weight_H /= weight_H.sum()
    return weight_H


def _starts(grid: Grid, seen: Seen) -> tuple[float, Floats]:
    """The common level to centre on, and each arm's lowest seen value (the centre if unseen)."""
    t_N = grid.t_C[seen.cell_N]
    centre = float(seen.value_N[t_N == t_N.min()].mean())
    level_A = np.full(len(grid.final_A), centre)
    order = np.argsort(-t_N, kind="stable")
    level_A[grid.arm_C[seen.cell_N[order]]] = seen.value_N[order]
    return centre, level_A
