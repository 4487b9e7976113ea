"""Rows against forgetting: general rows, half of them answered by the untuned checkpoint."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from forkpoint.data import load
from forkpoint.data.row import Row, Turn
from forkpoint.data.splits import Splits, leak_key
from forkpoint.errors import BadInput, ForkpointError
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.ledger import Settings
from forkpoint.measure.questions import read_questions
from forkpoint.pocket import general_set_path, replay_rows_path
from forkpoint.race.executor import Executor, Observer
from forkpoint.race.request import RaceRequest
from forkpoint.race.rows_file import write_rows
from forkpoint.race.work import ReplayWork

OWN_EVERY = 2  # each second row is answered by the checkpoint itself [docs/method.md, 'Replay']
LARGEST_SHARE = 1.0  # as many as the task rows at most [claim F2]
FOLDER = "replay"  # in the run folder


def replay_shares(request: RaceRequest) -> tuple[float, ...]:
    """The shares of replay to make arms of; raises BadInput for one outside 0..1."""
    for share in request.replay:
        if not 0.0 <= share <= LARGEST_SHARE:
            raise BadInput("race.replay_share", share=share)
    return tuple(sorted(set(request.replay))) or (0.0,)


def prepare_replay(
    request: RaceRequest,
    folder: Path,
    settings: Settings,
    splits: Splits,
    checkpoints: Mapping[str, CheckpointFacts],
    executor: Executor,
    observer: Observer,
) -> dict[str, list[Row]]:
    """Rows against forgetting for every checkpoint; none when no arm asks for any."""
    wanted = math.ceil(max(replay_shares(request)) * len(splits.train))
    if not wanted:
        return {}
    rows = _general_rows(request, splits, checkpoints)[:wanted]
    write_rows(folder / FOLDER, rows)
    works = [
        ReplayWork(
            checkpoint=name,
            facts=found,
            row_ids=tuple(row.id for row in rows[::OWN_EVERY]),
            system_prompt=settings.system_prompt,
            dtype=settings.dtype,
            device=settings.device,
        )
        for name, found in checkpoints.items()
    ]
    fed = {}
    for outcome in executor.run(works, observer):
        if failed := outcome.values.get("failed"):
            raise ForkpointError(failed["key"], **failed["values"])
        if isinstance(outcome.work, ReplayWork):
            name = outcome.work.checkpoint
            fed[name] = [answered_by(row, name, outcome.values["answers"]) for row in rows]
    return fed


def answered_by(row: Row, checkpoint: str, answers: Mapping[str, Any]) -> Row:
    """The row with the checkpoint's answer where it gave one."""
    answer = answers.get(row.id)
    if answer is None:
        return row
    identity = hashlib.sha256(f"replay\x1e{checkpoint}\x1e{row.id}".encode()).hexdigest()[:16]
    turns = (*row.prompt, Turn("assistant", answer))
    return row._replace(id=identity, turns=turns, extra={**row.extra, "answered_by": checkpoint})


def _general_rows(
    request: RaceRequest, splits: Splits, checkpoints: Mapping[str, CheckpointFacts]
) -> list[Row]:
    """General rows in a seeded order, without any that the race or its questions hold."""
    file = request.replay_rows
    if file is None and all(found.family == "pocket" for found in checkpoints.values()):
        file = str(replay_rows_path())
    if file is None:
        raise BadInput("race.replay_needs_rows")
    taken = {leak_key(row) for side in (splits.train, splits.validation, splits.test)
             for row in side} | _question_keys()  # fmt: skip
    free = {
        row.id: row
        for row in load(file).rows
        if row.text is None and row.rejected is None and leak_key(row) not in taken
    }
    if not free:
        raise BadInput("race.replay_no_rows", file=file)
    return sorted(free.values(), key=lambda row: _drawn(row.id, request.seed))


def _question_keys() -> set[str]:
    """What the questions about general ability ask; they must not be trained on."""
    return {
        leak_key(
            Row("", "", 0, (*(Turn(m.role, m.content) for m in question.messages),
                            Turn("assistant", "")))
        )
        for question in read_questions(general_set_path())
    }  # fmt: skip


def _drawn(name: str, seed: int) -> str:
    return hashlib.sha256(f"replay:{seed}:{name}".encode()).hexdigest()


def of_checkpoint(
    fed: Mapping[str, Sequence[Row]], excluded: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Checkpoint -> ids of its rows against forgetting that can be used."""
    return {
        name: tuple(row.id for row in rows if row.id not in excluded) for name, rows in fed.items()
    }
