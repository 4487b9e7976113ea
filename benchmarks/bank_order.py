"""How well runs of each length order the arms of the bank, per token: fresh beside continued."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from bank_curves import KINDS, MARGIN, Curves, Floats

SPREAD = 3  # margins between the best and the worst arm of a setting whose order is judged


def order_per_token(bank: Sequence[Curves]) -> list[dict[str, Any]]:
    """Rank correlation of the scores of runs so long with the truth, and the tokens paid so far."""
    from scipy.stats import spearmanr

    apart = [curves for curves in bank if np.ptp(curves.truth_A) >= SPREAD * MARGIN]
    looks: dict[tuple[str, int], list[tuple[Curves, Floats, float, float]]] = {}
    for curves in apart:
        for place, (kind, score_AS, length, paid) in enumerate(_looks(curves)):
            looks.setdefault((kind, place), []).append((curves, score_AS, length, paid))
    found = []
    for (kind, _), seen in looks.items():
        ranks = [
            spearmanr(score_S, curves.truth_A).statistic
            for curves, score_AS, _, _ in seen
            for score_S in score_AS.T
        ]
        found.append(
            {
                "kind": kind,
                "length": round(float(np.mean([length for _, _, length, _ in seen])), 3),
                "tokens": round(float(np.mean([paid for _, _, _, paid in seen])), 3),
                "rank": round(float(np.mean([0.0 if math.isnan(r) else r for r in ranks])), 3),
                "n": len(ranks),
            }
        )
    return found


def _looks(curves: Curves) -> Iterator[tuple[str, Floats, float, float]]:
    """Kind, scores by arm and seed, length and tokens paid as shares of full length.

    Fresh runs of an eighth come first: no rung of a race, whose first one is the opening.
    """
    full = curves.tokens["fresh"][:, :, -1].mean()
    eighth = float(curves.eighth_tokens.mean() / full)
    yield "fresh", curves.eighth.mean(axis=2), eighth, eighth
    for kind in KINDS:
        length_K = curves.lengths(kind).mean(axis=(0, 1)) / full
        paid_K = curves.tokens[kind].mean(axis=(0, 1)) / full
        score_ASK = curves.right[kind].mean(axis=3)
        for rung in range(len(length_K)):
            yield kind, score_ASK[:, :, rung], float(length_K[rung]), float(paid_K[rung])
