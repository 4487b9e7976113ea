"""The score file: append-only, so that scoring can be interrupted anywhere and taken up again."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pydantic import ValidationError

from forkpoint.errors import BadInput, Unreadable
from forkpoint.selecting.score_record import RowScore, ScoreHeader

Scores = dict[str, dict[str, RowScore]]  # row id -> scorer -> its last score


class ScoreFile:
    """The writer of one score file; use as a context manager."""

    def __init__(self, path: Path, header: ScoreHeader) -> None:
        self.path = path
        self.header = header
        self.done: set[tuple[str, str, str]] = set()  # row, scorer, by
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise BadInput("score.locked", file=self.path) from None
        try:
            self._take_up()
        except BadInput:
            self._file.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()

    def _take_up(self) -> None:
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            os.truncate(self.path, whole)  # a line that was being written when it was killed
        if not whole:
            self._write([self.header.to_json()])
            return
        header, lines = _parse(self.path, content[:whole])
        if header.data_sha256 != self.header.data_sha256:
            raise BadInput("score.other_data", file=self.path, files=", ".join(header.files))
        self.done = {(line.row, line.scorer, line.by) for line in lines}

    def append(self, scores: list[RowScore]) -> None:
        """Write scores durably, all of a batch or, when killed, its beginning."""
        self._write([score.to_json() for score in scores])
        self.done |= {(score.row, score.scorer, score.by) for score in scores}

    def _write(self, lines: list[str]) -> None:
        if self._file is None:
            raise RuntimeError("the score file is not open")
        self._file.write("".join(line + "\n" for line in lines).encode())
        self._file.flush()
        os.fsync(self._file.fileno())


def read_scores(path: Path) -> tuple[ScoreHeader, Scores]:
    """The scores of a file; of several by one scorer the last counts. Raises Unreadable."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unreadable("score.no_file", file=path, problem=error.strerror or "?") from None
    header, lines = _parse(path, content[: content.rfind(b"\n") + 1])
    found: Scores = {}
    for line in lines:
        if line.value is not None:
            found.setdefault(line.row, {})[line.scorer] = line
    return header, found


def _parse(path: Path, content: bytes) -> tuple[ScoreHeader, list[RowScore]]:
    header: ScoreHeader | None = None
    lines: list[RowScore] = []
    for number, piece in enumerate(content.splitlines() or [b""], start=1):
        try:
            if header is None:
                header = ScoreHeader.from_json(piece)
            else:
                lines.append(RowScore.from_json(piece))
        except ValidationError:
            raise Unreadable("score.broken_line", file=path, line=number) from None
    if header is None:
        raise Unreadable("score.broken_line", file=path, line=1)
    return header, lines
