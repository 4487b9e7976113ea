"""The curve model's covariance: every arm's score at every rung as one Gaussian vector.

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

from forkpoint.engine.prior import CurveScales

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
COMMON_LEVEL_SD = 2.0  # curve units; so wide that the scores alone say where a task lies


@dataclass(frozen=True)
class Grid:
    """The cells of a race, arm-major: `t_C` doublings, `arm_C` arm index, `final_A` cells."""

    t_C: Floats
    arm_C: Ints
    final_A: Ints


@dataclass(frozen=True)
class Terms:
    """The three parts of the covariance over distinct times T, and each cell's place in these."""

    place_C: Ints
    common_TT: Floats
    alike_TT: Floats
    own_TT: Floats


def integrated_walk(t_N: Floats, u_M: Floats) -> Floats:
    """Covariance of the integral of a unit random walk between times t and u."""
    low = np.minimum(t_N[:, None], u_M[None, :])
    return low**3 / 3 + low**2 * np.abs(t_N[:, None] - u_M[None, :]) / 2


def terms(grid: Grid, scales: CurveScales) -> Terms:
    """What each part of the model says of two times; the common level is left out."""
    t_T, place_C = np.unique(grid.t_C, return_inverse=True)
    rise_TT, walk_TT = t_T[:, None] * t_T[None, :], integrated_walk(t_T, t_T)
    common_TT = scales.common_slope**2 * rise_TT + scales.common_walk**2 * walk_TT
    alike_TT = scales.alike_slope**2 * rise_TT + scales.alike_walk**2 * walk_TT
    own_TT = scales.own_slope**2 * rise_TT + scales.own_walk**2 * walk_TT
    own_TT = own_TT + scales.own_level**2 + scales.wiggle**2 * np.eye(len(t_T))
    return Terms(place_C, common_TT, alike_TT, own_TT)


def covariance(
    grid: Grid, scales: CurveScales, level_A: Floats, kin_A: Floats | None = None
) -> Floats:
    """Prior covariance of all cells under one setting.

    `level_A` are the arms' first values, `kin_A` what else says which arms are alike.
    """
    parts = terms(grid, scales)
    cells = np.ix_(parts.place_C, parts.place_C)
    same_CC = grid.arm_C[:, None] == grid.arm_C[None, :]
    total: Floats = COMMON_LEVEL_SD**2 + parts.common_TT[cells] + same_CC * parts.own_TT[cells]
    share_AA = likeness(*likeness_place(scales, level_A, kin_A))
    alike: Floats = share_AA[np.ix_(grid.arm_C, grid.arm_C)] * parts.alike_TT[cells]
    return total + alike


def likeness_place(
    scales: CurveScales, level_A: Floats, kin_A: Floats | None
) -> tuple[Floats, float]:
    """Where each arm stands on the line along which arms are alike (NaN: like nobody), and how
    far likeness reaches there."""
    if kin_A is not None and scales.kin_reach > 0:
        return kin_A, scales.kin_reach
    return level_A, scales.alike_reach


def likeness(place_A: Floats, reach: float) -> Floats:
    """How much each two arms share of the alike part: 1 for an arm with itself."""
    apart_AA = (place_A[:, None] - place_A) / reach
    share_AA: Floats = np.nan_to_num(np.exp(-(apart_AA**2) / 2))
    np.fill_diagonal(share_AA, 1.0)
    return share_AA
