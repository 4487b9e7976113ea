"""A rule, its finding and its examples."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from forkpoint.facts.checkpoint_facts import Stage
from forkpoint.record import Record
from forkpoint.rules.case import Approach, Case
from forkpoint.rules.example import Example
from forkpoint.sources import claim

Says = Literal["for", "against", "silent", "unknown"]
Value = str | int | float
# Claim A10: with two classes Chat means any tuned checkpoint, with three the aligned one only.
ChatMeans = Literal["tuned", "aligned", "not_used"]
Subject = Literal["checkpoint", "approach"]
Need = Literal["rows", "job", "stage", "machine", "size", "licence", "template", "kind", "family"]

BASE: frozenset[Stage] = frozenset({"base"})
TUNED: frozenset[Stage] = frozenset({"instruct", "chat"})
INSTRUCT: frozenset[Stage] = frozenset({"instruct"})
ALIGNED: frozenset[Stage] = frozenset({"chat"})
EITHER: frozenset[Stage] = frozenset({"base", "instruct", "chat"})


class Finding(Record):
    """What one rule says about one candidate or approach, and why.

    `key` and `values` make the sentence; "silent" means that the rule's condition is not met,
    "unknown" that something it has to know is missing.
    """

    rule: str
    about: str  # the candidate's name
    says: Says
    key: str
    values: dict[str, Value] = Field(default_factory=dict)
    approach: Approach | None = None  # set by rules about approaches


@dataclass(frozen=True, slots=True)
class Rule:
    """A pure function from a case to a finding, with where it comes from and how it behaves."""

    code: str
    claims: tuple[str, ...]
    subject: Subject
    chat_means: ChatMeans
    needs: tuple[Need, ...]
    judge: Callable[[Case], Finding]
    examples: tuple[Example, ...]
    thresholds: tuple[tuple[str, Value, str], ...] = ()  # name, value, unit

    @property
    def guides(self) -> tuple[str, ...]:
        """The keys of the guides that make its claims, each once."""
        return tuple(dict.fromkeys(key for name in self.claims for key in claim(name).guides))

    @property
    def question(self) -> str:
        """The catalogue key of the question that it answers."""
        return f"rules.{self.code}_question"

    @property
    def why(self) -> str:
        """The catalogue key of the guides' reason."""
        return f"rules.{self.code}_why"


def prefer(
    case: Case, code: str, stages: frozenset[Stage], variant: str = "says", /, **values: Value
) -> Finding:
    """For the candidate when its stage is among `stages`, against it otherwise."""
    if case.candidate.stage is None:
        return unknown(case, code, "stage")
    return Finding(
        rule=code,
        about=case.candidate.name,
        says="for" if case.candidate.stage in stages else "against",
        key=f"rules.{code}_{variant}",
        values=values,
    )


def choose(
    case: Case,
    code: str,
    approaches: tuple[Approach, ...],
    against: tuple[Approach, ...] = (),
    variant: str = "says",
    /,
    **values: Value,
) -> Finding:
    """For or against the approach when it is named, silent about all others."""
    says: Says = "silent"
    if case.approach in approaches:
        says = "for"
    elif case.approach in against:
        says = "against"
    key = f"rules.{code}_{variant}" if says != "silent" else "rules.other_approach"
    return Finding(
        rule=code,
        about=case.candidate.name,
        says=says,
        key=key,
        values=values,
        approach=case.approach,
    )


def silent(
    case: Case,
    code: str,
    subject: Subject = "checkpoint",
    variant: str = "silent",
    /,
    **values: Value,
) -> Finding:
    """The rule's condition is not met here."""
    return Finding(
        rule=code,
        about=case.candidate.name,
        says="silent",
        key=f"rules.{code}_{variant}",
        values=values,
        approach=case.approach if subject == "approach" else None,
    )


def unknown(case: Case, code: str, need: Need, subject: Subject = "checkpoint") -> Finding:
    """Something that the rule has to know is missing; the sentence says what would tell it."""
    return Finding(
        rule=code,
        about=case.candidate.name,
        says="unknown",
        key=f"rules.unknown_{need}",
        approach=case.approach if subject == "approach" else None,
    )


def quote(signs: tuple[str, ...]) -> str:
    """Signs as one short text, the same in both languages."""
    return ", ".join(f"“{one}”" if "=" not in one else one for one in signs[:4])
