"""Advice: every finding for every arm, the guides' disagreements, and then an order.

It has no opinion of its own: all it says is a rule's, a guide's, or measured somewhere.
"""

import shlex
from pathlib import PurePath
from typing import get_args

from forkpoint.advice.order import order_arms
from forkpoint.advice.own_races import own_races, tally_here
from forkpoint.advice.record import (
    STRENGTHS,
    Advice,
    Arm,
    CandidateHere,
    DisagreementHere,
    Ground,
    OwnRaces,
    SideHere,
    StageTally,
)
from forkpoint.advice.strength import grounds_of
from forkpoint.data.profile_record import DataProfile
from forkpoint.facts.checkpoint_facts import CheckpointFacts, Stage
from forkpoint.facts.goal import Goal, read_goal
from forkpoint.facts.machine import MachineFacts
from forkpoint.rules import APPROACHES, RULES, Candidate, Case, Finding
from forkpoint.sources import DISAGREEMENTS, Disagreement, Side
from forkpoint.store import PastRace

STAGES: tuple[Stage, ...] = get_args(Stage)
BUDGET = "30m"  # of the race that is proposed; its plan says what that buys


def advise(
    data: DataProfile | None,
    checkpoints: tuple[CheckpointFacts, ...],
    goal: str = "",
    machine: MachineFacts | None = None,
    *,
    data_name: str | None = None,
    own: tuple[OwnRaces, ...] = (),
    past: tuple[PastRace, ...] = (),
) -> Advice:
    """What all rules say of all candidates; without checkpoints, of the three stages as such.

    `past` are the user's own finished races, from which `own` is measured where it is not given.
    """
    candidates = tuple(
        Candidate(name=one.name, stage=one.stage, facts=one) for one in checkpoints
    ) or tuple(Candidate(name=stage.capitalize(), stage=stage) for stage in STAGES)
    understood = read_goal(goal)
    findings = find(candidates, understood, data, machine)
    own = own or own_races(findings, candidates, past, data)
    grounds = grounds_of(findings, candidates, own)
    arms = order_arms(candidates, findings, grounds)
    return Advice(
        data=data_name,
        rows=data.rows if data else None,
        goal=understood,
        candidates=tuple(_seen(one) for one in candidates),
        findings=findings,
        grounds=grounds,
        disagreements=tuple(_here(one, findings, candidates) for one in DISAGREEMENTS),
        arms=arms,
        settle=race_command(data_name, arms, understood.text) if checkpoints else None,
        tally=tally_here(past, data),
    )


def find(
    candidates: tuple[Candidate, ...],
    goal: Goal,
    data: DataProfile | None,
    machine: MachineFacts | None,
) -> tuple[Finding, ...]:
    """What every rule says of every candidate, and of every approach with it.

    A rule about one approach says nothing of the others; that nothing is left out.
    """
    found: list[Finding] = []
    for rule in RULES:
        for candidate in candidates:
            rivals = tuple(one for one in candidates if one is not candidate)
            for approach in APPROACHES if rule.subject == "approach" else APPROACHES[:1]:
                case = Case(
                    candidate=candidate,
                    goal=goal,
                    data=data,
                    machine=machine,
                    approach=approach,
                    rivals=rivals,
                )
                finding = rule.judge(case)
                if finding.key != "rules.other_approach":
                    found.append(finding)
    return tuple(found)


def race_command(data_name: str | None, arms: tuple[Arm, ...], goal: str = "") -> str | None:
    """The race that would settle it, ready to paste; None without data or an arm to run."""
    names = list(dict.fromkeys(arm.candidate for arm in arms if not arm.excluded_by))
    if not names or data_name is None:
        return None
    words = ["forkpoint", "race", data_name]
    for name in names:
        words += ["--model", name]
    if goal:
        words += ["--goal", goal]
    stem = PurePath(data_name).name.split(".")[0] or "race"
    return shlex.join([*words, "--budget", BUDGET, "--out", f"runs/{stem}"])


def _seen(candidate: Candidate) -> CandidateHere:
    facts = candidate.facts
    return CandidateHere(
        name=candidate.name,
        stage=candidate.stage,
        parameters=candidate.parameters,
        from_files=facts is not None,
        notices=facts.notices if facts else (),
    )


def _here(
    one: Disagreement, findings: tuple[Finding, ...], candidates: tuple[Candidate, ...]
) -> DisagreementHere:
    sides = tuple(_side(side, findings) for side in one.sides)
    speaking = sum(bool(side.rules) for side in sides)
    return DisagreementHere(
        key=one.key,
        matters=speaking > 1 or _flagged(one.flag, findings, candidates),
        sides=sides,
        studies=one.studies,
        within_guide=one.within_guide,
    )


def _side(side: Side, findings: tuple[Finding, ...]) -> SideHere:
    spoken = [one for one in findings if one.rule in side.rules and one.says in ("for", "against")]
    backed = [one for one in spoken if one.says == "for"]
    return SideHere(
        key=side.key,
        claims=side.claims,
        guides=side.guides,
        rules=tuple(dict.fromkeys(one.rule for one in spoken)),
        speaks_for=tuple(dict.fromkeys(one.approach or one.about for one in backed)),
    )


def _flagged(
    flag: str | None, findings: tuple[Finding, ...], candidates: tuple[Candidate, ...]
) -> bool:
    facts = [one.facts for one in candidates if one.facts]
    match flag:
        case "unsuffixed_name":
            return any(one.sold_as.value == "none" for one in facts)
        case "base_with_template":
            return any(one.stage == "base" and one.template.present for one in facts)
        case "adapters":
            return any(one.rule == "FP-D05" and one.says == "for" for one in findings)
        case "two_tuned_stages":
            return {"instruct", "chat"} <= {one.stage for one in candidates}
    return False


__all__ = [
    "STRENGTHS",
    "Advice",
    "Arm",
    "Ground",
    "OwnRaces",
    "StageTally",
    "advise",
    "find",
    "race_command",
]
