"""What one row of the embedding or output matrix shows."""

from typing import Literal

from forkpoint.record import Record


class RowReading(Record):
    """One special token's row, compared with rows that were never used."""

    token: str
    id: int
    matrix: Literal["embedding", "output"]
    trained: bool | None  # None when this matrix does not separate used rows from unused ones
    cosine: float  # to the centre of the never-used rows
    never_used_low: float  # the 5th of 100 of the never-used rows' own cosines
    used_high: float  # the 80th of 100 of ordinary rows' cosines
    never_used_rows: int
    used_rows: int
