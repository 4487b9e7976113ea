"""The bar of a race: where its trials run, in both languages."""

import pytest
from simulated_race import SimulatedExecutor, make_agreement

from forkpoint.ledger import Trial, TrialStarted, read_lines
from forkpoint.race.driver import run_race
from forkpoint.race.terminal import MOST_ROWS, Terminal
from forkpoint.race.work import TrialWork


def works(count: int) -> list[TrialWork]:
    return [
        TrialWork(trial=Trial(arm=f"a{n}.full", rung=2, rate=1e-3, seed=0, rendering="chat"))
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("lang", "above"),
    [("en", "2 under way on 2 workers"), ("zh", "2 个工作进程上有 2 项在进行")],
)
def test_workers_are_shown_with_their_trials(lang: str, above: str) -> None:
    """One row a trial with the worker's name and how far it is."""
    with Terminal(lang) as terminal:
        for number, work in enumerate(works(2), start=1):
            terminal.started(work)
            note = {"worker": f"10.0.0.{number} (77)", "step": number, "steps": 2}
            terminal.progressed(work, note)
        shown = [task.description.strip() for task in terminal.progress.tasks]
        assert above == shown[0]
        assert ["10.0.0.1 (77)", "10.0.0.2 (77)"] == [row.split(" · ")[1] for row in shown[1:]]
        assert shown[1].startswith("a0.full")
        done = [task.completed for task in terminal.progress.tasks[1:]]
        assert 0 < done[0] < done[1] < 1


def test_more_workers_than_rows() -> None:
    """Not more rows than fit; the line above counts all of them."""
    with Terminal("en") as terminal:
        for number, work in enumerate(works(40)):
            terminal.started(work)
            terminal.progressed(work, {"worker": f"10.0.0.1 ({number})"})
        assert 1 + MOST_ROWS == len(terminal.progress.tasks)
        assert terminal.progress.tasks[0].description.startswith("40 under way on 40")


def test_what_has_ended_is_shown_no_more(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a whole race no piece of work is left on the bar: trials, answers, folds."""
    folder = tmp_path_factory.mktemp("race")
    monkeypatch.setenv("FORKPOINT_HOME", str(folder / "home"))
    agreed = make_agreement(folder)
    with Terminal("en") as terminal:
        run_race(folder, SimulatedExecutor(folder, agreed), terminal)
        assert {} == terminal.under_way
    assert any(isinstance(line, TrialStarted) for line in read_lines(folder))
