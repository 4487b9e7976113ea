"""Score one arm on a set of rows: its answers, and how likely it finds the expected ones."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from forkpoint.data.row import Row
from forkpoint.ledger import Measured
from forkpoint.measure.answer_cost import cost_of
from forkpoint.measure.interval import mean, nothing, rate, ratio
from forkpoint.measure.likelihood import SHORTEST_BYTES, row_bits
from forkpoint.measure.metric import METRICS, aggregate, label, score
from forkpoint.measure.own_scorer import own_scores
from forkpoint.measure.scores import ArmScores, RowScore
from forkpoint.models.generation import ANSWER_BATCH, Answer, generate
from forkpoint.models.rendering import Rendered


@dataclass(frozen=True, slots=True)
class ScoringRow:
    """A row to be answered, with its tokens for the arm that answers."""

    row: Row
    rendered: Rendered
    worse: Rendered | None = None  # with the rejected answer of a preference pair


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    """When an answer is cut off; running into a limit counts as wrong."""

    stop_ids: Collection[int]
    max_new_tokens: int
    max_bytes: int | None = None  # the same for every arm, whatever its tokenizer


def score_arm(
    model: Any,
    tokenizer: Any,
    rows: Sequence[ScoringRow],
    metric: str,
    limits: AnswerLimits,
    batch_size: int = ANSWER_BATCH,
    likelihood: bool = True,
) -> ArmScores:
    """The arm's answers to the rows with every figure that a race keeps.

    Without `likelihood` the expected answers are not weighed: arms whose prompts differ are
    compared by what they answer.
    """
    begin = time.monotonic()
    bits: Sequence[tuple[float, float] | None] = [None] * len(rows)
    if likelihood:
        bits = row_bits(model, [row.rendered for row in rows])
    answers: list[Answer] | None = None
    if metric != "bits_per_byte":
        prompts = [row.rendered.prompt_ids for row in rows]
        answers = generate(
            model, tokenizer, prompts, limits.stop_ids, limits.max_new_tokens, batch_size
        )
    scored = [
        _row_score(row, metric, limits, answers[place] if answers else None, bits[place])
        for place, row in enumerate(rows)
    ]
    scored = _with_preferences(model, rows, scored, bits)
    if metric not in METRICS:
        scored = _with_own_scores(metric, rows, scored)
    found = _summary(metric, scored, seconds=time.monotonic() - begin)
    return found.model_copy(update={"cost": cost_of(answers or ())})


def _row_score(
    row: ScoringRow,
    metric: str,
    limits: AnswerLimits,
    answer: Answer | None,
    bits: tuple[float, float] | None,
) -> RowScore:
    expected = row.rendered.answer
    text = answer.text.removeprefix(row.rendered.lead) if answer else ""
    answer_bytes = len(text.encode())
    stopped = answer is not None and answer.stopped
    if limits.max_bytes is not None and answer_bytes > limits.max_bytes:
        stopped = False
    expected_bits = bits[0] if bits and row.rendered.scored else None
    value: float | None = 0.0
    if metric == "bits_per_byte":
        value = expected_bits
    elif metric not in METRICS:
        value = None
    elif stopped:
        value = score(metric, text, expected)
    read = label if metric == "macro_f1" else str
    return RowScore(
        id=row.row.id,
        answer=text,
        expected=expected,
        score=value,
        gold=read(expected),
        said=read(text) if stopped else "",
        exact=stopped and text == expected,
        stopped=stopped,
        answer_tokens=answer.tokens if answer else 0,
        answer_bytes=answer_bytes,
        expected_bytes=len(expected.encode()),
        expected_bits=expected_bits,
        stop_bits=bits[1] if bits else None,
        prompt_tokens=len(row.rendered.prompt_ids),
    )


def _with_preferences(
    model: Any,
    rows: Sequence[ScoringRow],
    scored: list[RowScore],
    bits: Sequence[tuple[float, float] | None],
) -> list[RowScore]:
    """Whether the chosen answer is found likelier than the rejected one, by bits a byte.

    A sum of bits would prefer the shorter answer. What ends the turn counts as one byte more.
    """
    asked = [place for place, row in enumerate(rows) if row.worse is not None]
    worse_bits = row_bits(model, [row.worse for row in rows if row.worse is not None])
    unknown = [place for place in asked if bits[place] is None]
    weighed = row_bits(model, [rows[place].rendered for place in unknown])
    better_bits = dict(zip(unknown, weighed, strict=True))
    found = list(scored)
    for place, worse in zip(asked, worse_bits, strict=True):
        row = rows[place].row
        better = bits[place] or better_bits[place]
        better_bytes = len(row.answer.encode()) + 1
        worse_bytes = len((row.rejected or "").encode()) + 1
        preferred = sum(better) / better_bytes < sum(worse) / worse_bytes
        found[place] = found[place].model_copy(update={"preferred": preferred})
    return found


def _with_own_scores(
    metric: str, rows: Sequence[ScoringRow], scored: list[RowScore]
) -> list[RowScore]:
    """The user's scores; an answer that ran into the limit stays at 0, whatever the scorer says."""
    found = own_scores(metric, [row.row for row in rows], [line.answer for line in scored])
    return [
        line.model_copy(
            update={"score": value if line.stopped or value is None else 0.0, "note": note}
        )
        for line, (value, note) in zip(scored, found, strict=True)
    ]


def _summary(metric: str, scored: list[RowScore], seconds: float) -> ArmScores:
    measured = [line for line in scored if line.score is not None]
    spans = [line for line in scored if line.expected_bits is not None]
    bits_per_byte = ratio(
        [line.expected_bits or 0.0 for line in spans],
        [float(line.expected_bytes) for line in spans],
        unit="bits/byte",
    )
    primary: Measured
    if metric == "bits_per_byte":
        primary = bits_per_byte
    elif measured:
        primary = aggregate(
            metric,
            [line.score or 0.0 for line in measured],
            [line.gold for line in measured],
            [line.said for line in measured],
        )
    else:
        primary = nothing(metric, "higher")
    pairs = [line.preferred for line in scored if line.preferred is not None]
    answered = metric != "bits_per_byte"
    none = nothing("share", "higher")
    return ArmScores(
        metric=metric,
        primary=primary,
        exact_match=rate([line.exact for line in scored]) if answered else none,
        stop_rate=rate([line.stopped for line in scored]) if answered else none,
        answer_bytes=mean([float(line.answer_bytes) for line in scored], "bytes", "lower")
        if answered
        else nothing("bytes", "lower"),
        bits_per_byte=bits_per_byte,
        stop_bits=mean(
            [line.stop_bits for line in scored if line.stop_bits is not None], "bits", "lower"
        ),
        bits_decide=sum(line.expected_bytes for line in spans) >= SHORTEST_BYTES * len(spans) > 0,
        rows=tuple(scored),
        preferred=rate(pairs) if pairs else None,
        unscored=len(scored) - len(measured),
        seconds=seconds,
        generated_tokens=sum(line.answer_tokens for line in scored),
    )
