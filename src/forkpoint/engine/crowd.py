"""Conditioning for many arms: exact, and linear in their number.

Arms only share the common curve, what alike arms have in common, and the errors of rows that all
were scored on. Each is a few weights times known loads (arms lie on a line along which likeness
falls off smoothly, so that some tens of weights carry it all); given these weights the arms are
independent, and an arm is a block of K rungs. So N scores cost N R^2 for R weights, and not N^3.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, solve_triangular

from forkpoint.engine.kernel import COMMON_LEVEL_SD, Floats, Grid, Ints, terms
from forkpoint.engine.prior import CurveScales
from forkpoint.engine.seen import JITTER, Errors

CROWD = 64  # arms; up to here whole matrices are as fast, and published tables have 30
LIKENESS_LEFT = 1e-9  # of an arm's likeness to itself: left to the arm's own part, not shared
RANK_LEFT = 1e-13  # of the largest eigenvalue over times: below it is rounding


@dataclass(frozen=True)
class Part:
    """What one setting of the prior believes: centred means, loads, the arms' own blocks."""

    log_evidence: float
    mean_C: Floats
    load_CR: Floats
    own_AKK: Floats


@dataclass(frozen=True)
class Crowd:
    """The prior of one setting: `load_CR` of standard normal weights, own blocks by arm."""

    load_CR: Floats
    own_AKK: Floats

    def given(self, cell_N: Ints, off_N: Floats, errors: Errors) -> Part:
        """The posterior, from how far the seen cells are off the prior's mean.

        W is R + 1: the last weight is the error that all scores of the same rows share.
        """
        arms, rungs = self.own_AKK.shape[:2]
        alone_N = errors.variance() - errors.correlation * errors.row_N**2 + JITTER
        sharp_C, off_C = np.zeros(arms * rungs), np.zeros(arms * rungs)
        sharp_C[cell_N], off_C[cell_N] = 1 / np.sqrt(alone_N), off_N
        rows_C = np.zeros(arms * rungs)
        rows_C[cell_N] = np.sqrt(errors.correlation) * errors.row_N
        load_CW = np.column_stack([self.load_CR, rows_C])
        sharp_AK = sharp_C.reshape(arms, rungs)
        gram_AKK = np.eye(rungs) + sharp_AK[:, :, None] * self.own_AKK * sharp_AK[:, None, :]
        solve_AKK = sharp_AK[:, :, None] * np.linalg.inv(gram_AKK) * sharp_AK[:, None, :]
        solved_CW = (solve_AKK @ load_CW.reshape(arms, rungs, -1)).reshape(arms * rungs, -1)
        alone_C = (solve_AKK @ off_C.reshape(arms, rungs, 1)).ravel()
        weight_WW = load_CW.T @ solved_CW
        weight_WW[np.diag_indices_from(weight_WW)] += 1.0
        root_WW = np.linalg.cholesky((weight_WW + weight_WW.T) / 2)
        pulled_W = solved_CW.T @ off_C
        weight_W = cho_solve((root_WW, True), pulled_W)
        load_CW[:, -1] = 0.0  # an error is no part of a curve
        rest_AK1 = (alone_C - solved_CW @ weight_W).reshape(arms, rungs, 1)
        mean_C = load_CW @ weight_W + (self.own_AKK @ rest_AK1).ravel()
        kept_CW = load_CW - (self.own_AKK @ solved_CW.reshape(arms, rungs, -1)).reshape(
            arms * rungs, -1
        )
        misfit = float(off_C @ alone_C - pulled_W @ weight_W)
        log_size = (
            float(np.linalg.slogdet(gram_AKK)[1].sum() + np.log(alone_N).sum())
            + 2 * float(np.log(np.diagonal(root_WW)).sum())
        )  # fmt: skip
        return Part(
            -0.5 * (misfit + log_size),
            mean_C,
            solve_triangular(root_WW, kept_CW.T, lower=True, check_finite=False).T,
            self.own_AKK - self.own_AKK @ solve_AKK @ self.own_AKK,
        )


def crowd(grid: Grid, scales: CurveScales, place_A: Floats, reach: float) -> Crowd:
    """One setting of the prior; `place_A` and `reach` are those of likeness."""
    parts = terms(grid, scales)
    arms = len(grid.final_A)
    cells = len(grid.t_C)
    common_TV, alike_TJ = _half(parts.common_TT), _half(parts.alike_TT)
    share_AQ, left_A = shared_likeness(place_A / reach)
    shared_CR = share_AQ[grid.arm_C][:, :, None] * alike_TJ[parts.place_C][:, None, :]
    place_AK = parts.place_C.reshape(arms, -1)
    over_AKK = place_AK[:, :, None], place_AK[:, None, :]
    own_AKK = parts.own_TT[over_AKK] + left_A[:, None, None] * parts.alike_TT[over_AKK]
    level_C1 = np.full((cells, 1), COMMON_LEVEL_SD)
    load_CR = np.hstack([level_C1, common_TV[parts.place_C], shared_CR.reshape(cells, -1)])
    return Crowd(load_CR, own_AKK)


def _half(cov_TT: Floats) -> Floats:
    """A factor of a covariance over times, without the directions that have none."""
    values, vectors = np.linalg.eigh(cov_TT)
    there = values > RANK_LEFT * max(float(values[-1]), 0.0)
    half: Floats = vectors[:, there] * np.sqrt(values[there])
    return half


def shared_likeness(place_A: Floats) -> tuple[Floats, Floats]:
    """The likeness of all arms as loads (A, Q), and what of each arm's own is left (A).

    A pivoted Cholesky factor: each column takes the arm that the columns so far say least about.
    """
    told_A = np.isfinite(place_A)
    left_A = told_A.astype(float)
    columns: list[Floats] = []
    while len(left_A) and left_A.max() > LIKENESS_LEFT:
        pivot = int(left_A.argmax())
        column_A = np.where(told_A, np.exp(-((place_A - place_A[pivot]) ** 2) / 2), 0.0)
        column_A = np.nan_to_num(column_A)
        for before_A in columns:
            column_A -= before_A * before_A[pivot]
        column_A /= np.sqrt(left_A[pivot])
        columns.append(column_A)
        left_A = np.maximum(left_A - column_A**2, 0.0)
        left_A[pivot] = 0.0
    share_AQ = np.column_stack(columns) if columns else np.zeros((len(place_A), 0))
    return share_AQ, np.where(told_A, left_A, 1.0)
