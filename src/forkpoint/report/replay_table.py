"""Task score and what was kept of general ability, by share of rows against forgetting."""

from collections.abc import Sequence

from forkpoint.record import Figure, Record
from forkpoint.report.view_record import ArmView, View
from forkpoint.verdict.verdict_record import Change


class ReplayRow(Record):
    """One arm with its share."""

    arm: ArmView
    share: float  # rows against forgetting beside each task row
    score: Figure | None  # on test, else on validation
    tested: bool
    changes: tuple[Change | None, ...]  # in the order of the table's abilities


class ReplayTable(Record):
    """Arms that differ in their share only, the smallest share first."""

    abilities: tuple[str, ...]
    rows: tuple[ReplayRow, ...]


def replay_tables(view: View) -> tuple[ReplayTable, ...]:
    """One table for each arm that was raced with several shares."""
    groups: dict[tuple[str, str, str | None], list[ArmView]] = {}
    for arm in view.arms:
        groups.setdefault((arm.checkpoint, arm.approach, arm.subset), []).append(arm)
    tables = []
    for arms in groups.values():
        if any(arm.replay for arm in arms) and len(arms) > 1:
            tables.append(_table(view, sorted(arms, key=lambda arm: arm.replay)))
    return tuple(table for table in tables if table.abilities)


def _table(view: View, arms: Sequence[ArmView]) -> ReplayTable:
    names = {arm.name for arm in arms}
    changes = {(c.subject, c.ability): c for c in view.changes if c.subject in names}
    abilities = tuple(dict.fromkeys(ability for _, ability in changes))
    return ReplayTable(
        abilities=abilities,
        rows=tuple(
            ReplayRow(
                arm=arm,
                share=arm.replay,
                score=arm.result.test or arm.result.validation,
                tested=arm.result.test is not None,
                changes=tuple(changes.get((arm.name, ability)) for ability in abilities),
            )
            for arm in arms
        ),
    )
