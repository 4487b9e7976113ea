"""Scores of one trial on a set of rows, and their value under resampled rows.

Shapes: N rows, B bootstrap resamples, K label classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESAMPLES = 4000  # bootstrap draws; the 2.5 % quantile then has a relative error of about 3 %


@dataclass(frozen=True)
class Sample:
    """Outcomes of one trial on N rows, in the order of the row ids.

    A mean metric has `scores_N` in 0..1. Macro-F1 has `gold` and `said` labels instead; an
    answer that is none of the gold labels counts as a miss of its gold class.
    """

    scores_N: Floats
    gold: tuple[str, ...] | None = None
    said: tuple[str, ...] | None = None
    trainings: int = 1  # that its rows come from: several when folds are pooled

    def value(self, weights_B_N: Floats | None = None) -> Floats:
        """The metric under each row of weights (all ones by default); shape B."""
        if weights_B_N is None:
            weights_B_N = np.ones((1, len(self.scores_N)))
        if self.gold is None or self.said is None:
            mean_B: Floats = weights_B_N @ self.scores_N / weights_B_N.sum(axis=1)
            return mean_B
        return _macro_f1(self.gold, self.said, weights_B_N)


def _macro_f1(gold: Sequence[str], said: Sequence[str], weights_B_N: Floats) -> Floats:
    """Macro-F1 over the gold classes that a resample holds."""
    classes = sorted(set(gold))
    gold_N_K = np.array([[g == k for k in classes] for g in gold], dtype=float)
    said_N_K = np.array([[s == k for k in classes] for s in said], dtype=float)
    hits_B_K = weights_B_N @ (gold_N_K * said_N_K)
    gold_B_K = weights_B_N @ gold_N_K
    said_B_K = weights_B_N @ said_N_K
    f1_B_K = 2 * hits_B_K / np.maximum(gold_B_K + said_B_K, 1e-12)
    present_B_K = gold_B_K > 0
    f1_B: Floats = (f1_B_K * present_B_K).sum(axis=1) / present_B_K.sum(axis=1)
    return f1_B


def row_weights(rows: int, seed: int, draws: int = RESAMPLES) -> Floats:
    """How often each row is drawn in each bootstrap resample; shape (draws, rows)."""
    generator = np.random.default_rng(seed)
    weights_B_N: Floats = generator.multinomial(rows, np.full(rows, 1 / rows), size=draws).astype(
        float
    )
    return weights_B_N


def interval(draws_B: Floats, level: float = 0.95) -> tuple[float, float]:
    """The central interval of a set of draws."""
    tail = (1 - level) / 2
    low, high = np.quantile(draws_B, [tail, 1 - tail])
    return float(low), float(high)


def sample_of(outcomes: Sequence[dict[str, Any]], metric: str) -> Sample:
    """The sample held by an answers file: `score`, and for macro_f1 `gold` and `said`."""
    scores_N = np.array([float(outcome["score"]) for outcome in outcomes])
    if metric != "macro_f1":
        return Sample(scores_N)
    return Sample(
        scores_N,
        tuple(str(outcome["gold"]) for outcome in outcomes),
        tuple(str(outcome["said"]) for outcome in outcomes),
    )
