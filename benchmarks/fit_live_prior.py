"""Learn the prior of live curves from the bank: one setting of the curve model for each task.

    python benchmarks/fit_live_prior.py --bank docs/studies/bank.jsonl [--write]

Each task's curves are fitted by their evidence, drawn to what all tasks share; the prior is the
set of these settings, of equal weight, so that a race finds out which task it is most like.
Judging a task calls `fit_live_prior` without it.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from bank_curves import Curves, Floats, Kind, read_bank
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from forkpoint.engine import CurveScales, Prior
from forkpoint.engine.kernel import Grid, covariance
from forkpoint.engine.scale import Scale
from forkpoint.engine.seen import JITTER

START = CurveScales(
    mean_slope=-0.15, bend=0.0, own_level=0.1, own_slope=0.05, own_walk=0.06,
    common_slope=0.15, common_walk=0.15, alike_reach=0.2, alike_slope=0.03, alike_walk=0.03,
    wiggle=0.03, kin_reach=0.2,
)  # fmt: skip
TOGETHER_SD = 1.0  # natural log units: how far all tasks may move an SD from START unhindered
APART_SD = 0.7  # and one task from all
SIGNED = ("mean_slope", "bend")
ROW_CORRELATION = 0.5  # of two arms' errors on the same rows, as races assume it
PRIOR_FILE = Path(__file__).parent.parent / "src/forkpoint/engine/priors/live.json"
SCALE = Scale("bounded", higher_is_better=True)
NAMES = tuple(CurveScales.model_fields)


def fit_live_prior(bank: Sequence[Curves], kind: Kind = "fresh") -> Prior:
    """One setting for every task among these curves."""
    together = _search(bank, kind, START, START, TOGETHER_SD)
    tasks = list(dict.fromkeys(curves.task for curves in bank))
    settings = tuple(
        _search([c for c in bank if c.task == task], kind, together, together, APART_SD)
        for task in tasks
    )
    names = ", ".join(tasks)
    return Prior(
        scales=settings,
        origin=f"benchmarks/fit_live_prior.py on {kind} curves of the bank: {names}",
    )


def _search(
    bank: Sequence[Curves], kind: Kind, begin: CurveScales, drawn: CurveScales, sd: float
) -> CurveScales:
    start, target = _coded(begin), _coded(drawn)

    def cost(point: Floats) -> float:
        scales = _decoded(point)
        total = sum(
            surprise(curves, kind, seed, scales)
            for curves in bank
            for seed in range(curves.test_AS.shape[1])
        )
        return total + float(((point - target) ** 2).sum()) / (2 * sd**2)

    found = minimize(cost, start, method="L-BFGS-B", options={"maxiter": 30, "ftol": 1e-6})
    best = _decoded(found.x)
    return CurveScales(**{name: round(getattr(best, name), 4) for name in NAMES})


def _coded(scales: CurveScales) -> Floats:
    return np.array(
        [getattr(scales, n) * 10 if n in SIGNED else np.log(getattr(scales, n)) for n in NAMES]
    )


def _decoded(point: Floats) -> CurveScales:
    values = {
        name: float(value / 10 if name in SIGNED else np.exp(np.clip(value, -9, 2)))
        for name, value in zip(NAMES, point, strict=True)
    }
    return CurveScales(**values)


def surprise(curves: Curves, kind: Kind, seed: int, scales: CurveScales) -> float:
    """Minus the log evidence of one seed's curves of all arms, row errors shared in part."""
    arms, _, rungs, rows = curves.right[kind].shape
    tokens_K = curves.tokens["fresh"].mean(axis=(0, 1))
    t_K = np.log2(tokens_K / tokens_K[0])
    grid = Grid(np.tile(t_K, arms), np.repeat(np.arange(arms), rungs), np.arange(0))
    loss_AK = 1.0 - curves.right[kind][:, seed].mean(axis=2)
    value_AK = np.array([[SCALE.forward(float(loss)) for loss in row] for row in loss_AK])
    error = np.array(
        [SCALE.error(float(x), float(np.sqrt(x * (1 - x) / rows)), rows) for x in loss_AK.ravel()]
    )
    kin_A = np.log(curves.bits[kind][:, seed, 0])
    gram = covariance(grid, scales, value_AK[:, 0], kin_A) + ROW_CORRELATION * np.outer(
        error, error
    )
    gram[np.diag_indices_from(gram)] += (1 - ROW_CORRELATION) * error**2 + JITTER
    try:
        factor = cho_factor(gram, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return 1e9
    mean = value_AK[:, 0].mean() + scales.mean_slope * grid.t_C + scales.bend * grid.t_C**2 / 2
    off = value_AK.ravel() - mean
    solved = cho_solve(factor, off, check_finite=False)
    return 0.5 * float(off @ solved) + float(np.log(np.diagonal(factor[0])).sum())


def main() -> None:
    """Fit on the whole bank, print, and write the shipped prior on request."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--write", action="store_true", help="replace the prior that ships")
    given = parser.parse_args()
    prior = fit_live_prior(read_bank(given.bank))
    print(prior.to_json(indent=1))
    if given.write:
        PRIOR_FILE.write_text(prior.to_json(indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
