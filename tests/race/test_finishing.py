"""Between racing and test: whoever may still be the best is taken to full length first."""

from pathlib import Path

import pytest
from simulated_race import make_agreement, race

from forkpoint.ledger import Finalists, RacingEnded, Trial, read_lines
from forkpoint.race.driver import read_agreement
from forkpoint.race.state import RaceState
from forkpoint.race.verdict_writer import validation_standings
from forkpoint.race.work import TrialWork

LAST = "pocket-chat.full", "pocket-instruct.full", "pocket-base.full"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORKPOINT_HOME", str(tmp_path / "home"))
    make_agreement(tmp_path / "run")
    return tmp_path / "run"


def late(arm: str, share: float) -> float:
    """Three equal arms, of which one takes off early; the others are slow and end lower."""
    if arm not in LAST:
        return 0.05 + 0.5 * share
    takes_off = 0.3 if arm == LAST[0] else 0.7
    return 0.85 if share > takes_off else 0.1


def test_an_arm_that_takes_off_late_is_not_judged_by_what_it_was(folder: Path) -> None:
    """Every finalist is at full length, one of the late arms too, and no winner is called."""
    verdict, _ = race(folder, truth=late)
    (chosen,) = [line for line in read_lines(folder) if isinstance(line, Finalists)]
    full = read_agreement(folder).rungs[-1].index
    assert {full} == {trial.rung for trials in chosen.trials.values() for trial in trials}
    assert len(set(LAST) & set(chosen.trials)) >= 2
    assert verdict.kind in ("equal_enough", "not_enough_evidence")
    assert verdict.spent_tokens <= read_agreement(folder).budget_tokens


def test_what_finishing_showed_is_told_to_the_engine(folder: Path) -> None:
    """What is believed of an arm that was finished after the racing is what it scored there."""
    race(folder, truth=late)
    lines = list(read_lines(folder))
    place = next(n for n, line in enumerate(lines) if isinstance(line, RacingEnded))
    state = RaceState(read_agreement(folder))
    state.read_all(lines[: place + 1])
    state.next()
    before = {one.arm: one.final_sd or 0.0 for one in state.racing.selector.standing().arms}
    (chosen,) = [line for line in lines if isinstance(line, Finalists)]
    finished = [arm for arm in LAST[1:] if arm in chosen.trials]
    assert finished
    for arm in finished:
        mean, sd = chosen.predicted[arm]
        assert mean == pytest.approx(0.85, abs=0.1)
        assert sd < before[arm] / 2


def test_the_verdict_knows_where_the_finalists_stood_on_validation(folder: Path) -> None:
    """Their runs' mean drawn to what was predicted, over the rows that chose them; none with
    folds, whose validation rows are tested too.
    """
    verdict, _ = race(folder, truth=late)
    state = RaceState(read_agreement(folder))
    state.read_all(read_lines(folder))
    assert state.finalists is not None
    order = list(state.finalists.trials)
    stood = validation_standings(state, state.finalists, order)
    assert set(order) == set(stood)
    for arm, one in stood.items():
        assert len(state.agreement.rung_validation_ids) == one.rows
        assert 0.02 < one.standard_error < 0.06
        assert one.value == pytest.approx(state.finalists.predicted[arm][0], abs=0.1)
    assert verdict.arm == max(
        order, key=lambda arm: {r.arm: r.p_best for r in verdict.results}[arm]
    )
    folds = state.agreement.model_copy(update={"folds": (state.agreement.test_ids,) * 5})
    state.agreement = folds
    assert {} == validation_standings(state, state.finalists, order)


def test_rounds_are_the_same_wherever_the_race_was_stopped(folder: Path) -> None:
    """After any line a state read afresh wants nothing that the undisturbed race did not run."""
    race(folder, truth=late)
    lines = list(read_lines(folder))
    ran: set[Trial] = {line.trial for line in lines if line.kind == "trial_scored"}
    place = next(n for n, line in enumerate(lines) if isinstance(line, RacingEnded))
    for end in range(place + 1, len(lines)):
        state = RaceState(read_agreement(folder))
        state.read_all(lines[:end])
        wanted = {work.trial for work in state.next().work if isinstance(work, TrialWork)}
        assert wanted <= ran, end
