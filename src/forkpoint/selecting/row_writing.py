"""Write chosen rows so that they read back as the same rows."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from forkpoint.data.row import Row
from forkpoint.ledger import write_whole
from forkpoint.selecting.selection import Selection


def write_chosen(path: Path, rows: Sequence[Row]) -> None:
    """One JSON object a line: the very line of a JSONL file, else the row's messages."""
    write_whole(path, b"".join(line + b"\n" for line in _lines(rows)))


def _lines(rows: Sequence[Row]) -> Iterator[bytes]:
    by_file: dict[str, dict[int, bytes]] = {}
    for name in {row.file for row in rows if row.file.endswith(".jsonl")}:
        wanted = {row.line for row in rows if row.file == name}
        by_file[name] = _picked(Path(name), wanted)
    for row in rows:
        raw = by_file.get(row.file, {}).get(row.line)
        yield raw if raw is not None else orjson.dumps(as_object(row))


def _picked(path: Path, wanted: set[int]) -> dict[int, bytes]:
    """Lines of a file by number, where they are UTF-8 JSON objects as they stand."""
    found = {}
    with path.open("rb") as file:
        for number, piece in enumerate(file, start=1):
            if number in wanted:
                line = piece.strip()
                try:
                    orjson.loads(line)
                except orjson.JSONDecodeError:
                    continue
                found[number] = line
    return found


def as_object(row: Row) -> dict[str, Any]:
    """A row as the fields that the reader knows."""
    fields: dict[str, Any] = dict(row.extra)
    if row.text is not None:
        return {**fields, "text": row.text}
    messages = [{"role": turn.role, "content": turn.content} for turn in row.turns]
    if row.rejected is not None:
        fields |= {"prompt": messages[:-1], "chosen": messages[-1:],
                   "rejected": [{"role": "assistant", "content": row.rejected}]}  # fmt: skip
    else:
        fields["messages"] = messages
    if row.tools is not None:
        fields["tools"] = row.tools
    return fields


def write_notes(path: Path, selection: Selection) -> None:
    """One line on the whole selection, then one for each row that was left out."""
    head = selection.model_copy(update={"left_out": (), "kept_lines": ()}).to_json()
    lines = [head, *(one.to_json() for one in selection.left_out)]
    write_whole(path, "".join(line + "\n" for line in lines).encode())
