"""Trained weights on disk: kept while they may still be needed, removed when they cannot."""

import shutil
from pathlib import Path

from forkpoint.ledger import Trial
from forkpoint.race.state import RaceState

WEIGHTS = "weights"


def sweep_weights(folder: Path, state: RaceState) -> None:
    """Remove the weights of trials that can no longer stand for their arm.

    Kept: every finalist's trials once they are chosen; before that the best rate of an open
    bracket, and the trials at an arm's chosen rate.
    """
    for trial in state.scored:
        if not _needed(trial, state):
            shutil.rmtree(folder / trial.folder / WEIGHTS, ignore_errors=True)


def _needed(trial: Trial, state: RaceState) -> bool:
    if state.finalists is not None:
        return any(trial in trials for trials in state.finalists.trials.values())
    chosen = state.chosen.get(trial.arm)
    if chosen is not None:
        if trial.rate != chosen.rate or trial.rendering != chosen.rendering:
            return False
        best = state.best_trial(trial.arm)
        return best is None or trial.rung == best.trial.rung
    best = state.brackets[trial.arm].best()
    return best is None or best.trial == trial
