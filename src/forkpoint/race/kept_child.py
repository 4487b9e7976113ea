"""Drift and tasks of the evaluation harness in a child process."""

import hashlib
from pathlib import Path
from typing import Any

from forkpoint.behaviour.probes import shipped_probes
from forkpoint.errors import BadInput
from forkpoint.ledger import DriftMeasured, RetainMeasured, write_whole
from forkpoint.measure.drift import drift, speak
from forkpoint.measure.harness import reject, run_tasks
from forkpoint.race.answer_child import load_subject, null_control, rendering_of
from forkpoint.race.arm_rows import ArmRows
from forkpoint.race.driver import read_agreement
from forkpoint.race.work import DriftWork, RetainWork, TaskWork


def run_drift(folder: Path, work: DriftWork) -> dict[str, Any]:
    """What the start says to general prompts, then how likely the tuned model finds it."""
    rows = ArmRows(folder, work.checkpoint, work.trial.rendering)
    start = load_subject(folder, rows, None)
    prompts = [probe.turns for probe in shipped_probes()]
    spoken = speak(start, rows.tokenizer, rows.renderer, prompts, rows.renderer.end_ids)
    del start
    if work.moment == "null_control":
        tuned = null_control(folder, rows, work.trial)
    else:
        tuned = load_subject(folder, rows, work.trial)
    return DriftMeasured(
        subject=work.subject,
        moment=work.moment,
        trial=work.trial,
        drift=drift(spoken, tuned),
        seconds=0.0,
    ).model_dump(exclude={"seq", "time", "schema_"})


def run_retain(folder: Path, work: RetainWork) -> dict[str, Any]:
    """Run the tasks and write the outcome of every question; the ledger line's values."""
    agreement = read_agreement(folder)
    rendering = rendering_of(agreement, work.checkpoint, work.trial)
    rows = ArmRows(folder, work.checkpoint, rendering)
    model = load_subject(folder, rows, work.trial)
    found = run_tasks(model, rows.tokenizer, agreement.settings.retain, rendering == "chat")
    path = folder / "retain" / f"{work.subject}.{work.moment}.jsonl"
    lines = [outcome.to_json().encode() for outcome in found.outcomes]
    write_whole(path, b"".join(line + b"\n" for line in lines))
    return RetainMeasured(
        subject=work.subject,
        moment=work.moment,
        trial=work.trial,
        scores=found.scores,
        unrun=found.failed,
        seconds=0.0,
        outcomes=str(path.relative_to(folder)),
        outcomes_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    ).model_dump(exclude={"seq", "time", "schema_"})


def run_task_check(work: TaskWork) -> dict[str, Any]:
    """Load every task without a model; raises BadInput for one that the harness rejects."""
    for task in work.tasks:
        if reason := reject(task):
            raise BadInput("measure.task_rejected", task=task, reason=reason)
    return {"accepted": list(work.tasks)}
