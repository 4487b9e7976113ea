"""Pausing a race: what is under way ends, nothing more begins, and it goes on as if undisturbed."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from simulated_race import Silent, SimulatedExecutor, decisions, make_agreement, race

from forkpoint.errors import Interrupted
from forkpoint.ledger import read_lines
from forkpoint.race.driver import run_race
from forkpoint.race.executor import (
    PAUSE,
    LocalExecutor,
    More,
    Observer,
    Outcome,
    nothing_more,
)
from forkpoint.race.work import AnswerWork, Work


class PausedAfter(SimulatedExecutor):
    """Somebody asks for a pause when `count` pieces of work are done."""

    count = 5

    def run(
        self, works: Sequence[Work], observer: Observer, more: More = nothing_more
    ) -> Iterator[Outcome]:
        for outcome in super().run(works, observer):
            yield outcome
            if len(self.ran) == self.count:
                (self.folder / PAUSE).touch()


def test_a_paused_race_goes_on_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file `pause` ends the process between two steps; resuming takes the same decisions."""
    monkeypatch.setenv("FORKPOINT_HOME", str(tmp_path / "home"))
    race(tmp_path / "whole")
    folder = tmp_path / "paused"
    agreed = make_agreement(folder)
    with pytest.raises(Interrupted, match="--resume"):
        run_race(folder, PausedAfter(folder, agreed), Silent())
    assert 0 < len(read_lines(folder))
    race(folder)
    assert not (folder / PAUSE).exists()
    assert decisions(tmp_path / "whole") == decisions(folder)


def test_nothing_begins_while_paused(tmp_path: Path) -> None:
    """The executor starts no process while the file lies in the run folder."""
    (tmp_path / PAUSE).touch()
    work = AnswerWork(subject="a.untrained", checkpoint="a", split="validation")
    assert [] == list(LocalExecutor(tmp_path, 1, 1).run([work], Silent()))
