"""What can be said against a row without any model: named parts, each 0..1, 1 for nothing.

A row's score is the product of its parts, so rows without a fault share the score 1: these
heuristics find bad rows, they do not tell good ones from better ones. The weights say how badly a
finding speaks against a row; they are ruled, and the study of selection shows what they are worth.
"""

import math
from collections.abc import Mapping, Sequence

from forkpoint.data.answers import AnswerTally
from forkpoint.data.checks import CHECKS
from forkpoint.data.profile_record import CheckName
from forkpoint.data.row import Row
from forkpoint.selecting.label_agreement import AGREEMENT, label_agreement

WEIGHTS: Mapping[CheckName, float] = {  # what is left of the score of a row with this finding
    "empty_answers": 0.0,  # nothing to learn
    "echoes": 0.0,  # nothing to learn
    "template_tokens": 0.2,  # teaches text that no answer should hold
    "cut_offs": 0.3,  # teaches to stop in the middle
    "refusals": 0.3,  # teaches to decline
    "wrong_language": 0.3,
    "contradictions": 0.3,  # one of two rows is wrong
    "private": 0.7,  # a matter of care, not of quality
    "length_outliers": 0.9,  # mostly honest
}


def heuristics(rows: Sequence[Row]) -> list[dict[str, float]]:
    """The named parts of every row that are below 1."""
    tally = AnswerTally()
    for row in rows:
        tally.add(row.answer)
    # a text that stands once is no label, and a refusal that stands often is none either
    labels = {label: count for label, count in tally.labels().items() if count > 1}
    parts: list[dict[str, float]] = [{} for _ in rows]
    for name, weight in WEIGHTS.items():
        for flag in CHECKS[name](rows, {} if name == "refusals" else labels):
            parts[flag.place][name] = weight
            if name == "contradictions" and flag.other is not None:
                parts[flag.other][name] = weight
    for place, agreement in label_agreement(rows, labels).items():
        parts[place][AGREEMENT] = agreement
    return parts


def quality(parts: Mapping[str, float]) -> float:
    """The score of a row: the product of its parts."""
    return math.prod(parts.values())
