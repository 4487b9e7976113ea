"""Metrics: how right one answer is, 0..1, and what a set of answers comes to."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from forkpoint.data.profile_record import DataProfile
from forkpoint.errors import BadInput
from forkpoint.ledger import Measured
from forkpoint.measure.interval import Z95, mean, rate, wilson

METRICS = ("macro_f1", "numeric_match", "json_f1", "chrf", "exact_match", "bits_per_byte")
BOOTSTRAP_DRAWS = 2000  # for the interval of macro-F1 over rows
BOOTSTRAP_SEED = 20240726  # fixed, so that the same answers give the same interval

NUMBER = re.compile(r"[-+−]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?")
MARKED_NUMBER = re.compile(r"####\s*(.+)")  # how GSM8K marks the result after its reasoning
FENCE = re.compile(r"^```[a-zA-Z]*\s*\n(.*?)\n?```\s*$", re.DOTALL)


def primary_metric(profile: DataProfile) -> str:
    """The metric that decides a race on these data, by kind of answer."""
    if profile.job == "raw_text":
        return "bits_per_byte"
    by_kind = {"label": "macro_f1", "number": "numeric_match", "json": "json_f1"}
    return by_kind.get(profile.answer_kind, "chrf")


def check_metric(name: str) -> None:
    """Raises BadInput for a name that is neither a metric nor FILE.py:function."""
    if name not in METRICS and ".py:" not in name:
        raise BadInput("measure.unknown_metric", name=name, known=", ".join(METRICS))


def score(metric: str, answer: str, expected: str) -> float:
    """How right an answer is, 0..1; `bits_per_byte` and own scorers are not scored here."""
    return {
        "macro_f1": lambda: float(label(answer) == label(expected)),
        "numeric_match": lambda: float(numeric_match(answer, expected)),
        "json_f1": lambda: json_f1(answer, expected),
        "chrf": lambda: chrf(answer, expected),
        "exact_match": lambda: float(answer == expected),
    }[metric]()


def label(text: str) -> str:
    """A label as it is compared: without case, white space around it, or a full stop after it."""
    return unicodedata.normalize("NFKC", text).strip().casefold().rstrip(".。!！").strip()


def number(text: str) -> Decimal | None:
    """The number that an answer gives: the one after ####, else the last one in the text."""
    text = unicodedata.normalize("NFKC", text)
    marked = MARKED_NUMBER.findall(text)
    found = NUMBER.findall(marked[-1] if marked else text)
    if not found:
        return None
    try:
        return Decimal((found[0] if marked else found[-1]).replace(",", "").replace("−", "-"))
    except InvalidOperation:
        return None


def numeric_match(answer: str, expected: str) -> bool:
    """Both give the same number; 7, 7.0 and 7,000.00 / 7000 are the same."""
    said, right = number(answer), number(expected)
    return said is not None and said == right


def json_f1(answer: str, expected: str) -> float:
    """F1 over the fields of two JSON values; 0 when the answer is no JSON.

    A field is a path with its value; the order of keys and of list items does not matter.
    """
    try:
        said = fields(_parse(answer))
    except ValueError:
        return 0.0
    try:
        right = fields(_parse(expected))
    except ValueError:
        return float(answer == expected)
    hits = sum((said & right).values())
    total = sum(said.values()) + sum(right.values())
    return 2 * hits / total if total else 1.0


def fields(value: Any, path: str = "") -> Counter[tuple[str, str]]:
    """Every leaf of a JSON value as (path, value); empty containers are leaves."""
    if isinstance(value, dict) and value:
        found: Counter[tuple[str, str]] = Counter()
        for key, inner in value.items():
            found += fields(inner, f"{path}.{key}")
        return found
    if isinstance(value, list) and value:
        found = Counter()
        for inner in value:
            found += fields(inner, f"{path}[]")
        return found
    leaf = value.strip() if isinstance(value, str) else value
    if isinstance(leaf, float) and leaf.is_integer():
        leaf = int(leaf)
    return Counter([(path, json.dumps(leaf, ensure_ascii=False))])


def _parse(text: str) -> Any:
    text = text.strip()
    if fenced := FENCE.match(text):
        text = fenced[1]
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def chrf(answer: str, expected: str) -> float:
    """chrF2 of one answer, 0..1 [Popovic 2015, as sacrebleu computes it]."""
    if not answer.strip():
        return 0.0
    return float(_chrf().sentence_score(answer, [expected]).score) / 100


@cache
def _chrf() -> Any:
    from sacrebleu.metrics import CHRF

    return CHRF()


def aggregate(
    metric: str, scores: Sequence[float], gold: Sequence[str], said: Sequence[str]
) -> Measured:
    """The figure of a set of scored rows, with its 95 % interval and n."""
    if metric == "macro_f1":
        return macro_f1(gold, said)
    if metric in ("numeric_match", "exact_match"):
        return rate([value == 1.0 for value in scores]).model_copy(update={"unit": metric})
    return mean(scores, unit=metric, bounded=True)


def macro_f1(gold: Sequence[str], said: Sequence[str]) -> Measured:
    """Macro-F1 over the classes of the expected answers, bootstrapped over rows.

    When every row is right (or every one wrong) the bootstrap has no width: Wilson's stands in.
    """
    import numpy as np

    from forkpoint.verdict.resample import Sample, interval, row_weights

    n = len(gold)
    if n == 0:
        return Measured(value=None, standard_error=None, n=0, unit="macro_f1", better="higher")
    hits = [g == s for g, s in zip(gold, said, strict=True)]
    sample = Sample(np.array(hits, dtype=float), tuple(gold), tuple(said))
    value = float(sample.value()[0])
    draws = sample.value(row_weights(n, BOOTSTRAP_SEED, BOOTSTRAP_DRAWS))
    low, high = interval(draws)
    error = float(draws.std(ddof=1))
    if all(hits) or not any(hits):
        low, high = wilson(sum(hits), n)
        error = (high - low) / (2 * Z95)
    return Measured(
        value=value,
        standard_error=error,
        low=min(low, value),
        high=max(high, value),
        n=n,
        unit="macro_f1",
        better="higher",
    )
