"""The user's data: read it, profile it, split it."""

from forkpoint.data.bad_row import fault_sentence
from forkpoint.data.profile_record import DataProfile, RowFault
from forkpoint.data.reader import Dataset, format_named, load, read_rows
from forkpoint.data.row import Row, Turn

__all__ = [
    "DataProfile",
    "Dataset",
    "Row",
    "RowFault",
    "Turn",
    "fault_sentence",
    "format_named",
    "load",
    "read_rows",
]
