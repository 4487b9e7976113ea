"""The records of advice: who says what about whom, how strongly, and what to run first."""

from typing import Literal

from forkpoint.facts.checkpoint_facts import Notice, Stage
from forkpoint.facts.goal import Goal
from forkpoint.record import Figure, Record
from forkpoint.rules import TUNING, Approach, Finding
from forkpoint.sources.study import Direction

# Strongest first. A contradicted finding is shown but never counted.
Strength = Literal[
    "measured_on_your_races", "measured_elsewhere", "several_guides", "one_guide", "contradicted"
]
STRENGTHS: tuple[Strength, ...] = (
    "measured_on_your_races",
    "measured_elsewhere",
    "several_guides",
    "one_guide",
    "contradicted",
)


class Measured(Record):
    """A measurement of what a rule claims, and how alike it is to the case at hand."""

    study: str  # a study's key, or "own" for the user's past races
    direction: Direction
    figure: Figure
    alike: tuple[str, ...] = ()  # catalogue keys: what is alike
    unlike: tuple[str, ...] = ()  # catalogue keys: what is not, or not known


class OwnRaces(Record):
    """What the user's past races measured of one rule."""

    rule: str
    direction: Direction
    figure: Figure  # n: races


class StageTally(Record):
    """On how many of the user's races of this kind each stage was named."""

    races: int
    wins: dict[str, int]  # stage -> races


class Ground(Record):
    """How strong a rule's word is here, and on what ground."""

    rule: str
    strength: Strength
    guides: tuple[str, ...]
    opposed_by: tuple[str, ...] = ()  # rules that say the opposite of one candidate here
    measured: tuple[Measured, ...] = ()
    quoted: tuple[Measured, ...] = ()  # this project's own studies; they change no class, no order


class SideHere(Record):
    """One side of a disagreement as it stands in this case."""

    key: str
    claims: tuple[str, ...]
    guides: tuple[str, ...]
    rules: tuple[str, ...]  # those that speak here
    speaks_for: tuple[str, ...]  # candidates, or approaches


class DisagreementHere(Record):
    """A disagreement of the guides, whether it matters in this case, and what was measured."""

    key: str
    matters: bool
    sides: tuple[SideHere, ...]
    studies: tuple[str, ...]
    within_guide: str | None


class Balance(Record):
    """Findings for and against an arm in one class of strength."""

    strength: Strength
    rules_for: tuple[str, ...]
    rules_against: tuple[str, ...]

    @property
    def net(self) -> int:
        """Rules for minus rules against."""
        return len(self.rules_for) - len(self.rules_against)


class Arm(Record):
    """A candidate with an approach, and its place in the order "run these first"."""

    candidate: str
    approach: Approach
    place: int
    excluded_by: tuple[str, ...]  # rules that rule it out
    balances: tuple[Balance, ...]  # strongest class first; contradicted ones last, not counted

    @property
    def trained(self) -> bool:
        """Whether any weights are trained."""
        return self.approach in TUNING


class CandidateHere(Record):
    """A candidate as the advice saw it."""

    name: str
    stage: Stage | None
    parameters: int | None
    from_files: bool  # False: a stage without a checkpoint
    notices: tuple[Notice, ...] = ()


class Advice(Record):
    """Everything the guides say about a case; it has no opinion of its own."""

    data: str | None
    rows: int | None
    goal: Goal
    candidates: tuple[CandidateHere, ...]
    findings: tuple[Finding, ...]
    grounds: tuple[Ground, ...]
    disagreements: tuple[DisagreementHere, ...]
    arms: tuple[Arm, ...]
    settle: str | None  # the command that would settle it, ready to paste
    tally: StageTally | None = None  # the user's own earlier races of this kind

    def ground(self, rule: str) -> Ground:
        """The ground of one rule; raises KeyError for a code that is no rule."""
        for one in self.grounds:
            if one.rule == rule:
                return one
        raise KeyError(rule)
