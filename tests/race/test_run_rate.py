"""An arm's rate is that of full length; a shorter run is trained at the rate its length wants."""

from pathlib import Path
from typing import Any

import pytest
from real_trial import make_trial

from forkpoint.ledger import write_whole
from forkpoint.plan.lengths import RATE_HORIZON
from forkpoint.race import trial_child
from forkpoint.race.driver import AGREEMENT, read_agreement
from forkpoint.race.trial_child import run_trial
from forkpoint.train.job import TrainJob


class Begun(Exception):
    """The training would begin now."""


@pytest.mark.parametrize(
    ("horizon", "rung", "times"), [(RATE_HORIZON, 1, 16**0.32), (RATE_HORIZON, 2, 1), (0.0, 1, 1)]
)
def test_a_short_run_is_trained_at_a_higher_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, horizon: float, rung: int, times: float
) -> None:
    """A sixteenth of full length at 2.4 times the rate; races of before have one rate for all."""
    begun: list[TrainJob] = []

    def begin(job: TrainJob, _: Any) -> None:
        begun.append(job)
        raise Begun

    monkeypatch.setattr(trial_child, "fine_tune", begin)
    work = make_trial(tmp_path)
    agreed = read_agreement(tmp_path)
    full = agreed.rungs[0]
    settings = agreed.settings.model_copy(update={"rate_horizon": horizon})
    rungs = (full.model_copy(update={"share": 1 / 16}), full.model_copy(update={"index": 2}))
    agreed = agreed.model_copy(update={"rungs": rungs, "settings": settings})
    write_whole(tmp_path / AGREEMENT, agreed.to_json().encode())
    trial = work.trial.model_copy(update={"rung": rung})
    with pytest.raises(Begun):
        run_trial(tmp_path, work.model_copy(update={"trial": trial}), lambda values: None)
    assert begun[0].rate == pytest.approx(times * work.trial.rate)
    assert begun[0].rate == agreed.run_rate(trial)
