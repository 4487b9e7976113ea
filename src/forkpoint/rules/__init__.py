"""Rules drawn from the guides: pure functions of facts, each with its sources and examples."""

from forkpoint.rules import approach, compute, family, job, method, rows, start
from forkpoint.rules.case import APPROACHES, TUNING, Approach, Candidate, Case
from forkpoint.rules.example import Example
from forkpoint.rules.rule import Finding, Rule, Says
from forkpoint.rules.sentence import sentence

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            *rows.RULES,
            *job.RULES,
            *start.RULES,
            *compute.RULES,
            *approach.RULES,
            *method.RULES,
            *family.RULES,
        ),
        key=lambda rule: rule.code,
    )
)


def rule(code: str) -> Rule:
    """The rule with this code, upper or lower case; raises KeyError when there is none."""
    for one in RULES:
        if one.code == code.upper():
            return one
    raise KeyError(code)


__all__ = [
    "APPROACHES",
    "RULES",
    "TUNING",
    "Approach",
    "Candidate",
    "Case",
    "Example",
    "Finding",
    "Rule",
    "Says",
    "rule",
    "sentence",
]
