"""Tables: CSV and TSV as text, Parquet and Arrow as columns."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from forkpoint.data.bad_row import BadRow, shown
from forkpoint.data.encoding import Encoding, opened_text, undecoded
from forkpoint.data.json_file import Raw
from forkpoint.errors import Unreadable

MAX_FIELD_CHARACTERS = 16 << 20  # a longer field is an unclosed quotation mark
DELIMITERS = ",\t;|"
BATCH_ROWS = 1_000  # rows of a column file turned into values at once


class _Lines:
    """Lines of text that remembers those of the record under way, so that they can be read again.

    An unclosed quotation mark swallows all that follows; after it was found, reading goes on
    at the line below the one that opened it.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.source = iter(lines)
        self.again: deque[str] = deque()
        self.record: list[str] = []
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self.again.popleft() if self.again else next(self.source)
        self.record.append(line)
        self.number += 1
        return line

    def begin(self) -> int:
        self.record.clear()
        return self.number + 1

    def go_back(self) -> None:
        """Offer all lines of this record but the first once more."""
        rest = self.record[1:]
        self.again.extendleft(reversed(rest))
        self.number -= len(rest)


def delimited(path: Path, encoding: Encoding, delimiter: str | None) -> Iterator[Raw]:
    """The rows of a CSV or TSV file as dicts, with the line each begins at."""
    codec = "utf-8-sig" if encoding.codec == "utf-8" else encoding.codec
    errors = "surrogateescape" if encoding.plain else "replace"
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    with opened_text(path, codec, errors, "") as file:
        lines = _Lines(file)
        header: list[str] | None = None
        reader: Any = None
        while True:
            line = lines.begin()
            try:
                if reader is None:
                    delimiter = delimiter or _delimiter(lines)
                    reader = csv.reader(lines, delimiter=delimiter, strict=True)
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, BadRow("data.fault_csv", reason=str(error))
                lines.go_back()
                reader = csv.reader(lines, delimiter=delimiter or ",", strict=True)
                continue
            if not cells:
                continue
            if header is None:
                header = [cell.strip() for cell in cells]
                continue
            yield line, _record(header, cells)


def _delimiter(lines: _Lines) -> str:
    """The separator of the header line: the candidate that occurs most often in it."""
    first = next(lines)
    lines.again.appendleft(lines.record.pop())
    lines.number -= 1
    return max(DELIMITERS, key=first.count)


def _record(header: list[str], cells: list[str]) -> dict[str, str] | BadRow:
    if len(cells) != len(header):
        return BadRow("data.fault_cells", found=len(cells), expected=len(header))
    for name, cell in zip(header, cells, strict=True):
        if undecoded(cell):
            return BadRow("data.fault_cell_encoding", field=shown(name))
    return dict(zip(header, cells, strict=True))


def parquet(path: Path) -> Iterator[Raw]:
    """The rows of a Parquet file, counted from 1."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            yield from _counted(file.iter_batches(batch_size=BATCH_ROWS))
    except (pyarrow.ArrowException, OSError) as error:
        raise Unreadable("data.not_parquet", file=str(path), reason=_line(error)) from None


def arrow(path: Path, first: int = 1) -> Iterator[Raw]:
    """The rows of an Arrow or Feather file (file or stream form), counted from `first`."""
    import pyarrow

    try:
        with pyarrow.memory_map(str(path)) as source:
            try:
                reader = pyarrow.ipc.open_stream(source)
            except pyarrow.ArrowInvalid:
                source.seek(0)
                file = pyarrow.ipc.open_file(source)
                yield from _counted(map(file.get_batch, range(file.num_record_batches)), first)
            else:
                yield from _counted(reader, first)
    except (pyarrow.ArrowException, OSError) as error:
        raise Unreadable("data.not_arrow", file=str(path), reason=_line(error)) from None


def _counted(batches: Iterable[Any], first: int = 1) -> Iterator[Raw]:
    number = first
    for batch in batches:
        for start in range(0, batch.num_rows, BATCH_ROWS):
            for row in batch.slice(start, BATCH_ROWS).to_pylist():
                yield number, row
                number += 1


def _line(error: Exception) -> str:
    return shown(str(error).split("\n")[0])
