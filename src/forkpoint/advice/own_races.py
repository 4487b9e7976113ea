"""What the user's own finished races say of the rules about where to start."""

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev

from forkpoint.advice.record import OwnRaces, StageTally
from forkpoint.data.profile_record import DataProfile
from forkpoint.record import Figure
from forkpoint.rules import RULES, Candidate, Finding
from forkpoint.sources.study import Direction
from forkpoint.store import PastRace, stage_differences, stage_tally

ABOUT_STAGES = "FP-B"  # the family of rules that say which stage to start from
FEWEST = 2  # races; one alone has no interval
T_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)  # Student's t, 1-10
T_975_MORE = 2.2  # degrees of freedom above: a little wide from 11 on


def tally_here(races: Sequence[PastRace], data: DataProfile | None) -> StageTally | None:
    """Who was named on earlier races of this job and kind of answer; None without any."""
    if data is None:
        return None
    found = stage_tally(races, data.job, data.answer_kind)
    return StageTally(races=found.races, wins=found.wins) if found.races else None


def own_races(
    findings: Sequence[Finding],
    candidates: Sequence[Candidate],
    races: Sequence[PastRace],
    data: DataProfile | None,
) -> tuple[OwnRaces, ...]:
    """For each rule that prefers some stages here: by how much these won on races of the kind.

    Direction follows from the interval: undecided while it holds 0.
    """
    if data is None or not races:
        return ()
    kind = (data.job, data.answer_kind)
    found = []
    for rule in RULES:
        favoured, others = _sides(rule.code, findings, candidates)
        if not favoured or not others:
            continue
        differences = stage_differences(races, kind, favoured, others)
        if len(differences) >= FEWEST:
            figure = _mean(differences)
            found.append(OwnRaces(rule=rule.code, direction=_direction(figure), figure=figure))
    return tuple(found)


def _sides(
    code: str, findings: Sequence[Finding], candidates: Sequence[Candidate]
) -> tuple[set[str], set[str]]:
    """The stages that a rule prefers among the candidates, and the rest of theirs."""
    if not code.startswith(ABOUT_STAGES):
        return set(), set()
    stage: dict[str, str | None] = {one.name: one.stage for one in candidates}
    said: dict[str, set[str]] = {"for": set(), "against": set()}
    for one in findings:
        if one.rule == code and one.says in said and (here := stage.get(one.about)):
            said[one.says].add(here)
    every: set[str] = {one for one in stage.values() if one}
    favoured = said["for"] or (every - said["against"] if said["against"] else set())
    return favoured - said["against"], every - favoured


def _mean(differences: Sequence[float]) -> Figure:
    """The mean difference with its 95 % Student t interval over races."""
    n = len(differences)
    mean = fmean(differences)
    factor = T_975[n - 2] if n - 2 < len(T_975) else T_975_MORE
    half = factor * stdev(differences) / sqrt(n)
    return Figure(
        value=round(mean, 4),
        low=round(mean - half, 4),
        high=round(mean + half, 4),
        n=n,
        unit="score",
        origin="measured",
        source="own",
    )


def _direction(figure: Figure) -> Direction:
    if figure.low is not None and figure.low > 0:
        return "supports"
    if figure.high is not None and figure.high < 0:
        return "against"
    return "undecided"
