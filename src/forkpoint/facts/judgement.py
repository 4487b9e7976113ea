"""Combine the signals: log-odds are added, probabilities follow, conflicts are said."""

import math
from collections.abc import Iterable

from forkpoint.facts.checkpoint_facts import Evidence, Judgement, Notice, Stage
from forkpoint.facts.reading import Reading
from forkpoint.facts.signals import Signals
from forkpoint.facts.signals.architecture import architecture_signals
from forkpoint.facts.signals.behaviour import behaviour_signals
from forkpoint.facts.signals.card import card_signals
from forkpoint.facts.signals.generation import generation_signals
from forkpoint.facts.signals.name import name_signals
from forkpoint.facts.signals.template import template_signals
from forkpoint.facts.signals.tokens import token_signals
from forkpoint.facts.signals.training import training_signals
from forkpoint.facts.signals.weights import weight_signals

GROUPS = (
    name_signals, card_signals, generation_signals, template_signals, token_signals,
    architecture_signals, training_signals, weight_signals, behaviour_signals,
)  # fmt: skip

# Shares before anything is known: about those of the text models that people fine-tune.
SOLD_AS_PRIOR = {
    "base": 0.3, "instruct": 0.25, "chat": 0.15, "it": 0.05, "thinking": 0.05, "none": 0.2,
}  # fmt: skip
POST_TRAINING_PRIOR = {
    "none": 0.2, "instruction_rich": 0.1, "sft": 0.2, "sft_preference": 0.2,
    "reasoning_rl": 0.1, "unknown": 0.2,
}  # fmt: skip
KIND_PRIOR = {
    "text": 0.75, "code": 0.05, "vision": 0.05, "embedding": 0.05, "reward": 0.02,
    "thinking": 0.08,
}  # fmt: skip

# What comes out is said before what goes in, and that before how an answer is thought of: an
# embedding model that takes images is an embedding model, a vision model that reasons sees.
YIELDS = {
    "embedding": ("vision", "code", "thinking"), "reward": ("vision", "code", "thinking"),
    "vision": ("thinking",),
}  # fmt: skip

SURE = 0.5  # probability; below it the value is "unknown"
SURELY_TUNED = 0.1  # probability of Base; below it a checkpoint of unknown stage is called tuned
CONFLICT = 1.5  # log-odds; groups that speak this strongly for and against are a conflict
STAGE_OF_SALE: dict[str, Stage] = {
    "base": "base", "instruct": "instruct", "it": "instruct", "chat": "chat", "thinking": "chat",
}  # fmt: skip
STAGE_OF_TRAINING: dict[str, Stage] = {
    "none": "base", "instruction_rich": "base", "sft": "instruct",
    "sft_preference": "chat", "reasoning_rl": "chat",
}  # fmt: skip


def gather(reading: Reading, hidden: Iterable[str] = ()) -> Signals:
    """All evidence, the groups named in `hidden` left out."""
    left_out = set(hidden)
    found = sum((group(reading) for group in GROUPS), Signals())
    said = {item.says for item in found.kind if item.weight > 0}
    unsaid = {other for kind in said for other in YIELDS.get(kind, ())}
    found.kind[:] = [item for item in found.kind if item.says not in unsaid]
    return Signals(
        *(
            [item for item in items if item.signal not in left_out]
            for items in (found.sold_as, found.post_training, found.kind)
        )
    )


def weigh(evidence: list[Evidence], prior: dict[str, float]) -> Judgement:
    """Add the log-odds of the evidence to the prior's; below SURE the value is "unknown"."""
    scores = {value: math.log(share) for value, share in prior.items()}
    for item in evidence:
        scores[item.says] += item.weight
    top = max(scores.values())
    odds = {value: math.exp(score - top) for value, score in scores.items()}
    total = sum(odds.values())
    probabilities = {value: weight / total for value, weight in odds.items()}
    value = max(probabilities, key=lambda item: probabilities[item])
    return Judgement(
        value=value if probabilities[value] >= SURE else "unknown",
        probability=probabilities[value],
        probabilities=probabilities,
        evidence=tuple(sorted(evidence, key=lambda item: -abs(item.weight))),
    )


def judge(reading: Reading, hidden: Iterable[str] = ()) -> tuple[Judgement, Judgement, Judgement]:
    """`sold_as`, `post_training` and `kind` of a checkpoint."""
    signals = gather(reading, hidden)
    return (
        weigh(signals.sold_as, SOLD_AS_PRIOR),
        weigh(signals.post_training, POST_TRAINING_PRIOR),
        weigh(signals.kind, KIND_PRIOR),
    )


def stage_of(sold_as: Judgement, post_training: Judgement) -> Stage | None:
    """The guides' stage: what it is sold as; where that says nothing, how it was trained."""
    if sold_as.value in STAGE_OF_SALE:
        return STAGE_OF_SALE[sold_as.value]
    return STAGE_OF_TRAINING.get(post_training.value)


def unnamed(sold_as: Judgement) -> list[Notice]:
    """A checkpoint that is surely tuned although nothing says as what it is sold."""
    base = sold_as.probabilities["base"]
    if sold_as.value != "unknown" or base > SURELY_TUNED:
        return []
    values: dict[str, str | int | float] = {"chance": f"{1 - base:.0%}"}
    return [Notice(code="tuned-unnamed", level="info", key="facts.tuned_unnamed", values=values)]


def conflicts(sold_as: Judgement) -> list[Notice]:
    """Groups of signals that contradict each other about Base or tuned."""
    sums: dict[str, float] = {}
    told: dict[str, str] = {}
    for item in sold_as.evidence:
        if item.says in ("thinking", "none") and item.signal == "architecture":
            continue
        weight = item.weight if item.says == "base" else -item.weight
        sums[item.signal] = sums.get(item.signal, 0.0) + weight
        told.setdefault(item.signal, item.found)
    if not sums:
        return []
    base = max(sums, key=lambda signal: sums[signal])
    tuned = min(sums, key=lambda signal: sums[signal])
    if sums[base] < CONFLICT or sums[tuned] > -CONFLICT:
        return []
    return [
        Notice(
            code="stage-conflict",
            level="warning",
            key="facts.stage_conflict",
            values={
                "base_signal": base, "base_found": told[base],
                "tuned_signal": tuned, "tuned_found": told[tuned],
            },
        )
    ]  # fmt: skip
