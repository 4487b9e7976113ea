"""A trial whose process was lost goes on from what was kept of its training, and counts once."""

from pathlib import Path
from typing import Any

import pytest
from real_trial import make_trial

from forkpoint.ledger import TrialScored
from forkpoint.race import trial_child
from forkpoint.race.driver import _line_of
from forkpoint.race.executor import Outcome
from forkpoint.race.trial_child import run_trial
from forkpoint.train import resume

STEPS, LOST_AT = 6, 5


class Lost(Exception):
    """The worker is no more."""


def lose(values: dict[str, Any]) -> None:
    if values.get("step") == LOST_AT:
        raise Lost


def test_a_lost_trial_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps before are not taken again; tokens, losses and answers are those of one trial."""
    monkeypatch.setattr(resume, "MOST_SHARE", 1e9)
    monkeypatch.setattr(trial_child, "NOTE_SECONDS", 0.0)
    whole, lost = tmp_path / "whole", tmp_path / "lost"
    work = make_trial(whole, steps=STEPS)
    make_trial(lost, steps=STEPS)
    undisturbed = run_trial(whole, work, lambda values: None)
    monkeypatch.setattr(trial_child, "KEEP_SECONDS", 0.0)
    with pytest.raises(Lost):
        run_trial(lost, work, lose)
    took: list[int] = []
    values = run_trial(lost, work, lambda said: took.append(said.get("step", 0)))
    assert [LOST_AT, STEPS] == [step for step in took if step]
    assert (0, LOST_AT - 1) == (undisturbed["resumed_at"], values["resumed_at"])
    for name in ("tokens", "final_loss", "answers_sha256"):
        assert undisturbed[name] == values[name]
    assert values["seconds"] > 0
    line = _line_of(Outcome(work, values, 2.0))
    assert isinstance(line, TrialScored)
    assert 2.0 + values["seconds"] == line.seconds
    assert not list(lost.rglob(resume.NOTE))
