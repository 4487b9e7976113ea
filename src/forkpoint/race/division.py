"""Which rows are trained on, decided with and tested."""

from collections.abc import Collection, Mapping, Sequence

from forkpoint.data import Splits, k_folds, load, split
from forkpoint.data.row import Row
from forkpoint.data.splits import FOLD_ROWS, FOLDS
from forkpoint.errors import BadInput
from forkpoint.ledger import Sides
from forkpoint.race.request import RaceRequest

RUNG_ROWS = 200  # validation rows that a rung is scored on, the same for every arm


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


def usable(
    splits: Splits, folds: Sequence[Splits], excluded: Mapping[str, str]
) -> tuple[list[str], list[str], list[str], tuple[Sides, ...]]:
    """Ids to train on, decide with and test, and the folds; raises BadInput where a side is empty.

    Where every row is tested once, the test side is that of all folds.
    """
    train = kept_ids(splits.train, excluded)
    validation, test = kept_ids(splits.validation, excluded), kept_ids(splits.test, excluded)
    sides = tuple(
        Sides(
            train_ids=tuple(kept_ids(fold.train, excluded)),
            rung_validation_ids=tuple(kept_ids(fold.validation, excluded)[:RUNG_ROWS]),
            test_ids=tuple(kept_ids(fold.test, excluded)),
        )
        for fold in folds
    )
    if sides:
        test = [key for side in sides for key in side.test_ids]
    if not train or not validation or not test:
        raise BadInput(
            "race.too_few_rows", train=len(train), validation=len(validation), test=len(test)
        )
    return train, validation, test, sides


def kept_ids(rows: Sequence[Row], excluded: Collection[str]) -> list[str]:
    """Ids of the rows that no arm has to leave out."""
    return [row.id for row in rows if row.id not in excluded]
