"""All that a race was told, and how it becomes evidence for the curve model."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from forkpoint.engine.arm import Channel, Score
from forkpoint.engine.kernel import Floats
from forkpoint.engine.scale import Scale
from forkpoint.engine.seen import Errors, Seen
from forkpoint.engine.settings import Settings

Cell = tuple[int, int]  # arm index, rung index
SEED_END = 0.1  # of a 0..1 loss: nearer to an end, noise between seeds is that at this place
FIGURES_KEPT = 1 << 16  # scores on the curve model's scale, worked out once each
EIGENVALUE_FLOOR = 0.0  # curve units squared; error covariances told pairwise may not fit together


@dataclass
class History:
    """Scores by cell and channel, costs by arm, failures; independent of the order of telling."""

    scores: dict[Cell, dict[Channel, Score]] = field(default_factory=dict)
    covariances: dict[tuple[Cell, Cell], float] = field(default_factory=dict)
    spent_tokens: dict[int, float] = field(default_factory=dict)
    failures: dict[int, tuple[int, str]] = field(default_factory=dict)

    def channel(self) -> Channel | None:
        """The channel that decides: the primary metric as soon as one was told."""
        kinds = {kind for scores in self.scores.values() for kind in scores}
        return "primary" if "primary" in kinds else "likelihood" if kinds else None

    def of_channel(self, channel: Channel) -> dict[Cell, Score]:
        """The cells that have a score of this channel, in order of arm and rung."""
        return {
            cell: self.scores[cell][channel]
            for cell in sorted(self.scores)
            if channel in self.scores[cell]
        }

    def first_of(self, channel: Channel) -> Score | None:
        """Any score of this channel."""
        return next((s[channel] for s in self.scores.values() if channel in s), None)

    def highest_rungs(self) -> dict[int, int]:
        """The highest rung told for every arm that has one."""
        highest: dict[int, int] = {}
        for arm, rung in self.scores:
            highest[arm] = max(rung, highest.get(arm, rung))
        return highest

    def total_spent(self) -> float:
        """Tokens times cost of everything told, failures included."""
        return sum(self.spent_tokens.values())


def evidence(
    history: History,
    cells: dict[Cell, Score],
    scale: Scale,
    settings: Settings,
    shape: tuple[int, int],
) -> Seen:
    """Scores as curve values, with the covariance of their errors over rows and seeds.

    `shape` is the number of arms and of rungs.
    """
    told = [
        _figures(scale, score.value, score.standard_error, score.n, settings.seed_sd)
        for score in cells.values()
    ]
    value_N, row_N, seed_N = np.array(told).reshape(-1, 3).T.copy()
    covariance_MM = _told(history, cells, row_N, settings.row_correlation)
    errors = Errors(row_N, seed_N, settings.row_correlation, covariance_MM)
    cell_N = np.array([arm * shape[1] + rung for arm, rung in cells], dtype=np.intp)
    return Seen(cell_N, value_N, errors, _kin(history, shape[0]))


@lru_cache(maxsize=FIGURES_KEPT)
def _figures(
    scale: Scale, value: float, standard_error: float, n: int, seed_sd: float
) -> tuple[float, float, float]:
    """A score's curve value, and the SDs of its error over rows and over seeds."""
    loss = scale.loss(value)
    rows = scale.error(loss, standard_error, n)
    return scale.forward(loss), rows, _seed_error(scale, loss, seed_sd, n)


def _seed_error(scale: Scale, loss: float, seed_sd: float, n: int) -> float:
    """Noise between seeds in curve units; near 0 and 1 it shrinks as the score's room does."""
    if seed_sd <= 0:
        return 0.0
    if scale.name == "bounded":
        loss = min(max(loss, SEED_END), 1 - SEED_END)
    return scale.error(loss, seed_sd, n)


def _kin(history: History, arms: int) -> NDArray[np.float64] | None:
    """Log likelihood loss of every arm at the lowest rung that has one, NaN without; None where
    fewer than two arms have it."""
    cells = history.of_channel("likelihood")
    lowest = min((rung for _, rung in cells), default=0)
    kin_A = np.full(arms, np.nan)
    for (arm, rung), score in cells.items():
        if rung == lowest and score.better == "lower" and score.value > 0:
            kin_A[arm] = np.log(score.value)
    return kin_A if np.isfinite(kin_A).sum() > 1 else None


def _told(
    history: History, cells: dict[Cell, Score], row_N: Floats, correlation: float
) -> Floats | None:
    """The covariance over rows where it was told for pairs, made lawful; None where none was."""
    place = {cell: number for number, cell in enumerate(cells)}
    pairs = [
        (place[first], place[second], value, cells[first], cells[second])
        for (first, second), value in history.covariances.items()
        if first in place and second in place
    ]
    pairs = [pair for pair in pairs if pair[3].standard_error * pair[4].standard_error > 0]
    if not pairs:
        return None
    error_NN: Floats = correlation * np.outer(row_N, row_N)
    np.fill_diagonal(error_NN, row_N**2)
    for i, j, value, first, second in pairs:
        limit = min(max(value / (first.standard_error * second.standard_error), -1.0), 1.0)
        error_NN[i, j] = error_NN[j, i] = limit * row_N[i] * row_N[j]
    values, vectors = np.linalg.eigh(error_NN)
    lawful_NN: Floats = (vectors * np.maximum(values, EIGENVALUE_FLOOR)) @ vectors.T
    return lawful_NN
