"""What an adapter is beside its checkpoint, and how LoRA does beside full fine-tuning here."""

from pathlib import Path

import numpy as np

from forkpoint.export.finished_arm import FinishedArm
from forkpoint.ledger import AnswersMade, TrialScored
from forkpoint.record import Figure, Record
from forkpoint.run.answers import Answers, answers_of
from forkpoint.run.folder import RunFolder
from forkpoint.verdict.resample import interval, row_weights, sample_of

SAME_ROWS_LEAST = 20  # shared rows below which a ratio of scores says nothing


class AdapterFacts(Record):
    """Sizes of one tuned arm."""

    approach: str
    trained_parameters: int | None
    parameters: int | None
    trained_share: float | None
    weights_bytes: int  # of what was trained, on disk
    checkpoint_bytes: int | None


class LoraShare(Record):
    """LoRA's score over full fine-tuning's, same checkpoint, same rows."""

    lora: str
    full: str
    split: str
    share: Figure


def adapter_facts(arm: FinishedArm) -> AdapterFacts:
    """Trained share and sizes; a share only where both counts are known."""
    from forkpoint.train.fine_tune import RESULT_FILE
    from forkpoint.train.job import TrainResult

    folder = arm.weights
    result = folder / RESULT_FILE
    trained = (
        TrainResult.from_json(result.read_bytes()).trainable_parameters
        if result.is_file()
        else arm.plan.trainable_parameters
    )
    parameters = arm.facts.shape.parameters
    return AdapterFacts(
        approach=arm.plan.approach,
        trained_parameters=trained,
        parameters=parameters,
        trained_share=trained / parameters if trained and parameters else None,
        weights_bytes=_weight_bytes(folder),
        checkpoint_bytes=arm.facts.weights_bytes,
    )


def lora_share(run: RunFolder, checkpoint: str) -> LoraShare | None:
    """LoRA over full on the rows that both answered; None where the race does not have both."""
    arms = {
        plan.approach: plan.name
        for plan in run.agreement.arms
        if plan.checkpoint == checkpoint and plan.subset is None and not plan.replay
    }
    metric = run.agreement.settings.metric
    if "lora" not in arms or "full" not in arms or metric == "bits_per_byte":
        return None
    for split, answers in _answers(run):
        lora, full = answers.get(arms["lora"], {}), answers.get(arms["full"], {})
        shared = [row for row in lora if row in full]
        if len(shared) < SAME_ROWS_LEAST:
            continue
        weights_B_N = row_weights(len(shared), run.agreement.settings.seed)
        samples = [sample_of([said[row] for row in shared], metric) for said in (lora, full)]
        points = [float(sample.value()[0]) for sample in samples]
        draws = [sample.value(weights_B_N) for sample in samples]
        if points[1] <= 0 or float(np.quantile(draws[1], 0.025)) <= 0:
            return None
        low, high = interval(draws[0] / draws[1])
        share = Figure(
            value=points[0] / points[1], low=low, high=high, n=len(shared), origin="measured"
        )
        return LoraShare(lora=arms["lora"], full=arms["full"], split=split, share=share)
    return None


def _answers(run: RunFolder) -> list[tuple[str, dict[str, Answers]]]:
    """Test answers, then each arm's answers to validation from its best-scored trial."""
    tests = [x for x in run.lines if isinstance(x, AnswersMade) and x.split == "test"]
    scored = [
        line for line in run.lines
        if isinstance(line, TrialScored) and line.primary.value is not None
    ]  # fmt: skip
    rungs: dict[str, set[int]] = {}
    for line in scored:
        rungs.setdefault(line.trial.arm, set()).add(line.trial.rung)
    common = set.intersection(*rungs.values()) if rungs else set()
    same = [line for line in scored if common and line.trial.rung == max(common)]
    best = sorted(same, key=lambda line: -(line.primary.value or 0.0))
    return [("test", answers_of(run, tests)), ("validation", answers_of(run, best))]


def _weight_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))
