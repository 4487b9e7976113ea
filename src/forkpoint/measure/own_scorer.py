"""The user's own scorer, FILE.py:function, run in a child process with a time limit."""

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from forkpoint.data.row import Row
from forkpoint.errors import BadInput

ROW_SECONDS = 10.0  # time for one row; a test run of a small programme fits, a hang does not
HANGS = 5  # rows in a row without a score in time: then the scorer is given up, the rest unscored
START_SECONDS = 60.0  # time for the file's own imports
CHILD = Path(__file__).with_name("scorer_child.py")

ENDED = "the scorer's process ended"

Scored = tuple[float | None, str]  # the score, or None and why


def own_scores(
    metric: str, rows: Sequence[Row], answers: Sequence[str], row_seconds: float = ROW_SECONDS
) -> list[Scored]:
    """The scorer's value for each answer; a row that fails or hangs has none, with the reason.

    Raises BadInput when the file cannot be loaded or has no such function.
    """
    path, function = _place(metric)
    found: list[Scored] = []
    hangs = 0
    while len(found) < len(rows):
        if hangs == HANGS:
            given_up = f"not asked: the scorer gave no score {HANGS} times in a row"
            return [*found, *[(None, given_up)] * (len(rows) - len(found))]
        with _Child(path, function) as child:
            for row, answer in zip(rows[len(found) :], answers[len(found) :], strict=True):
                reply = child.ask({"row": row_values(row), "answer": answer}, row_seconds)
                if reply is None:
                    found.append((None, f"no score within {row_seconds:g} s"))
                    hangs += 1
                    break  # the next row gets a new child
                hangs = 0
                found.append(_read(reply))
                if reply.get("error") == ENDED:
                    break
    return found


def check_scorer(metric: str) -> None:
    """Load the scorer once, before a race trains for it; raises BadInput where it cannot be."""
    with _Child(*_place(metric)):
        pass


def _place(metric: str) -> tuple[str, str]:
    path, _, function = metric.rpartition(":")
    if not Path(path).is_file() or not function.isidentifier():
        raise BadInput("measure.no_scorer", metric=metric)
    return path, function


def row_values(row: Row) -> dict[str, Any]:
    """What a scorer is given of a row."""
    return {
        "id": row.id,
        "messages": [{"role": turn.role, "content": turn.content} for turn in row.turns],
        "text": row.text,
        "expected": row.answer,
        "tools": row.tools,
        "extra": dict(row.extra),
    }


def _read(reply: dict[str, Any]) -> Scored:
    if "error" in reply:
        return None, str(reply["error"])
    value = reply.get("score")
    if value is None:
        return None, "the scorer gave null"
    if isinstance(value, bool | int | float) and 0 <= value <= 1:
        return float(value), ""
    return None, f"the scorer gave {value!r}, not a number from 0 to 1"


class _Child:
    """One process that answers one JSON line with one JSON line."""

    def __init__(self, path: str, function: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(CHILD), path, function],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        ready = self._line(START_SECONDS)
        if ready is None or "error" in ready:
            self.close()
            raise BadInput(
                "measure.scorer_broken",
                file=path,
                function=function,
                error=(ready or {"error": f"nothing within {START_SECONDS:g} s"})["error"],
            )

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, question: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """The reply to one question, or None when it did not come in time or at all."""
        stdin: IO[bytes] = self._process.stdin  # type: ignore[assignment]
        try:
            stdin.write(json.dumps(question, ensure_ascii=False).encode() + b"\n")
            stdin.flush()
        except BrokenPipeError:
            return {"error": ENDED}
        return self._line(seconds)

    def close(self) -> None:
        """End the process and whatever it started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, 9)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def _line(self, seconds: float) -> dict[str, Any] | None:
        stdout: IO[bytes] = self._process.stdout  # type: ignore[assignment]
        deadline = time.monotonic() + seconds
        text = b""
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while not text.endswith(b"\n"):
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    return None
                piece = os.read(stdout.fileno(), 65536)
                if not piece:
                    return {"error": ENDED}
                text += piece
        values: dict[str, Any] = json.loads(text)
        return values
