"""One trial in its child process: train the arm to the rung, then answer the rung's rows."""

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from forkpoint.ledger import Agreement, TrialScored
from forkpoint.measure.arm import score_arm
from forkpoint.measure.scores import ArmScores
from forkpoint.models.rendering import IGNORED, Rendered
from forkpoint.race.arm_rows import ArmRows, trial_folder, write_answers
from forkpoint.race.diet import arm_stages, replay_weight
from forkpoint.race.driver import read_agreement
from forkpoint.race.weights import WEIGHTS
from forkpoint.race.work import TrialWork
from forkpoint.train.approach import approach
from forkpoint.train.fine_tune import fine_tune, peak_memory_bytes
from forkpoint.train.job import (
    GPU_PACK_TOKENS,
    PACK_TOKENS,
    ApproachSettings,
    TrainJob,
    TrainProgress,
    TrainResult,
    TrainRow,
)
from forkpoint.train.spread import ranks

NOTE_SECONDS = 0.5  # between two notes of progress
KEEP_SECONDS = 120.0  # of training that a trial may lose with its worker; shorter trials are not
# kept: writing would cost more than beginning anew [ruled]

Report = Callable[[dict[str, Any]], None]


def run_trial(folder: Path, work: TrialWork, report: Report) -> dict[str, Any]:
    """Train, answer the rung's validation rows, write the answers; the ledger line's values."""
    trial = work.trial
    agreement = read_agreement(folder)
    arm = next(arm for arm in agreement.arms if arm.name == trial.arm)
    rows = ArmRows(folder, arm.checkpoint, trial.rendering)
    target = trial_folder(folder, trial)
    job = _job(rows, work, target / WEIGHTS)
    result = fine_tune(job, _noter(report))
    if ranks(job)[0] > 0:  # of a training in several processes the first one answers
        return {}
    settings = agreement.settings
    model = approach(arm.approach).load_for_answers(
        rows.path,
        str(target / WEIGHTS),
        dtype=settings.dtype,  # type: ignore[arg-type]
        device=settings.device,
    )
    validation = agreement.sides(trial.fold).rung_validation_ids
    report({"answering": len(validation)})
    scores = score_arm(
        model,
        rows.tokenizer,
        rows.to_score(validation),
        settings.metric,
        rows.limits,
    )
    answers = target / "answers.jsonl"
    write_answers(answers, scores, "validation", trial)
    peak = max(result.peak_memory_bytes, peak_memory_bytes(settings.device))
    return _line(folder, work, result, scores, answers, peak)


def _job(rows: ArmRows, work: TrialWork, target: Path) -> TrainJob:
    agreement: Agreement = rows.agreement
    settings, trial = agreement.settings, work.trial
    arm = next(arm for arm in agreement.arms if arm.name == trial.arm)
    plan = arm_stages(agreement, trial)
    place = _places((*plan.texts, *plan.rows))
    pair = _places(plan.pairs)
    texts = _places(plan.texts)
    rendered = {key: rows.to_train(key) for key in place}
    general = agreement.replay_ids.get(arm.checkpoint, ()) if arm.replay else ()
    twin = agreement.twins.get(arm.checkpoint)
    token_rows = agreement.token_rows(arm.checkpoint)
    pack = GPU_PACK_TOKENS if settings.device != "cpu" else PACK_TOKENS
    return TrainJob(
        checkpoint=rows.path,
        approach=arm.approach,
        settings=ApproachSettings(
            rank=settings.lora_rank,
            alpha=settings.lora_alpha,
            gradient_checkpointing=work.shrink > 0,
            token_ids=tuple(row.id for row in token_rows),
            token_starts=tuple(row.start_id for row in token_rows),
        ),
        rows=(
            *rows_to_train({key: rendered[key] for key in texts}, ()),
            *rows_to_train(
                {key: row for key, row in rendered.items() if key not in texts},
                frozenset(general),
            ),
        ),
        text_steps=tuple(tuple(place[row] for row in step) for step in plan.texts),
        steps=tuple(tuple(place[row] for row in step) for step in plan.rows),
        pairs=tuple(rows.pair(key) for key in pair),
        pair_steps=tuple(tuple(pair[row] for row in step) for step in plan.pairs),
        twin=str(twin.path) if twin else None,
        rate=agreement.run_rate(trial),
        schedule=settings.schedule,
        warmup_steps=max(1, round(settings.warmup_share * len(plan.rows))),
        seed=trial.seed,
        dtype=settings.dtype,
        device=settings.device,
        context_tokens=settings.context_tokens,
        pack_tokens=pack >> work.shrink,
        end_ids=rows.renderer.end_ids,
        sharding=arm.memory.spread if arm.memory else "none",
        keep_seconds=KEEP_SECONDS,
        folder=str(target),
    )


def _places(steps: Iterable[Iterable[str]]) -> dict[str, int]:
    """Row id -> its place among those that occur, in the order in which they do."""
    place: dict[str, int] = {}
    for key in (key for step in steps for key in step):
        place.setdefault(key, len(place))
    return place


def rows_to_train(
    rendered: Mapping[str, Rendered], general: Collection[str]
) -> tuple[TrainRow, ...]:
    """Rows as tokens, the general ones among them with the weight that replay has."""
    tokens = {key: sum(label != IGNORED for label in row.labels[1:])
              for key, row in rendered.items()}  # fmt: skip
    weight = replay_weight(
        [count for key, count in tokens.items() if key not in general],
        [count for key, count in tokens.items() if key in general],
    )
    return tuple(
        TrainRow(input_ids=row.input_ids, labels=row.labels,
                 weight=weight if key in general else 1.0)
        for key, row in rendered.items()
    )  # fmt: skip


def _noter(report: Report) -> Callable[[TrainProgress], None]:
    last = [0.0]

    def note(progress: TrainProgress) -> None:
        now = time.monotonic()
        if now - last[0] >= NOTE_SECONDS or progress.step == progress.steps:
            last[0] = now
            report({"step": progress.step, "steps": progress.steps, "loss": progress.loss})

    return note


def _line(
    folder: Path,
    work: TrialWork,
    result: TrainResult,
    scores: ArmScores,
    answers: Path,
    peak_bytes: int,
) -> dict[str, Any]:
    line = TrialScored(
        trial=work.trial,
        attempt=work.attempt,
        tokens=result.tokens,
        seconds=result.resumed_seconds,  # of an earlier worker; those of this one are added
        train_seconds=result.seconds,
        resumed_at=result.resumed_at,
        peak_bytes=peak_bytes,
        primary=scores.primary,
        secondary=scores.secondary,
        likelihood=scores.bits_per_byte,
        stop=scores.stop_rate,
        stop_bits=scores.stop_bits,
        final_loss=result.losses[-1] if result.losses else None,
        answers=str(answers.relative_to(folder)),
        answers_sha256=hashlib.sha256(answers.read_bytes()).hexdigest(),
        cost=scores.cost,
    )
    return line.model_dump(exclude={"seq", "time", "schema_"})
