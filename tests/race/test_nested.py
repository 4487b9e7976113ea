"""Fresh trainings on nested subsets after a race: resumable, beside the race, never on the test."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from simulated_race import SimulatedExecutor, race

from forkpoint.errors import BadInput
from forkpoint.ledger import TrialScored, read_lines
from forkpoint.race.driver import read_agreement
from forkpoint.race.executor import More, Observer, Outcome, nothing_more
from forkpoint.race.nested import answer_enough, nested_rungs, plan_nested, run_nested
from forkpoint.race.work import Work


def truth(arm: str, share: float) -> float:
    """Rises with the logarithm of the rows, for every arm alike."""
    return 0.35 + 0.5 * share**0.5 - (0.1 if "base" in arm else 0.0)


class Heard:
    """An audience that counts."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def finished(self, line: object, rows: int) -> None:
        self.rows.append(rows)


class Killed(SimulatedExecutor):
    """An executor whose process ends after some trials."""

    def run(
        self, works: Sequence[Work], observer: Observer, more: More = nothing_more
    ) -> Iterator[Outcome]:
        for number, outcome in enumerate(super().run(works, observer)):
            if number == 2:
                raise KeyboardInterrupt
            yield outcome


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished race whose trials were drawn from a curve."""
    folder = tmp_path_factory.mktemp("nested") / "run"
    race(folder, truth=truth)
    (folder / "rows.jsonl").write_text("")
    return folder


def test_sizes_double_and_see_their_rows_as_often(run: Path) -> None:
    """Each size is twice the one before, for the same number of passes, the last is all rows."""
    agreement = read_agreement(run)
    rungs = nested_rungs(len(agreement.train_ids), agreement)
    assert len(rungs) >= 3
    assert len(agreement.train_ids) == rungs[-1].unique_rows
    for small, large in pairwise(rungs):
        assert abs(large.unique_rows - 2 * small.unique_rows) <= 1
        assert abs(small.passes - large.passes) < 0.5
    with pytest.raises(BadInput, match="30 training rows"):
        nested_rungs(30, agreement)


def test_it_resumes_and_leaves_the_race_alone(run: Path) -> None:
    """Killed after two trials it goes on with the rest; the race's own ledger does not change."""
    before = (run / "ledger.jsonl").read_bytes()
    plan = plan_nested(run, None, seeds=3)
    wanted = len(plan.open_trials)
    assert wanted + len(plan.there) == 3 * len(plan.agreement.rungs)
    assert plan.tokens > 0
    with pytest.raises(KeyboardInterrupt):
        run_nested(plan, Killed(plan.folder, plan.agreement, truth), Heard())
    again = plan_nested(run, None, seeds=3)
    assert wanted - 2 == len(again.open_trials)
    heard = Heard()
    run_nested(again, SimulatedExecutor(again.folder, again.agreement, truth), heard)
    assert wanted - 2 == len(heard.rows)
    assert () == plan_nested(run, None, seeds=3).open_trials
    kinds = {type(line) for line in read_lines(plan.folder)}
    assert {TrialScored} == kinds  # in particular, the test set was not opened
    assert before == (run / "ledger.jsonl").read_bytes()
    found = answer_enough(run, None, 3, target=0.9)
    assert plan.arm.name == found.arm
    assert [rung.unique_rows for rung in plan.agreement.rungs] == [p.rows for p in found.points]
    assert {3} == {point.seeds for point in found.points}
    assert (plan.folder / "enough.json").exists()


def test_an_arm_that_is_not_there_is_told(run: Path) -> None:
    """The message lists the arms of the race."""
    with pytest.raises(BadInput, match=r"pocket-instruct\.full"):
        plan_nested(run, "pocket-instruct.prompt")


def test_a_race_without_a_verdict_needs_an_arm(run: Path, tmp_path: Path) -> None:
    """Which arm to look at is not guessed."""
    import shutil

    other = tmp_path / "run"
    shutil.copytree(run, other)
    (other / "verdict.json").unlink()
    with pytest.raises(BadInput, match="--arm"):
        plan_nested(other, None)
