"""Learn the prior of live curves from the bank: settings of the curve model for each task.

    python benchmarks/fit_live_prior.py --bank docs/studies/bank.jsonl [--out prior.json]
    python benchmarks/fit_live_prior.py --bank docs/studies/bank.jsonl --judge

The curves of a setting are the means over its seeds, with the noise between seeds as an error: that
is no roughness of the expected curve. Each task's are fitted by their evidence, drawn to what all
tasks share. The prior holds what all share and every task's own, each from calm to rough, of equal
weight, so that a race finds out which task it is most like.

Judging a task calls `fit_live_prior` without it; `--judge` prints the log score of each task's
curves, seed by seed, by the prior of the others, beside the ruled prior.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from bank_curves import Curves, Floats, Kind, read_bank
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from forkpoint.engine import CurveScales, Prior
from forkpoint.engine.history import seed_error
from forkpoint.engine.kernel import Grid, covariance, mean_curve
from forkpoint.engine.scale import Scale
from forkpoint.engine.seen import JITTER
from forkpoint.race.live_prior import RULED_PRIOR
from forkpoint.verdict.contrast import KNOWN_SEED_SD

START = CurveScales(
    mean_slope=-0.15, bend=0.0, own_level=0.1, own_slope=0.05, own_walk=0.06,
    common_slope=0.15, common_walk=0.15, alike_reach=0.2, alike_slope=0.03, alike_walk=0.03,
    wiggle=0.03, kin_reach=0.2, fade=0.5,
)  # fmt: skip
ROUGH = (0.5, 1.0, 2.0)  # ruled: few tasks cannot say how tasks differ
COMMON_SD = 0.15  # per doubling, ruled: at least so much is open about what all arms share,
# which a race sees at once and in which tasks differ most
TOGETHER_SD = 1.0  # natural log units: how far all tasks may move an SD from START unhindered
APART_SD = 0.7  # and one task from all
SIGNED = ("mean_slope", "bend")
ROW_CORRELATION = 0.5  # of two arms' errors on the same rows, as races assume it
SCALE = Scale("bounded", higher_is_better=True)
COMMON = ("common_slope", "common_walk")
WALKS = ("own_slope", "own_walk", "alike_slope", "alike_walk")
NAMES = tuple(CurveScales.model_fields)


def fit_live_prior(bank: Sequence[Curves], kind: Kind = "fresh") -> Prior:
    """What all these curves share and, of two tasks and more, each task's own; calm to rough."""
    together = _search(bank, kind, START, TOGETHER_SD)
    tasks = list(dict.fromkeys(curves.task for curves in bank))
    found = [together]
    if len(tasks) > 1:
        of_task = [[c for c in bank if c.task == task] for task in tasks]
        found += [_search(curves, kind, together, APART_SD) for curves in of_task]
    names = ", ".join(curves.name for curves in bank)
    return Prior(
        scales=tuple(_rougher(one, times) for one in found for times in ROUGH),
        origin=f"benchmarks/fit_live_prior.py on {kind} curves of the bank: {names}",
    )


def seed_noise(bank: Sequence[Curves]) -> float:
    """SD of a final score over training seeds."""
    return float(np.sqrt(np.mean([curves.test_AS.var(axis=1, ddof=1).mean() for curves in bank])))


def noise_elsewhere(bank: Sequence[Curves]) -> dict[str, float]:
    """Task -> SD over training seeds in the other tasks; a bank of one task has the assumed one."""
    others = {one.task: [other for other in bank if other.task != one.task] for one in bank}
    return {task: seed_noise(found) if found else KNOWN_SEED_SD for task, found in others.items()}


def _rougher(scales: CurveScales, times: float) -> CurveScales:
    common = {name: max(getattr(scales, name), COMMON_SD) for name in COMMON}
    own = {name: round(getattr(scales, name) * times, 5) for name in WALKS}
    return scales.model_copy(update={**own, **common})


def _search(bank: Sequence[Curves], kind: Kind, drawn: CurveScales, sd: float) -> CurveScales:
    start = _coded(drawn)
    noise = [seed_noise([curves]) for curves in bank]

    def cost(point: Floats) -> float:
        scales = _decoded(point)
        total = sum(
            surprise(curves, kind, scales, one) for curves, one in zip(bank, noise, strict=True)
        )
        return total + float(((point - start) ** 2).sum()) / (2 * sd**2)

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


def surprise(
    curves: Curves, kind: Kind, scales: CurveScales, noise: float, seed: int | None = None
) -> float:
    """Minus the log evidence of all arms' curves, their means over seeds or those of one seed.

    Row errors are shared in part, as races assume it; `noise` is the SD of a score over seeds.
    """
    arms, seeds, rungs, rows = curves.right[kind].shape
    tokens_K = curves.lengths(kind).mean(axis=(0, 1))
    t_K = np.log2(tokens_K / tokens_K[0])
    grid = Grid(np.tile(t_K, arms), np.repeat(np.arange(arms), rungs), np.arange(0))
    chosen = slice(None) if seed is None else [seed]
    loss_AK = 1.0 - curves.right[kind][:, chosen].mean(axis=(1, 3))
    losses = [float(loss) for loss in loss_AK.ravel()]
    value_AK = np.array([SCALE.forward(loss) for loss in losses]).reshape(arms, rungs)
    error = np.array([SCALE.error(x, float(np.sqrt(x * (1 - x) / rows)), rows) for x in losses])
    apart = np.array([seed_error(SCALE, x, noise, rows) for x in losses])
    apart /= np.sqrt(seeds if seed is None else 1)
    kin_A = np.log(curves.bits[kind][:, chosen, 0].mean(axis=1))
    gram = covariance(grid, scales, value_AK[:, 0], kin_A)
    gram += ROW_CORRELATION * np.outer(error, error)
    gram[np.diag_indices_from(gram)] += (1 - ROW_CORRELATION) * error**2 + apart**2 + JITTER
    try:
        factor = cho_factor(gram, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return 1e9
    mean = value_AK[:, 0].mean() + mean_curve(grid, scales)
    off = value_AK.ravel() - mean
    solved = cho_solve(factor, off, check_finite=False)
    return 0.5 * float(off @ solved) + float(np.log(np.diagonal(factor[0])).sum())


def judged(bank: Sequence[Curves]) -> dict[str, dict[str, float]]:
    """Mean log score in nats of the curves of each task, seed by seed: the prior fitted on the
    other tasks, and the ruled one."""
    found: dict[str, dict[str, float]] = {}
    for task in dict.fromkeys(curves.task for curves in bank):
        others = [curves for curves in bank if curves.task != task]
        priors = {"fitted": fit_live_prior(others), "ruled": RULED_PRIOR}
        found[task] = {
            name: round(_log_score(bank, task, prior, seed_noise(others)), 2)
            for name, prior in priors.items()
        }
    return found


def _log_score(bank: Sequence[Curves], task: str, prior: Prior, noise: float) -> float:
    scores = []
    for curves in (one for one in bank if one.task == task):
        for seed in range(curves.test_AS.shape[1]):
            logs = [-surprise(curves, "fresh", one, noise, seed) for one in prior.scales]
            scores.append(float(np.logaddexp.reduce(logs)) - np.log(len(logs)))
    return float(np.mean(scores))


def main() -> None:
    """Fit on the whole bank, print, and write it down on request."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="a file for the prior")
    parser.add_argument("--judge", action="store_true", help="log scores, each task left out")
    given = parser.parse_args()
    if given.judge:
        print(json.dumps(judged(read_bank(given.bank)), indent=1))
        return
    prior = fit_live_prior(read_bank(given.bank))
    print(prior.to_json(indent=1))
    if given.out:
        given.out.write_text(prior.to_json(indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
