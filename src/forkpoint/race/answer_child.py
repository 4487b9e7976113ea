"""Answers and general ability in a child process: of a trained trial, or untrained."""

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

from forkpoint.ledger import Agreement, AnswersMade, GeneralMeasured, Trial, write_whole
from forkpoint.measure.arm import score_arm
from forkpoint.measure.general import measure_general
from forkpoint.measure.questions import read_questions, sample_questions
from forkpoint.models.weights import load_model
from forkpoint.race.arm_rows import ArmRows, trial_folder, write_answers
from forkpoint.race.driver import read_agreement
from forkpoint.race.weights import WEIGHTS
from forkpoint.race.work import AnswerWork, GeneralWork
from forkpoint.train.approach import approach

QUESTIONS_A_GROUP = 25  # of each kind of ability and language: a share is known to about .2


def run_answers(folder: Path, work: AnswerWork) -> dict[str, Any]:
    """Answer a split and write the answers; the ledger line's values."""
    agreement = read_agreement(folder)
    rows = ArmRows(folder, work.checkpoint, rendering_of(agreement, work.checkpoint, work.trial))
    model = load_subject(folder, rows, work.trial)
    sides = agreement.sides(work.trial.fold) if work.trial else agreement
    ids = sides.test_ids if work.split == "test" else sides.rung_validation_ids
    scores = score_arm(
        model, rows.tokenizer, rows.to_score(ids), agreement.settings.metric, rows.limits
    )
    seed = f"-s{work.trial.seed}" if work.trial else ""
    path = folder / "answers" / f"{work.subject}.{work.split}{seed}.jsonl"
    write_answers(path, scores, work.split, work.trial)
    return AnswersMade(
        arm=work.subject,
        split=work.split,
        trial=work.trial,
        primary=scores.primary,
        secondary=scores.secondary,
        likelihood=scores.bits_per_byte,
        stop=scores.stop_rate,
        stop_bits=scores.stop_bits,
        seconds=0.0,
        answers=str(path.relative_to(folder)),
        answers_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    ).model_dump(exclude={"seq", "time", "schema_"})


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
