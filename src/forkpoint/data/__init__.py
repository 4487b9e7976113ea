"""The user's data: read it, profile it, split it."""

from forkpoint.data.bad_row import fault_sentence
from forkpoint.data.bundled_sets import BUNDLED, bundled
from forkpoint.data.columns import columns_named
from forkpoint.data.profile_record import DataProfile, RowFault
from forkpoint.data.profiling import profile
from forkpoint.data.reader import Dataset, RowStream, format_named, load, read_rows
from forkpoint.data.row import Row, Turn
from forkpoint.data.splits import FOLD_ROWS, Removed, Sizes, Splits, default_sizes, k_folds, split
from forkpoint.data.survey import survey

__all__ = [
    "BUNDLED",
    "FOLD_ROWS",
    "DataProfile",
    "Dataset",
    "Removed",
    "Row",
    "RowFault",
    "RowStream",
    "Sizes",
    "Splits",
    "Turn",
    "bundled",
    "columns_named",
    "default_sizes",
    "fault_sentence",
    "format_named",
    "k_folds",
    "load",
    "profile",
    "read_rows",
    "split",
    "survey",
]
