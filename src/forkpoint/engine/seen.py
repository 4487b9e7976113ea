"""What was observed: cells, their curve values, and how far these may be off."""

from dataclasses import dataclass

import numpy as np

from forkpoint.engine.kernel import Floats, Ints

JITTER = 1e-10  # curve units squared; keeps a Cholesky factor of exact scores possible


@dataclass(frozen=True)
class Errors:
    """Errors of the scores that were seen, in curve units.

    `row_N` are SDs over rows, of which `correlation` is shared by any two scores, `seed_N` SDs
    over seeds. `told_MM` is the covariance over rows of the first M scores, where pairs were told.
    """

    row_N: Floats
    seed_N: Floats
    correlation: float = 0.0
    told_MM: Floats | None = None

    def variance(self) -> Floats:
        """Variance (N) of each score's error."""
        variance_N: Floats = self.row_N**2
        if self.told_MM is not None:
            variance_N[: len(self.told_MM)] = np.diagonal(self.told_MM)
        return variance_N + self.seed_N**2

    def matrix(self) -> Floats:
        """Covariance (N, N) of all errors."""
        error_NN: Floats = self.correlation * np.outer(self.row_N, self.row_N)
        np.fill_diagonal(error_NN, self.row_N**2)
        if self.told_MM is not None:
            told = len(self.told_MM)
            error_NN[:told, :told] = self.told_MM
        error_NN[np.diag_indices_from(error_NN)] += self.seed_N**2
        return error_NN


@dataclass(frozen=True)
class Seen:
    """What was observed, each cell at most once.

    `kin_A` are the arms' first log likelihood losses, NaN where there is none.
    """

    cell_N: Ints
    value_N: Floats
    errors: Errors
    kin_A: Floats | None = None

    def with_believed(self, cell_M: Ints, value_M: Floats) -> "Seen":
        """The evidence as if these cells had come out so, with an error of the usual size."""
        extra = len(cell_M)
        usual = float(np.median(self.errors.variance())) if len(self.cell_N) else 0.0
        errors = Errors(
            np.concatenate([self.errors.row_N, np.zeros(extra)]),
            np.concatenate([self.errors.seed_N, np.full(extra, np.sqrt(usual))]),
            self.errors.correlation,
            self.errors.told_MM,
        )
        return Seen(
            np.concatenate([self.cell_N, cell_M]),
            np.concatenate([self.value_N, value_M]),
            errors,
            self.kin_A,
        )
