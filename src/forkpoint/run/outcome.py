"""What became of an answer: right, or what went wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from forkpoint.data.checks import refusals
from forkpoint.data.checks.wrong_language import language_told
from forkpoint.data.row import Row, Turn
from forkpoint.run.folder import RunFolder

Outcome = Literal[
    "right", "partly", "endless", "empty", "refused", "language", "format", "invented",
    "too_long", "wrong", "unscored",
]  # fmt: skip
OUTCOMES: tuple[Outcome, ...] = (
    "right", "partly", "wrong", "format", "language", "endless", "refused", "invented",
    "too_long", "empty", "unscored",
)  # fmt: skip
BAD: tuple[Outcome, ...] = (
    "endless", "empty", "refused", "language", "format", "invented", "too_long", "wrong", "partly",
)  # fmt: skip
RIGHT = 1 - 1e-9  # of a score in 0..1
TOO_LONG_TIMES = 3.0  # the expected answer's bytes; graders call twice long, thrice is rambling
TOO_LONG_LEAST_BYTES = 60  # beyond the expected: "yes" and "yes, it is" differ by manner only


@dataclass(frozen=True)
class Expectations:
    """What the training answers of a race look like, so that an answer can be held against it."""

    metric: str
    labels: frozenset[str]  # lower case; empty where answers are no labels
    fields: frozenset[str]  # of JSON answers; empty where answers are no JSON objects


def expectations(run: RunFolder) -> Expectations:
    """The form of answer that this race trains."""
    metric = run.agreement.settings.metric
    answers = [
        str(turns[-1].get("content", ""))
        for row in run.agreement.train_ids
        if (turns := run.rows.get(row, {}).get("turns"))
    ]
    labels, fields = frozenset[str](), frozenset[str]()
    if metric == "macro_f1":
        labels = frozenset(answer.strip().lower() for answer in answers)
    if metric == "json_f1":
        fields = frozenset(key for answer in answers for key in _keys(_object(answer)))
    return Expectations(metric, labels, fields)


def outcome_of(answer: Mapping[str, Any], expected: Expectations) -> Outcome:
    """What became of one line of an answers file.

    Not stopping and saying nothing come first; then what explains a wrong answer best, the most
    specific cause before the general one.
    """
    if answer.get("stopped") is False:
        return "endless"
    text = str(answer.get("text") or "").strip()
    if not text:
        return "empty"
    score = answer.get("score")
    if score is None:
        return "unscored"
    if score >= RIGHT:
        return "right"
    gold = str(answer.get("expected") or answer.get("gold") or "")
    if _refuses(text) and not _refuses(gold):
        return "refused"
    told, wanted = language_told(text), language_told(gold)
    if told and wanted and told != wanted and "latin" not in (told, wanted):
        return "language"
    form = _form(text, gold, expected)
    if form is not None:
        return form
    size, due = len(text.encode()), len(gold.encode())
    if size > TOO_LONG_TIMES * due and size > due + TOO_LONG_LEAST_BYTES:
        return "too_long"
    return "partly" if score > 0 else "wrong"


def _form(text: str, gold: str, expected: Expectations) -> Outcome | None:
    """Whether an answer is not of the kind that is trained, or has fields that nobody asked for."""
    if expected.labels:
        return None if text.lower() in expected.labels else "format"
    if expected.metric == "numeric_match":
        return None if any(character.isdigit() for character in text) else "format"
    if expected.metric == "json_f1" or _object(gold) is not None:
        found = _object(text)
        if found is None:
            return "format"
        known = expected.fields | _keys(_object(gold))
        return "invented" if _keys(found) - known else None
    return None


def _refuses(text: str) -> bool:
    row = Row("", "", 0, (Turn("user", "-"), Turn("assistant", text)))
    return any(True for _ in refusals.look([row], {}))


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _keys(value: dict[str, Any] | None) -> frozenset[str]:
    """The names of all fields, those inside other objects as path."""
    if value is None:
        return frozenset()
    found = set()
    for key, inner in value.items():
        found.add(key)
        if isinstance(inner, dict):
            found |= {f"{key}.{name}" for name in _keys(inner)}
    return frozenset(found)


def count_outcomes(
    answers: Sequence[Mapping[str, Any]], expected: Expectations
) -> dict[Outcome, int]:
    """How many answers came to each end, those that none came to left out."""
    found = [outcome_of(answer, expected) for answer in answers]
    return {one: found.count(one) for one in OUTCOMES if one in found}
