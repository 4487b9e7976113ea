"""Is the answer of `forkpoint enough` right? Published curves, seen up to a size, asked for more.

    python benchmarks/enough.py --table flan.csv --table wmt19.csv

A table holds one curve a row: scores at 200, 400, ... rows (linhaowei1/Fine-tuning-Scaling-Law).
From each window of consecutive sizes the gain of the next doubling is predicted and compared with
what was measured, beside two rules of thumb: the last gain again, and half of it.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

from forkpoint.verdict.enough import fit

WINDOW = 4  # sizes seen
SEED_VARIANCE = 0.002**2  # nats: runs of these tables differ by about this much


def curves_of(path: Path) -> list[tuple[list[float], list[float]]]:
    """Rows and losses of every curve, zero-shot left out."""
    found = []
    with path.open() as file:
        for line in csv.DictReader(file):
            pairs = sorted(
                (float(name), float(value))
                for name, value in line.items()
                if name.isdigit() and int(name) > 0 and value
            )
            found.append(([rows for rows, _ in pairs], [loss for _, loss in pairs]))
    return found


def judge(path: Path, doublings: int, step: int) -> dict[str, float]:
    """Coverage and errors over all windows of a table."""
    inside, errors, again, half, widths, helps = [], [], [], [], [], []
    for rows, losses in curves_of(path)[::step]:
        for at in range(len(rows) - WINDOW - doublings + 1):
            seen, future = slice(at, at + WINDOW), at + WINDOW - 1 + doublings
            rows_K, loss_K = np.array(rows[seen]), np.array(losses[seen])
            curves = fit(rows_K, loss_K, SEED_VARIANCE * np.eye(WINDOW), seed=0)
            generator = np.random.default_rng(0)
            rough_B = curves.wiggle_B * generator.standard_normal(len(curves.wiggle_B))
            gain_B = loss_K[-1] - curves.loss(rows[future]) + rough_B
            low, middle, high = np.quantile(gain_B, [0.025, 0.5, 0.975])
            truth = loss_K[-1] - losses[future]
            inside.append(low <= truth <= high)
            errors.append(abs(middle - truth))
            widths.append(high - low)
            last = loss_K[-2] - loss_K[-1]
            again.append(abs(doublings * last - truth))
            half.append(abs(sum(last / 2**k for k in range(1, doublings + 1)) - truth))
            helps.append((low > 0.02, truth > 0.02))
    said = [truth for sure, truth in helps if sure]
    return {
        "windows": len(inside),
        "coverage": float(np.mean(inside)),
        "median_error": float(np.median(errors)),
        "median_error_last_again": float(np.median(again)),
        "median_error_half": float(np.median(half)),
        "median_width": float(np.median(widths)),
        "said_above_margin": len(said),
        "right_of_these": float(np.mean(said)) if said else float("nan"),
    }


def main() -> None:
    """Print the figures of every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, action="append", required=True)
    parser.add_argument("--step", type=int, default=1, help="look at every n-th curve")
    given = parser.parse_args()
    for path in given.table:
        for doublings in (1, 2, 3):
            figures = judge(path, doublings, given.step)
            shown = "  ".join(f"{name} {value:.3f}" for name, value in figures.items())
            print(f"{path.stem}, {doublings} doubling(s): {shown}")


if __name__ == "__main__":
    main()
