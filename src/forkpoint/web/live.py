"""What moves while a race runs, beyond its ledger: trials under way, memory, time left."""

import hashlib
from pathlib import Path

import orjson

from forkpoint.ledger import Trial
from forkpoint.record import Record
from forkpoint.report import View
from forkpoint.report.view_record import TrialView
from forkpoint.web.process import memory_bytes

NOTES = ".work"  # where the executor's children note how far they are
RACED = 0.9  # of a race's time is racing, the rest is the test and general ability
BELIEVED = 0.1  # of the race; from then on what was measured says more than the plan


class UnderWay(Record):
    """One trial that runs now."""

    arm: str
    rung: int
    rate: float
    step: int | None
    steps: int | None
    answering: int | None  # validation rows it is answering, once training is done


class Now(Record):
    """A race at this moment."""

    running: tuple[UnderWay, ...]
    share: float  # of the race that is done, 0..1
    left_seconds: float | None
    memory_bytes: int | None


def now(folder: Path, view: View) -> Now:
    """What the notes of the children and the system say."""
    running = tuple(
        _under_way(folder, trial)
        for arm in view.arms
        for trial in arm.trials
        if trial.state == "running"
    )
    share = share_done(view)
    return Now(
        running=running,
        share=share,
        left_seconds=left_seconds(view, share),
        memory_bytes=memory_bytes(folder),
    )


def share_done(view: View) -> float:
    """About how much of the race is done: by the share of the budget that is spent."""
    if view.progress == "ended":
        return 1.0
    if any(arm.state == "finalist" for arm in view.arms):
        return RACED
    spent = view.cost.spent.value / max(view.cost.budget.value, 1.0)
    return min(RACED, RACED * spent)


def left_seconds(view: View, share: float) -> float | None:
    """Seconds to the end by the plan and, more and more, by what was measured; None: it rests."""
    if view.progress != "under_way":
        return None
    planned = view.cost.predicted_seconds.value * (1 - share)
    if share <= BELIEVED:
        return planned
    workers = next((s.value for s in view.settings if s.name == "workers"), 1)
    elapsed = view.cost.seconds.value / max(float(workers or 1), 1.0)
    return share * elapsed * (1 - share) / share + (1 - share) * planned


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
    )


def _whole(note: object, name: str) -> int | None:
    value = note.get(name) if isinstance(note, dict) else None
    return value if isinstance(value, int) else None
