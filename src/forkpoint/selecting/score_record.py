"""What a score file holds: one header, then one line for each row and scorer."""

from typing import Literal

from forkpoint.record import Record

Scorer = Literal["heuristics", "ifd", "judge"]


class ScoreHeader(Record):
    """The first line: which data the scores are of."""

    schema_version: int = 1
    files: tuple[str, ...]
    data_sha256: str
    rows: int


class RowScore(Record):
    """One row's score by one scorer."""

    row: str  # id: rows of the same content share their scores
    line: int  # of the first row with this content
    scorer: Scorer
    by: str = ""  # the checkpoint or the judge
    value: float | None  # heuristics and judge 0..1, higher is better; ifd a ratio of losses
    parts: dict[str, float] = {}  # noqa: RUF012 - pydantic copies it
    note: str = ""  # why there is no value
