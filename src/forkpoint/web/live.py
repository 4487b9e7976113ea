"""What moves while a race runs, beyond its ledger: trials under way, memory, time left."""

import hashlib
from pathlib import Path

import orjson

from forkpoint.ledger import Trial, read_lines
from forkpoint.race.driver import read_agreement
from forkpoint.race.progress import seconds_left, share_done
from forkpoint.race.state import RaceState
from forkpoint.record import Record
from forkpoint.report import View
from forkpoint.report.view_record import TrialView
from forkpoint.web.process import memory_bytes

NOTES = ".work"  # where the executor's children note how far they are


class UnderWay(Record):
    """One trial that runs now."""

    arm: str
    rung: int
    rate: float
    step: int | None
    steps: int | None
    answering: int | None  # validation rows it is answering, once training is done
    worker: str | None = None  # of a cluster: the node's address and the process there


class Pace(Record):
    """How a race stands by its ledger."""

    share: float  # of the race that is done, 0..1
    left_seconds: float


class Now(Record):
    """A race at this moment."""

    running: tuple[UnderWay, ...]
    share: float  # of the race that is done, 0..1
    left_seconds: float | None
    memory_bytes: int | None


def now(folder: Path, view: View, pace: Pace) -> Now:
    """What the notes of the children and the system say beside the ledger's pace."""
    running = tuple(
        _under_way(folder, trial)
        for arm in view.arms
        for trial in arm.trials
        if trial.state == "running"
    )
    return Now(
        running=running,
        share=pace.share,
        left_seconds=pace.left_seconds if view.progress == "under_way" else None,
        memory_bytes=memory_bytes(folder),
    )


def pace_of(folder: Path) -> Pace:
    """How far the race is by its ledger, and how long it still takes at the pace so far."""
    state = RaceState(read_agreement(folder))
    state.read_all(read_lines(folder))
    return Pace(share=share_done(state), left_seconds=seconds_left(state))


def _under_way(folder: Path, view: TrialView) -> UnderWay:
    trial = Trial(
        arm=view.arm, rung=view.rung, rate=view.rate, seed=view.seed, rendering=view.rendering
    )
    name = hashlib.sha256(f"trial {trial.folder}".encode()).hexdigest()[:16]
    try:
        note = orjson.loads((folder / NOTES / f"{name}.progress.json").read_bytes())
    except (OSError, ValueError):
        note = {}
    return UnderWay(
        arm=view.arm,
        rung=view.rung,
        rate=view.rate,
        step=_whole(note, "step"),
        steps=_whole(note, "steps"),
        answering=_whole(note, "answering"),
        worker=note.get("worker") if isinstance(note, dict) else None,
    )


def _whole(note: object, name: str) -> int | None:
    value = note.get(name) if isinstance(note, dict) else None
    return value if isinstance(value, int) else None
