"""Learn the curve model's prior from tables of published curves, by its evidence.

    python benchmarks/fit_priors.py --table A.csv --table B.csv --write

writes the prior that ships (src/forkpoint/engine/priors/log.json). Judging a table calls
`fit_prior` with the other tables only. No name of a checkpoint or family is read.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from tables import Floats, Table, TableError, read_table

from forkpoint.engine import CurveScales, Prior
from forkpoint.engine.kernel import Grid, covariance
from forkpoint.engine.seen import JITTER

START = CurveScales(
    mean_slope=-0.03,
    bend=-0.004,
    own_level=0.3,
    own_slope=0.012,
    own_walk=0.012,
    common_slope=0.015,
    common_walk=0.01,
    alike_reach=0.3,
    alike_slope=0.01,
    alike_walk=0.008,
    wiggle=0.006,
)  # log loss per doubling; only where the search begins and, weakly, what it is drawn to
DRAWN_SD = 1.0  # natural log units: how far the evidence may move an SD from START unhindered
SEARCH = {"maxiter": 300, "ftol": 1e-13, "gtol": 1e-5, "finite_diff_rel_step": 1e-4}
STARTS = 12  # of the search, each where the last one ended, which forgets its curvature
SETTLED = 1e-6  # nats of evidence; a start that brings less was the last
OUTLIER = 5.0  # leave-one-out SDs; a cell this far off is left out of the fit, once
WALKS = (0.4, 0.8, 1.6)  # ruled: one or two tables cannot say how tables differ, so a race
WIGGLES = (0.3, 1.0)  # chooses between calm and rough settings around the fitted ones
PRIOR_FILE = Path(__file__).parent.parent / "src/forkpoint/engine/priors/log.json"
SIGNED = ("mean_slope", "bend")
LEFT_OUT = ("kin_reach", "fade")  # 0, which has no logarithm: tables hold no second likelihood
NAMES = tuple(name for name in CurveScales.model_fields if name not in LEFT_OUT)


def fit_prior(tables: Sequence[Table]) -> Prior:
    """The settings around the one with the greatest evidence over all tables."""
    usable = [table for table in tables if np.nanmin(table.loss_AK) > 0]
    if not usable:
        raise TableError("no table with losses above 0 to fit a prior on.")
    keeps = [np.isfinite(table.loss_AK).ravel() for table in usable]
    best = _search(usable, keeps, START)
    keeps = [_without_outliers(t, keep, best) for t, keep in zip(usable, keeps, strict=True)]
    best = _search(usable, keeps, best)
    names = ", ".join(table.name for table in usable)
    left_out = sum(
        int(np.isfinite(t.loss_AK).sum() - k.sum()) for t, k in zip(usable, keeps, strict=True)
    )
    settings = tuple(
        best.model_copy(
            update={
                "own_walk": _rounded(best.own_walk * walk),
                "own_slope": _rounded(best.own_slope * walk),
                "alike_walk": _rounded(best.alike_walk * walk),
                "wiggle": _rounded(best.wiggle * wiggle),
            }
        )
        for walk in WALKS
        for wiggle in WIGGLES
    )
    return Prior(
        scales=settings,
        origin=f"benchmarks/fit_priors.py on {names}, {left_out} outlying cells left out",
    )


def _search(tables: Sequence[Table], keeps: Sequence[Floats], start: CurveScales) -> CurveScales:
    begin = np.array([_coded(name, getattr(start, name)) for name in NAMES])
    drawn = np.array([_coded(name, getattr(START, name)) for name in NAMES])

    def decoded(point: Floats) -> CurveScales:
        values = {
            n: v / 100 if n in SIGNED else np.exp(v) for n, v in zip(NAMES, point, strict=True)
        }
        return CurveScales(**{name: float(value) for name, value in values.items()})

    def cost(point: Floats) -> float:
        scales = decoded(point)
        total = sum(_surprise(t, keep, scales)[0] for t, keep in zip(tables, keeps, strict=True))
        return total + float(((point - drawn) ** 2).sum()) / (2 * DRAWN_SD**2)

    point, least = begin, np.inf
    for _ in range(STARTS):
        found = minimize(cost, point, method="L-BFGS-B", jac="3-point", options=SEARCH)
        point, before, least = found.x, least, float(found.fun)
        if before - least < SETTLED:
            break
    best = decoded(point)
    return CurveScales(**{name: _rounded(getattr(best, name)) for name in NAMES})


def _rounded(value: float) -> float:
    """Two digits: what a table can say, and the same on every machine."""
    return float(f"{value:.2g}")


def _coded(name: str, value: float) -> float:
    return value * 100 if name in SIGNED else float(np.log(value))


def _surprise(
    table: Table, keep: Floats, scales: CurveScales, each: bool = False
) -> tuple[float, Floats]:
    """Minus the log evidence of a table's curves; on request each cell's leave-one-out residual."""
    arms, rungs = table.loss_AK.shape
    t_K = np.log2(table.rows_K / table.rows_K[0])
    cells = np.flatnonzero(keep)
    grid = Grid(np.tile(t_K, arms)[cells], np.repeat(np.arange(arms), rungs)[cells], cells[:0])
    gram = covariance(grid, scales, np.log(_first(table)))
    gram[np.diag_indices_from(gram)] += JITTER
    try:
        factor = cho_factor(gram, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return 1e9, np.zeros(len(cells))
    value = np.log(table.loss_AK.ravel()[cells])
    first = value[grid.t_C == grid.t_C.min()].mean()
    off = value - first - scales.mean_slope * grid.t_C - scales.bend * grid.t_C**2 / 2
    solved = cho_solve(factor, off, check_finite=False)
    surprise = 0.5 * float(off @ solved) + float(np.log(np.diagonal(factor[0])).sum())
    if not each:
        return surprise, solved
    inverse = np.diagonal(cho_solve(factor, np.eye(len(cells)), check_finite=False))
    return surprise, solved / np.sqrt(inverse)


def _first(table: Table) -> Floats:
    """Each arm's first score that is there."""
    there_AK = np.isfinite(table.loss_AK)
    first: Floats = table.loss_AK[np.arange(len(there_AK)), there_AK.argmax(axis=1)]
    return first


def _without_outliers(table: Table, keep: Floats, scales: CurveScales) -> Floats:
    _, residual = _surprise(table, keep, scales, each=True)
    kept = keep.copy()
    kept[np.flatnonzero(keep)[np.abs(residual) > OUTLIER]] = False
    return kept


def main() -> int:
    """Fit on the tables given, print, and write the shipped prior on request."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--table", action="append", required=True, type=Path)
    parser.add_argument("--write", action="store_true", help="replace the prior that ships")
    given = parser.parse_args()
    try:
        prior = fit_prior([read_table(path) for path in given.table])
    except TableError as error:
        print(f"fit_priors: {error}", file=sys.stderr)
        return 2
    print(prior.to_json(indent=1))
    if given.write:
        PRIOR_FILE.write_text(prior.to_json(indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
