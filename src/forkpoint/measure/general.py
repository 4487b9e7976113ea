"""General ability that a fine-tuning can cost: measured before and after, question by question."""

from collections.abc import Collection, Sequence
from typing import Any

from forkpoint.data.row import Turn
from forkpoint.ledger import Measured
from forkpoint.measure.interval import paired_rates, rate
from forkpoint.measure.likelihood import span_bits
from forkpoint.measure.questions import Question, passes
from forkpoint.models.generation import ANSWER_BATCH, generate
from forkpoint.models.rendering import Renderer
from forkpoint.models.template import TemplateRefused
from forkpoint.record import Record

ANSWER_TOKENS = 64  # limit of an answer to a question that is not multiple choice


class Outcome(Record):
    """One question answered."""

    id: str
    kind: str
    language: str
    right: bool
    answer: str  # what was said, or the choice taken
    chance: float  # of being right by guessing


class GeneralScores(Record):
    """Ability by kind, and by kind and language as "kind.language"."""

    scores: dict[str, Measured]
    outcomes: tuple[Outcome, ...]
    skipped: tuple[str, ...]  # ids of questions that the template cannot show


class Change(Record):
    """What became of one kind of ability, on the same questions before and after."""

    before: Measured
    after: Measured
    difference: Measured  # after minus before, paired
    share_kept: float | None  # of what was above chance; None unless that is clearly something


def measure_general(
    model: Any,
    tokenizer: Any,
    renderer: Renderer,
    questions: Sequence[Question],
    end_ids: Collection[int],
    batch_size: int = ANSWER_BATCH,
) -> GeneralScores:
    """How a model answers the questions in its own rendering.

    Multiple choice is decided by the likelihood of each choice as the answer, or, in plain
    rendering, as the end of the prose stem; the rest by a rule about the greedy answer, and an
    answer that runs into the limit is wrong.
    """
    prompts: dict[str, tuple[int, ...]] = {}
    skipped = []
    for question in questions:
        turns = [Turn(message.role, message.content) for message in question.messages]
        try:
            prompts[question.id] = renderer.prompt(turns)
        except TemplateRefused:
            skipped.append(question.id)
    shown = [question for question in questions if question.id in prompts]
    chosen = [question for question in shown if question.choices is not None]
    asked = [question for question in shown if question.choices is None]
    outcomes = _choose(model, tokenizer, renderer, chosen, prompts)
    answers = generate(
        model, tokenizer, [prompts[q.id] for q in asked], end_ids, ANSWER_TOKENS, batch_size
    )
    for question, answer in zip(asked, answers, strict=True):
        check = question.check
        right = answer.stopped and check is not None and passes(check, answer.text)
        outcomes.append(_outcome(question, right, answer.text, chance=0.0))
    return GeneralScores(scores=_scores(outcomes), outcomes=tuple(outcomes), skipped=tuple(skipped))


def change(before: GeneralScores, after: GeneralScores) -> dict[str, Change]:
    """The change of every kind of ability, over the questions that both answered."""
    earlier = {outcome.id: outcome for outcome in before.outcomes}
    pairs: dict[str, list[tuple[Outcome, Outcome]]] = {}
    for outcome in after.outcomes:
        if outcome.id in earlier:
            pairs.setdefault(outcome.kind, []).append((earlier[outcome.id], outcome))
    changes = {}
    for kind, both in pairs.items():
        start = rate([first.right for first, _ in both])
        end = rate([second.right for _, second in both])
        chance = sum(first.chance for first, _ in both) / len(both)
        kept = None
        if start.value is not None and end.value is not None and (start.low or 0.0) > chance:
            kept = (end.value - chance) / (start.value - chance)
        changes[kind] = Change(
            before=start,
            after=end,
            difference=paired_rates([(first.right, second.right) for first, second in both]),
            share_kept=kept,
        )
    return changes


def _choose(
    model: Any,
    tokenizer: Any,
    renderer: Renderer,
    questions: Sequence[Question],
    prompts: dict[str, tuple[int, ...]],
) -> list[Outcome]:
    spans: list[tuple[Sequence[int], int]] = []
    for question in questions:
        spans += _choice_spans(tokenizer, renderer, question, prompts[question.id])
    bits = iter(span_bits(model, spans))
    outcomes = []
    for question in questions:
        choices = question.choices or ()
        totals = [sum(next(bits)) for _ in choices]
        taken = min(range(len(choices)), key=totals.__getitem__)
        right = taken == question.answer
        outcomes.append(_outcome(question, right, choices[taken], chance=1 / len(choices)))
    return outcomes


def _choice_spans(
    tokenizer: Any, renderer: Renderer, question: Question, prompt: tuple[int, ...]
) -> list[tuple[Sequence[int], int]]:
    """Ids of stem and choice for each choice, and where the choices begin to differ."""
    choices = question.choices or ()
    if renderer.rendering.kind == "plain" and question.plain is not None:
        gap = "" if question.plain[-1:].isspace() or question.language == "zh" else " "
        texts = [question.plain + gap + choice for choice in choices]
        ids = [tuple(tokenizer(text).input_ids) for text in texts]
        if ids and tokenizer.eos_token_id is not None:  # a tokenizer that closes text with EOS
            ids = [row[:-1] if row[-1] == tokenizer.eos_token_id else row for row in ids]
    else:
        ids = [
            prompt + tuple(tokenizer(choice, add_special_tokens=False).input_ids)
            for choice in choices
        ]
    start = 0
    while all(len(row) > start + 1 and row[start] == ids[0][start] for row in ids):
        start += 1
    return [(row, start) for row in ids]


def _outcome(question: Question, right: bool, answer: str, chance: float) -> Outcome:
    return Outcome(
        id=question.id,
        kind=question.kind,
        language=question.language,
        right=right,
        answer=answer,
        chance=chance,
    )


def _scores(outcomes: Sequence[Outcome]) -> dict[str, Measured]:
    groups: dict[str, list[bool]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.kind, []).append(outcome.right)
        groups.setdefault(f"{outcome.kind}.{outcome.language}", []).append(outcome.right)
    return {name: rate(hits) for name, hits in sorted(groups.items())}
