"""What is measured of the finalists beside the task: general ability, drift, further tasks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from forkpoint.race.work import DriftWork, GeneralWork, RetainWork, Work

if TYPE_CHECKING:
    from forkpoint.ledger import Finalists
    from forkpoint.race.state import RaceState


def kept_works(state: RaceState) -> list[Work]:
    """Before for each finalist's checkpoint, after for each finalist, and the null control."""
    if state.finalists is None:
        return []
    return [
        *_general(state, state.finalists),
        *_drift(state, state.finalists),
        *_retain(state, state.finalists),
    ]


def _general(state: RaceState, finalists: Finalists) -> Iterator[Work]:
    settings = state.agreement.settings
    if not settings.general_set:
        return
    for arm, trials in finalists.trials.items():
        checkpoint = state.arms[arm].checkpoint
        yield GeneralWork(subject=checkpoint, checkpoint=checkpoint, moment="before")
        yield GeneralWork(subject=arm, checkpoint=checkpoint, moment="after", trial=trials[0])
    if winner := finalists.roles.get("winner"):
        yield GeneralWork(
            subject=winner,
            checkpoint=state.arms[winner].checkpoint,
            moment="null_control",
            trial=finalists.trials[winner][0],
        )
    if floor := settings.floor:
        yield GeneralWork(subject=floor, checkpoint=floor, moment="before")


def _drift(state: RaceState, finalists: Finalists) -> Iterator[Work]:
    if not state.agreement.settings.drift:
        return
    for arm, trials in finalists.trials.items():
        checkpoint = state.arms[arm].checkpoint
        yield DriftWork(subject=arm, checkpoint=checkpoint, moment="after", trial=trials[0])
    if winner := finalists.roles.get("winner"):
        yield DriftWork(
            subject=winner,
            checkpoint=state.arms[winner].checkpoint,
            moment="null_control",
            trial=finalists.trials[winner][0],
        )


def _retain(state: RaceState, finalists: Finalists) -> Iterator[Work]:
    settings = state.agreement.settings
    if not settings.retain:
        return
    for arm, trials in finalists.trials.items():
        checkpoint = state.arms[arm].checkpoint
        yield RetainWork(subject=checkpoint, checkpoint=checkpoint, moment="before")
        yield RetainWork(subject=arm, checkpoint=checkpoint, moment="after", trial=trials[0])
    if floor := settings.floor:
        yield RetainWork(subject=floor, checkpoint=floor, moment="before")
