"""The append-only ledger on disk: one writer, every line whole or not there."""

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import orjson
from pydantic import TypeAdapter, ValidationError

from forkpoint.errors import BadInput, Unreadable
from forkpoint.ledger.lines import SCHEMA, AnyLine, Line

LEDGER = "ledger.jsonl"
LOCK = "lock"
_LINES: TypeAdapter[AnyLine] = TypeAdapter(AnyLine)


def read_lines(folder: Path) -> list[AnyLine]:
    """All lines of a run folder's ledger; a torn last line is dropped, any other is an error.

    Raises Unreadable with the number of the line that is broken, out of order or too new.
    """
    path = folder / LEDGER
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    lines: list[AnyLine] = []
    pieces = content.split(b"\n")
    for number, piece in enumerate(pieces[:-1], start=1):
        lines.append(_parse(piece, number, path, after=len(lines)))
    return lines  # what follows the last newline is torn, and never counted


def _parse(piece: bytes, number: int, path: Path, after: int) -> AnyLine:
    try:
        values = orjson.loads(piece)
        schema = values["schema"]
    except (orjson.JSONDecodeError, TypeError, KeyError):
        raise Unreadable("ledger.broken_line", file=path, line=number) from None
    if not isinstance(schema, int) or schema > SCHEMA:
        raise Unreadable("ledger.newer_schema", file=path, line=number, schema=schema)
    try:
        line = _LINES.validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Unreadable(
            "ledger.bad_line", file=path, line=number, field=place, problem=first["msg"]
        ) from None
    if line.seq != after + 1:
        raise Unreadable(
            "ledger.out_of_order", file=path, line=number, found=line.seq, expected=after + 1
        )
    return line


class Book:
    """The writer of one ledger; a second writer on the same folder is refused.

    Use as a context manager: the lock is the process's, so a kill frees it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: IO[str] | None = None
        self._file: IO[bytes] | None = None
        self.lines: list[AnyLine] = []

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.folder / LOCK).open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)
            writer = self._lock.read().strip() or "?"
            self._lock.close()
            raise BadInput("ledger.locked", folder=self.folder, process=writer) from None
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        self.lines = read_lines(self.folder)
        self._file = (self.folder / LEDGER).open("ab")
        self._drop_torn_end()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()
        if self._lock:
            self._lock.close()

    def append(self, line: Line) -> AnyLine:
        """Write one line durably, numbered and dated; returns it as it was written."""
        if self._file is None:
            raise RuntimeError("the ledger is not open")
        dated = line.model_copy(
            update={
                "seq": len(self.lines) + 1,
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            }
        )
        self._file.write(dated.model_dump_json().encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        kept: AnyLine = _LINES.validate_python(dated.model_dump())
        self.lines.append(kept)
        return kept

    def _drop_torn_end(self) -> None:
        path = self.folder / LEDGER
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            os.truncate(path, whole)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees all of it or none: temporary name, sync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
