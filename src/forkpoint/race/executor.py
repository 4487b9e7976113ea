"""Runs pieces of work, each in a child forked from a server that has the heavy imports done.

A child that crashes or is killed takes its piece of work with it, never the race.
"""

import contextlib
import hashlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

import orjson

from forkpoint.race.work import WORK, Work

PRELOAD = ("forkpoint.race.preload",)
POLL_SECONDS = 0.2  # how often progress is looked at
WORKER = "FORKPOINT_WORKER"  # environment: names a cluster's worker in its children's notes
PAUSE = "pause"  # a file in the run folder: begin nothing more


class Outcome:
    """What a piece of work came to: a line for the ledger, or why there is none."""

    def __init__(self, work: Work, values: dict[str, Any], seconds: float) -> None:
        self.work = work
        self.values = values
        self.seconds = seconds


class Observer(Protocol):
    """Who is told what the executor does."""

    def started(self, work: Work) -> None:
        """A piece of work begins."""
        ...

    def progressed(self, work: Work, values: dict[str, Any]) -> None:
        """A piece of work says how far it is."""
        ...


More = Callable[[], Sequence[Work]]  # what is wanted beside the work that was handed out


def nothing_more() -> Sequence[Work]:
    """No work beyond what was given."""
    return ()


class Executor(Protocol):
    """Who runs the work; the race only sees outcomes."""

    workers: int

    def run(
        self, works: Sequence[Work], observer: Observer, more: More = nothing_more
    ) -> Iterator[Outcome]:
        """Run all pieces and give each outcome as it arrives; `observer` is told of progress.

        Once an outcome has been taken, `more` is asked what else may run now.
        """
        ...

    def close(self) -> None:
        """Stop whatever still runs."""
        ...


class LocalExecutor:
    """Children of one forkserver on this machine, `workers` at a time."""

    def __init__(self, folder: Path, workers: int, threads: int) -> None:
        self.folder = folder
        self.workers = workers
        self.threads = threads
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(PRELOAD))
        self._running: dict[int, tuple[Work, BaseProcess, float]] = {}

    def run(
        self, works: Sequence[Work], observer: Observer, more: More = nothing_more
    ) -> Iterator[Outcome]:
        """Outcomes in the order of arrival; every piece of work that was begun gets exactly one.

        While there is a file `pause` in the run folder nothing more is begun.
        """
        waiting = list(works)
        pause = self.folder / PAUSE
        try:
            while (waiting and not pause.exists()) or self._running:
                while waiting and len(self._running) < self.workers and not pause.exists():
                    observer.started(waiting[0])
                    self._start(waiting.pop(0))
                wait([process.sentinel for _, process, _ in self._running.values()], POLL_SECONDS)
                for sentinel, (work, process, started) in list(self._running.items()):
                    if process.is_alive():
                        if progress := read_json(note_path(self.folder, work, "progress")):
                            observer.progressed(work, progress)
                        continue
                    process.join()
                    del self._running[sentinel]
                    yield self._outcome(work, process.exitcode, time.monotonic() - started)
                    waiting.extend(more())
        finally:
            self.close()

    def close(self) -> None:
        """Kill the children that still run; what they did is lost, the ledger is whole."""
        for _, process, _ in self._running.values():
            process.kill()
            process.join()
        self._running.clear()

    def _start(self, work: Work) -> None:
        from forkpoint.race.child import run_work

        for kind in ("outcome", "progress"):
            note_path(self.folder, work, kind).unlink(missing_ok=True)
        note_path(self.folder, work, "outcome").parent.mkdir(parents=True, exist_ok=True)
        process = self._context.Process(
            target=run_work,
            args=(
                str(self.folder),
                WORK.dump_json(work),
                str(note_path(self.folder, work, "outcome")),
                str(note_path(self.folder, work, "progress")),
                self.threads,
            ),
            daemon=True,
        )
        process.start()
        self._running[process.sentinel] = (work, process, time.monotonic())

    def _outcome(self, work: Work, exitcode: int | None, seconds: float) -> Outcome:
        values = read_json(note_path(self.folder, work, "outcome"))
        for kind in ("outcome", "progress"):
            note_path(self.folder, work, kind).unlink(missing_ok=True)
        if values is None:
            values = {"failed": _death(exitcode)}
        return Outcome(work, values, seconds)


def _death(exitcode: int | None) -> dict[str, Any]:
    """Why a child that left no outcome died."""
    if exitcode == -signal.SIGKILL:
        return {"key": "race.killed", "values": {}, "retry": "smaller"}
    if exitcode is not None and exitcode < 0:
        with contextlib.suppress(ValueError):
            name = signal.Signals(-exitcode).name
            return {"key": "race.crashed_signal", "values": {"signal": name}, "retry": "smaller"}
    return {"key": "race.crashed_exit", "values": {"code": exitcode or 0}, "retry": None}


def note_path(folder: Path, work: Work, kind: str) -> Path:
    """Where a child leaves its "outcome" or notes its "progress"."""
    name = hashlib.sha256(work.key.encode()).hexdigest()[:16]
    return folder / ".work" / f"{name}.{kind}.json"


def read_json(path: Path) -> dict[str, Any] | None:
    """What a note holds; None when there is none or it is not whole."""
    try:
        values: dict[str, Any] = orjson.loads(path.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None
    return values
