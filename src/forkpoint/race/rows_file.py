"""rows.jsonl: the rows in use, so that a run folder stands alone."""

from collections.abc import Iterable
from pathlib import Path

import orjson

from forkpoint.data.row import Row, Turn
from forkpoint.ledger import write_whole

ROWS = "rows.jsonl"


def write_rows(folder: Path, rows: Iterable[Row]) -> None:
    """Write all rows, whole or not at all."""
    lines = [
        orjson.dumps({**row._asdict(), "turns": [turn._asdict() for turn in row.turns]})
        for row in rows
    ]
    write_whole(folder / ROWS, b"\n".join(lines) + b"\n")


def read_rows(folder: Path) -> dict[str, Row]:
    """All rows by their id, in file order."""
    rows = {}
    with (folder / ROWS).open("rb") as file:
        for piece in file:
            values = orjson.loads(piece)
            values["turns"] = tuple(Turn(**turn) for turn in values["turns"])
            row = Row(**values)
            rows[row.id] = row
    return rows
