"""What the finalists kept of general ability: changes, drift, and who holds the floor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from forkpoint.ledger import GeneralMeasured, Measured, RetainMeasured
from forkpoint.measure.general import GeneralScores, Outcome, change
from forkpoint.measure.harness import TaskOutcome
from forkpoint.measure.interval import Z95, mean
from forkpoint.race.state import RaceState
from forkpoint.record import Figure
from forkpoint.verdict.untrained_result import figure
from forkpoint.verdict.verdict_record import Change, Drift, FloorStanding, FloorVerdict

Kinds = dict[str, dict[str, float]]  # kind of ability -> question -> score


def changes(folder: Path, state: RaceState) -> list[Change]:
    """Before and after of every kind of ability and every further task, paired."""
    found = []
    for line in state.general.values():
        if line.moment != "after":
            continue
        checkpoint = state.arms[line.subject].checkpoint
        before = state.general.get(f"general {checkpoint} before")
        control = state.general.get(f"general {line.subject} null_control")
        if before is None:
            continue
        start = _general(folder, before)
        noise = change(start, _general(folder, control)) if control else {}
        for ability, shift in change(start, _general(folder, line)).items():
            null = noise.get(ability)
            parts = (shift.before, shift.after, shift.difference)
            found += _change(line.subject, ability, parts, null.difference if null else None)
    return [*found, *_tasks(folder, state)]


def _tasks(folder: Path, state: RaceState) -> list[Change]:
    found = []
    for line in state.retained.values():
        if line.moment != "after":
            continue
        before = state.retained.get(f"retain {state.arms[line.subject].checkpoint} before")
        if before is None:
            continue
        start, end = _by_task(folder, before), _by_task(folder, line)
        for task in (task for task in end if task in start):
            shared = [question for question in end[task] if question in start[task]]
            gains = [end[task][question] - start[task][question] for question in shared]
            parts = (before.scores[task], line.scores[task], mean(gains, "score"))
            found += _change(line.subject, task, parts, None)
    return found


def _change(
    subject: str, ability: str, parts: Sequence[Measured], null: Measured | None
) -> list[Change]:
    before, after, difference = (figure(part) for part in parts)
    if before is None or after is None or difference is None:
        return []
    return [
        Change(
            subject=subject,
            ability=ability,
            before=before,
            after=after,
            difference=difference,
            null_control=figure(null) if null else None,
        )
    ]


def drifts(state: RaceState) -> tuple[Drift, ...]:
    """How far each finalist moved on general prompts, beside the null control."""
    found = []
    for line in state.drifts.values():
        moved = figure(line.drift) if line.moment == "after" else None
        if moved is not None:
            control = state.drifts.get(f"drift {line.subject} null_control")
            null = figure(control.drift) if control else None
            found.append(Drift(subject=line.subject, drift=moved, null_control=null))
    return tuple(found)


def failed_tasks(state: RaceState) -> dict[str, str]:
    """Task -> why the harness could not run it, of the first model that it failed on."""
    failed: dict[str, str] = {}
    for line in state.retained.values():
        failed = {**line.unrun, **failed}
    return failed


def floor_verdict(folder: Path, state: RaceState) -> FloorVerdict | None:
    """Where every finalist ends beside the untuned checkpoint that was named as a floor."""
    settings = state.agreement.settings
    if settings.floor is None:
        return None
    reference = _ability(folder, state, settings.floor, "before")
    standings = []
    for arm in state.finalists.trials if state.finalists else ():
        difference = ability_difference(reference, _ability(folder, state, arm, "after"))
        if difference is None:
            continue
        low, high = difference.low or 0.0, difference.high or 0.0
        limit = -settings.floor_slack
        says = "below" if high < limit else "holds" if low >= limit else "unclear"
        standings.append(FloorStanding(arm=arm, difference=difference, says=says))
    return FloorVerdict(
        checkpoint=settings.floor, slack=settings.floor_slack, standings=tuple(standings)
    )


def ability_difference(before: Kinds, after: Kinds) -> Figure | None:
    """Mean over kinds of the paired difference, every kind with the same weight.

    None where the two share no kind of which two questions were answered by both.
    """
    centres, variances, questions = [], [], 0
    for kind in (kind for kind in before if kind in after):
        shared = [one for one in before[kind] if one in after[kind]]
        gains = [after[kind][one] - before[kind][one] for one in shared]
        if len(gains) < 2:
            continue
        centre = math.fsum(gains) / len(gains)
        spread = math.fsum((gain - centre) ** 2 for gain in gains) / (len(gains) - 1)
        # A kind in which nothing changed still tells no more than its questions can.
        variances.append(max(spread, 1 / len(gains)) / len(gains))
        centres.append(centre)
        questions += len(gains)
    if not centres:
        return None
    value = math.fsum(centres) / len(centres)
    half = Z95 * math.sqrt(math.fsum(variances)) / len(centres)
    return Figure(value=value, low=value - half, high=value + half, n=questions, origin="measured")


def _ability(folder: Path, state: RaceState, subject: str, moment: str) -> Kinds:
    kinds: Kinds = {}
    if general := state.general.get(f"general {subject} {moment}"):
        for outcome in _general(folder, general).outcomes:
            kinds.setdefault(outcome.kind, {})[outcome.id] = float(outcome.right)
    if retained := state.retained.get(f"retain {subject} {moment}"):
        kinds |= _by_task(folder, retained)
    return kinds


def _by_task(folder: Path, line: RetainMeasured) -> Kinds:
    found: Kinds = {}
    for piece in (folder / line.outcomes).read_bytes().splitlines():
        outcome = TaskOutcome.from_json(piece)
        found.setdefault(outcome.task, {})[outcome.question] = outcome.score
    return found


def _general(folder: Path, line: GeneralMeasured) -> GeneralScores:
    pieces = (folder / line.outcomes).read_bytes().splitlines()
    return GeneralScores(
        scores=line.scores,
        outcomes=tuple(Outcome.from_json(piece) for piece in pieces),
        skipped=(),
    )


def below_floor(found: FloorVerdict | None) -> tuple[str, ...]:
    """Finalists that clearly end below the floor."""
    return tuple(one.arm for one in found.standings if one.says == "below") if found else ()


def floor_reasons(
    found: FloorVerdict | None, arm: str | None, without: str | None
) -> list[tuple[str, Mapping[str, str | int | float]]]:
    """What the floor did to the verdict: `arm` is named, `without` would be without it."""
    if found is None or not found.standings:
        return []
    slack = f"{found.slack:g}"
    values: dict[str, str | int | float] = {"checkpoint": found.checkpoint, "slack": slack}
    below = below_floor(found)
    if len(below) == len(found.standings):
        return [("verdict.ability_floor_none", values)]
    if without in below:
        return [("verdict.ability_floor_moved", {**values, "other": str(without)})]
    if arm is None:
        return []
    says = next((one.says for one in found.standings if one.arm == arm), "unclear")
    return [(f"verdict.ability_floor_{says}", {**values, "arm": arm})]
