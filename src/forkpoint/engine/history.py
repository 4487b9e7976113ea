"""All that a race was told, and how it becomes evidence for the curve model."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from forkpoint.engine.arm import Channel, Score
from forkpoint.engine.curves import Seen
from forkpoint.engine.scale import Scale
from forkpoint.engine.settings import Settings

Cell = tuple[int, int]  # arm index, rung index
SEED_END = 0.1  # of a 0..1 loss: nearer to an end, noise between seeds is that at this place
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

    def highest_rung(self, arm: int) -> int | None:
        """The highest rung told for an arm."""
        return max((rung for number, rung in self.scores if number == arm), default=None)

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
    losses = [scale.loss(score.value) for score in cells.values()]
    value_N = np.array([scale.forward(loss) for loss in losses])
    triples = list(zip(losses, cells.values(), strict=True))
    row_N = np.array([scale.error(loss, s.standard_error, s.n) for loss, s in triples])
    seed_N = np.array([_seed_error(scale, loss, settings.seed_sd, s.n) for loss, s in triples])
    error_NN = settings.row_correlation * np.outer(row_N, row_N)
    np.fill_diagonal(error_NN, row_N**2)
    _set_told(error_NN, history, cells, row_N)
    error_NN[np.diag_indices_from(error_NN)] += seed_N**2
    cell_N = np.array([arm * shape[1] + rung for arm, rung in cells], dtype=np.intp)
    return Seen(cell_N, value_N, error_NN, _kin(history, shape[0]))


def with_believed(seen: Seen, cells: Sequence[int], mean_C: NDArray[np.float64]) -> Seen:
    """The evidence as if the trials under way had come out as expected."""
    extra = np.array(cells, dtype=np.intp)
    count, total = len(seen.cell_N), len(seen.cell_N) + len(extra)
    typical = float(np.median(np.diagonal(seen.error_NN))) if count else 0.0
    error_NN = np.zeros((total, total))
    error_NN[:count, :count] = seen.error_NN
    error_NN[range(count, total), range(count, total)] = typical
    return Seen(
        np.concatenate([seen.cell_N, extra]),
        np.concatenate([seen.value_N, mean_C[extra]]),
        error_NN,
        seen.kin_A,
    )


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


def _set_told(
    error_NN: NDArray[np.float64],
    history: History,
    cells: dict[Cell, Score],
    row_N: NDArray[np.float64],
) -> None:
    """Put the covariances that were told for pairs into place, and keep the matrix lawful."""
    place = {cell: number for number, cell in enumerate(cells)}
    told = False
    for (first, second), value in history.covariances.items():
        if first not in place or second not in place:
            continue
        i, j = place[first], place[second]
        spread = cells[first].standard_error * cells[second].standard_error
        if spread > 0:
            limit = min(max(value / spread, -1.0), 1.0)
            error_NN[i, j] = error_NN[j, i] = limit * row_N[i] * row_N[j]
            told = True
    if told:
        values, vectors = np.linalg.eigh(error_NN)
        error_NN[:] = (vectors * np.maximum(values, EIGENVALUE_FLOOR)) @ vectors.T
