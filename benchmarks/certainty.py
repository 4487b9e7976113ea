"""Is a probability right? Brier and log scores beside rivals, reliability, ECE with its interval.

One case is a probability that was said, whether it came true, a rival's probability, and the block
it belongs to: races of one table share its few decisive curves, so that the bootstrap draws tables
(or settings), then the truly best arms inside them, and takes all cases of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BINS = 10
RESAMPLES = 1000
CLIP = 1e-3  # probabilities are kept this far from 0 and 1 in log scores
Z95 = 1.959964


@dataclass(frozen=True)
class Cases:
    """Probabilities said, what came, and the two blocks of every case."""

    said_N: Floats
    right_N: NDArray[np.bool_]
    outer_N: NDArray[np.str_]  # table or setting
    inner_N: NDArray[np.str_]  # the truly best arm of the race


def ece(said_N: Floats, right_N: NDArray[np.bool_]) -> float:
    """Mean distance between what was said and what came, over tenths of probability."""
    place_N = np.minimum((said_N * BINS).astype(int), BINS - 1)
    apart = np.bincount(place_N, said_N - right_N, minlength=BINS)
    return float(np.abs(apart).sum() / len(said_N))


def brier(said_N: Floats, right_N: NDArray[np.bool_]) -> float:
    """Mean squared error of the probability."""
    return float(np.mean((said_N - right_N) ** 2))


def log_score(said_N: Floats, right_N: NDArray[np.bool_]) -> float:
    """Mean surprise in nats."""
    clipped = np.clip(said_N, CLIP, 1 - CLIP)
    return float(-np.mean(np.where(right_N, np.log(clipped), np.log(1 - clipped))))


def blocks(cases: Cases, rng: np.random.Generator) -> NDArray[np.intp]:
    """Places of one bootstrap sample: outer blocks drawn, then inner blocks inside each."""
    outer = list(dict.fromkeys(cases.outer_N.tolist()))
    found: list[NDArray[np.intp]] = []
    for name in rng.choice(outer, size=len(outer)):
        mine = np.flatnonzero(cases.outer_N == name)
        inner = list(dict.fromkeys(cases.inner_N[mine].tolist()))
        for arm in rng.choice(inner, size=len(inner)):
            found.append(mine[cases.inner_N[mine] == arm])
    return np.concatenate(found)


def judge_certainty(
    cases: Cases, rivals: dict[str, Floats] | None = None, seed: int = 0
) -> dict[str, Any]:
    """Everything that is asked of a probability, with block-bootstrap 95 % intervals."""
    rng = np.random.default_rng(seed)
    said, right = cases.said_N, cases.right_N
    base = np.full(len(said), right.mean())
    others = {"base rate": base, **(rivals or {})}
    samples = [blocks(cases, rng) for _ in range(RESAMPLES)]
    sure = said >= 0.9

    def interval(values: Sequence[float]) -> list[float]:
        low, high = np.nanpercentile(values, [2.5, 97.5])
        return [round(float(low), 4), round(float(high), 4)]

    def share(place: NDArray[np.intp]) -> float:
        inside = place[sure[place]]
        return float(right[inside].mean()) if len(inside) else float("nan")

    lines: dict[str, Any] = {
        "n": len(said),
        "said": round(float(said.mean()), 4),
        "right": round(float(right.mean()), 4),
        "ece": round(ece(said, right), 4),
        "ece_interval": interval([ece(said[p], right[p]) for p in samples]),
        "brier": round(brier(said, right), 4),
        "log_score": round(log_score(said, right), 4),
        "said_90": {
            "n": int(sure.sum()),
            "right": round(float(right[sure].mean()), 4) if sure.any() else None,
            "interval": interval([share(p) for p in samples]) if sure.any() else None,
        },
        "rivals": {},
        "table": reliability(said, right),
    }
    for name, theirs in others.items():
        apart = [brier(said[p], right[p]) - brier(theirs[p], right[p]) for p in samples]
        lines["rivals"][name] = {
            "brier": round(brier(theirs, right), 4),
            "log_score": round(log_score(theirs, right), 4),
            "ours_minus_this": interval(apart),
        }
    return lines


def reliability(said_N: Floats, right_N: NDArray[np.bool_]) -> list[dict[str, float]]:
    """One line a tenth: what was said on average, and the share right with its Wilson interval."""
    place_N = np.minimum((said_N * BINS).astype(int), BINS - 1)
    found = []
    for place in range(BINS):
        inside = place_N == place
        n = int(inside.sum())
        if not n:
            continue
        share = float(right_N[inside].mean())
        middle = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
        half = Z95 / (1 + Z95**2 / n) * (share * (1 - share) / n + Z95**2 / (4 * n * n)) ** 0.5
        found.append(
            {
                "from": place / BINS,
                "n": n,
                "said": round(float(said_N[inside].mean()), 3),
                "right": round(share, 3),
                "low": round(middle - half, 3),
                "high": round(middle + half, 3),
            }
        )
    return found


def softmax_of(scores_RA: Sequence[Floats], temperature: float) -> list[Floats]:
    """Chances of the arms from their current scores, higher better; unseen arms have none."""
    found = []
    for score_A in scores_RA:
        shifted = np.where(np.isnan(score_A), -np.inf, score_A - np.nanmax(score_A)) / temperature
        weight = np.exp(shifted)
        found.append(weight / weight.sum())
    return found
