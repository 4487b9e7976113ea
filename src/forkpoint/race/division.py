"""Which rows are trained on, decided with and tested."""

from collections.abc import Sequence

from forkpoint.data import Splits, k_folds, load, split
from forkpoint.data.row import Row
from forkpoint.data.splits import FOLD_ROWS, FOLDS
from forkpoint.errors import BadInput
from forkpoint.race.request import RaceRequest


def folds_of(request: RaceRequest, rows: Sequence[Row]) -> Sequence[Splits]:
    """Folds in which every row is tested once, for few rows that nothing else divides."""
    divided = request.test_file or request.validation_file or request.time_field
    if request.folds is None and (divided or request.subsets or len(rows) >= FOLD_ROWS):
        return ()
    count = FOLDS if request.folds is None else request.folds
    if count < 2:
        return ()
    if request.truncate != "no":
        raise BadInput("race.folds_truncate")
    if divided or request.subsets:
        raise BadInput("race.folds_divided")
    return k_folds(rows, seed=request.seed, folds=count, group_by=request.group_by)


def split_of(request: RaceRequest, rows: Sequence[Row]) -> Splits:
    """One training, one validation and one test side, as the request says."""
    return split(
        rows,
        seed=request.seed,
        test=_side(request, request.test_file),
        validation=_side(request, request.validation_file),
        group_by=request.group_by,
        time_field=request.time_field,
    )


def _side(request: RaceRequest, file: str | None) -> Sequence[Row] | None:
    """The rows of a file that is a side of its own, read as the data is."""
    if file is None:
        return None
    return load(
        file, format=request.data_format, columns=request.columns, strict=request.strict
    ).rows
