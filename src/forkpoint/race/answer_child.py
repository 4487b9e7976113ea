"""Answers and general ability in a child process: of a trained trial, or untrained."""

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

from forkpoint.ledger import Agreement, AnswersMade, GeneralMeasured, Trial, write_whole
from forkpoint.measure.answer_cost import time_alone
from forkpoint.measure.arm import score_arm
from forkpoint.measure.general import measure_general
from forkpoint.measure.questions import read_questions, sample_questions
from forkpoint.models.generation import ANSWER_BATCH
from forkpoint.models.weights import load_model
from forkpoint.race.arm_rows import ArmRows, trial_folder, write_answers
from forkpoint.race.asked_rows import Asked, AskedRows
from forkpoint.race.driver import read_agreement
from forkpoint.race.weights import WEIGHTS
from forkpoint.race.work import AnswerWork, GeneralWork
from forkpoint.train.approach import approach
from forkpoint.train.fine_tune import peak_memory_bytes
from forkpoint.untrained import PROMPT

QUESTIONS_A_GROUP = 25  # of each kind of ability and language: a share is known to about .2


def run_answers(folder: Path, work: AnswerWork) -> dict[str, Any]:
    """Answer a split and write the answers; the ledger line's values."""
    agreement = read_agreement(folder)
    settings = agreement.settings
    asked: list[Asked] = []
    asking = _asking(folder, agreement, work)
    sides = agreement.sides(work.trial.fold) if work.trial else agreement
    ids = sides.test_ids if work.split == "test" else sides.rung_validation_ids
    if asking:
        rows = asking.rows
        asked = asking.to_score(ids, work.split)
        to_score, batch = [one.row for one in asked], asking.batch_size(asked)
    else:
        rendering = rendering_of(agreement, work.checkpoint, work.trial)
        rows = ArmRows(folder, work.checkpoint, rendering)
        to_score, batch = rows.to_score(ids), ANSWER_BATCH
    model = load_subject(folder, rows, work.trial)
    weighed = asking is None or asking.kind.NAME == PROMPT
    scores = score_arm(
        model, rows.tokenizer, to_score, settings.metric, rows.limits, batch, likelihood=weighed
    )
    cost = scores.cost
    if cost and _is_timed_alone(work, settings.seed):
        prompts = [row.rendered.prompt_ids for row in to_score]
        limits = rows.limits
        alone = time_alone(model, rows.tokenizer, prompts, limits.stop_ids, limits.max_new_tokens)
        cost = cost.model_copy(update={"alone_seconds": alone})
    if cost:
        cost = cost.model_copy(update={"peak_bytes": peak_memory_bytes(settings.device)})
    how = f"-s{work.trial.seed}" if work.trial else f"-{work.setup}" if work.setup else ""
    path = folder / "answers" / f"{work.subject}.{work.split}{how}.jsonl"
    write_answers(path, scores, work.split, work.trial)
    return AnswersMade(
        arm=work.subject,
        split=work.split,
        trial=work.trial,
        setup=work.setup,
        primary=scores.primary,
        secondary=scores.secondary,
        likelihood=scores.bits_per_byte,
        stop=scores.stop_rate,
        stop_bits=scores.stop_bits,
        seconds=0.0,
        answers=str(path.relative_to(folder)),
        answers_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        cost=cost,
        shortened=sum(one.pieces < one.wanted for one in asked),
        shown=asking.show(asked) if asking and work.split == "test" else None,
    ).model_dump(exclude={"seq", "time", "schema_"})


def _is_timed_alone(work: AnswerWork, seed: int) -> bool:
    """On test, once for each arm: further seeds and folds answer as fast as the first."""
    return work.split == "test" and (work.trial is None or work.trial.seed == seed)


def _asking(folder: Path, agreement: Agreement, work: AnswerWork) -> AskedRows | None:
    """How an untrained arm is asked; None for a trained one, and in races of older versions."""
    if work.setup is None:
        return None
    arm = next(arm for arm in agreement.untrained if arm.name == work.subject)
    setup = next(setup for setup in arm.setups if setup.name == work.setup)
    return AskedRows(folder, agreement, arm, setup)


def run_general(folder: Path, work: GeneralWork) -> dict[str, Any]:
    """Measure general ability and write the outcome of every question; the line's values."""
    agreement = read_agreement(folder)
    rows = ArmRows(folder, work.checkpoint, rendering_of(agreement, work.checkpoint, work.trial))
    if work.moment == "null_control" and work.trial is not None:
        model = null_control(folder, rows, work.trial)
    else:
        model = load_subject(folder, rows, work.trial)
    ends = rows.renderer.end_ids
    every = read_questions(Path(str(files("forkpoint.pocket") / "general.jsonl")))
    questions = sample_questions(every, QUESTIONS_A_GROUP)
    found = measure_general(model, rows.tokenizer, rows.renderer, questions, ends)
    path = folder / "general" / f"{work.subject}.{work.moment}.jsonl"
    lines = [outcome.to_json().encode() for outcome in found.outcomes]
    write_whole(path, b"\n".join(lines) + b"\n")
    return GeneralMeasured(
        subject=work.subject,
        moment=work.moment,
        trial=work.trial,
        scores=found.scores,
        seconds=0.0,
        outcomes=str(path.relative_to(folder)),
        outcomes_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    ).model_dump(exclude={"seq", "time", "schema_"})


def rendering_of(agreement: Agreement, checkpoint: str, trial: Trial | None) -> str:
    """How a trial turns conversations into text, or a checkpoint before training."""
    if trial is not None:
        return trial.rendering
    return next(arm for arm in agreement.arms if arm.checkpoint == checkpoint).renderings[0]


def load_subject(folder: Path, rows: ArmRows, trial: Trial | None) -> Any:
    """The model of a trial, ready to answer, or the checkpoint as it was."""
    settings = rows.agreement.settings
    kind: dict[str, Any] = {"dtype": settings.dtype, "device": settings.device}
    if trial is None:
        return load_model(rows.path, **kind)
    arm = next(arm for arm in rows.agreement.arms if arm.name == trial.arm)
    weights = str(trial_folder(folder, trial) / WEIGHTS)
    return approach(arm.approach).load_for_answers(rows.path, weights, **kind)


def null_control(folder: Path, rows: ArmRows, trial: Trial) -> Any:
    """The untrained checkpoint moved as far as training moved it, in a random direction."""
    import torch

    tuned = dict(load_subject(folder, rows, trial).named_parameters())
    model = load_subject(folder, rows, None)
    generator = torch.Generator().manual_seed(trial.seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            moved = (tuned[name].float() - weight.float()).norm()
            noise = torch.randn(weight.shape, generator=generator)
            weight.add_((noise * (moved / noise.norm())).to(weight))
    return model
