"""The sub-set study: all methods on the same random sub-sets of arms, compared in pairs."""

from collections.abc import Mapping

import numpy as np
from tables import Floats, Table

SMALLEST, LARGEST = 8, 15  # arms in a sub-set
RESAMPLES = 2000  # of a bootstrap over sub-sets
TIE = 0.005  # nats; arms closer than this count as one answer


def random_parts(table: Table, count: int, seed: int) -> list[Table]:
    """Sub-tables of 8-15 arms drawn without replacement; all arms of a table that has fewer."""
    rng = np.random.default_rng(seed)
    arms = len(table.arms)
    top = min(LARGEST, arms)
    sizes = rng.integers(min(SMALLEST, arms), top + 1, size=count)
    return [table.part(np.sort(rng.choice(arms, size, replace=False))) for size in sizes]


def compare(regret_by_method: Mapping[str, Floats], ours: str, seed: int) -> dict[str, object]:
    """Mean regret of each method, and ours minus each rival's with a 95 % bootstrap interval."""
    rng = np.random.default_rng(seed)
    mine = regret_by_method[ours]
    draw = rng.integers(0, len(mine), size=(RESAMPLES, len(mine)))
    lines: dict[str, object] = {}
    for name, theirs in regret_by_method.items():
        low, high = np.percentile(theirs[draw].mean(axis=1), [2.5, 97.5])
        line = {
            "mean_regret": round(float(theirs.mean()), 5),
            "interval": [round(float(low), 5), round(float(high), 5)],
            "n": len(theirs),
        }
        if name != ours:
            apart = mine - theirs
            low, high = np.percentile(apart[draw].mean(axis=1), [2.5, 97.5])
            line["ours_minus_this"] = round(float(apart.mean()), 5)
            line["difference_interval"] = [round(float(low), 5), round(float(high), 5)]
        lines[name] = line
    return lines
