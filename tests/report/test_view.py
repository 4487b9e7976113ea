"""From a run folder to the view."""

import json
import shutil
from pathlib import Path

import pytest

from forkpoint.errors import BadInput, Unreadable
from forkpoint.ledger import Book
from forkpoint.report import View, read_view


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of the finished run folder that a test may damage."""
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def missing(view: View) -> set[str]:
    return {saying.key for saying in view.missing}


def test_a_view_survives_json(finished: View) -> None:
    """The view is a plain record: its JSON gives back the same view."""
    assert finished == View.from_json(finished.to_json())


def test_a_finished_race_is_told_as_ended(finished: View) -> None:
    """The verdict's own results and states reach the view; nothing but nothing is missing."""
    assert "ended" == finished.progress
    assert set() == missing(finished)
    states = {arm.name: arm.state for arm in finished.arms}
    assert "winner" == states["pocket-instruct.full"]
    assert "finalist" == states["pocket-chat.full"]
    assert "dropped" == states["pocket-chat.lora"]


def test_an_interrupted_race_is_told_as_such(unfinished: View) -> None:
    """Without its end and without a living writer a race is interrupted, and says what lacks."""
    assert "interrupted" == unfinished.progress
    assert unfinished.verdict is None
    assert {"report.missing_test", "report.missing_general"} == missing(unfinished)
    assert [] == [t for arm in unfinished.arms for t in arm.trials if t.state == "running"]


def test_a_race_whose_writer_lives_is_under_way(unfinished_run: Path) -> None:
    """While a process holds the ledger, its trial without an end is running."""
    with Book(unfinished_run):
        view = read_view(unfinished_run)
    assert "under_way" == view.progress
    running = [trial for arm in view.arms for trial in arm.trials if trial.state == "running"]
    assert [("pocket-instruct.full", 2)] == [(trial.arm, trial.rung) for trial in running]


def test_a_race_that_has_only_agreed_can_be_looked_at(unfinished_run: Path, tmp_path: Path) -> None:
    """With race.json alone every arm waits and nothing is invented."""
    shutil.copy(unfinished_run / "race.json", tmp_path)
    view = read_view(tmp_path)
    assert {"waiting"} == {arm.state for arm in view.arms}
    assert 0 == view.cost.spent.value
    assert "report.missing_rows" in missing(view)


def test_trials_carry_what_was_predicted_and_measured(finished: View) -> None:
    """A scored trial has its prediction, time, memory, and a score with interval and n."""
    trial = finished.arms[0].trials[0]
    assert trial.predicted_seconds is not None
    assert trial.seconds is not None
    assert trial.peak_bytes is not None
    assert trial.primary is not None
    assert 60 == trial.primary.n
    assert trial.primary.low is not None


def test_a_failed_trial_is_never_silent(finished: View) -> None:
    """A trial that diverged stands in the view with its reason and what followed."""
    failed = [t for arm in finished.arms for t in arm.trials if t.state == "failed"]
    assert [("train.diverged", "rate")] == [
        (t.failure.key if t.failure else "", t.retry) for t in failed
    ]
    assert 1 == finished.cost.failed_trials


def test_rows_side_by_side_are_those_where_arms_differ(finished: View) -> None:
    """Rows on which all shown arms agree come only after those on which they differ."""
    apart = [len({a.score for a in row.answers}) > 1 for row in finished.side_by_side]
    assert 8 == len(apart)
    assert all(apart[:6])
    assert "pocket-instruct.untrained" == finished.side_by_side[0].answers[-1].arm


def test_bad_cases_hold_no_right_answer(finished: View) -> None:
    """Bad cases are the named arm's answers that failed, in groups."""
    groups = {row.answers[0].group for row in finished.bad_cases}
    assert groups
    assert groups <= {"wrong", "empty", "endless", "partly"}
    assert {finished.bad_arm} == {row.answers[0].arm for row in finished.bad_cases}


def test_counts_add_up(finished: View) -> None:
    """Every kept answer is in exactly one group."""
    assert finished.answer_counts
    for counts in finished.answer_counts:
        assert counts.n == sum(counts.groups.values())


def test_a_changed_verdict_is_noticed(run: Path) -> None:
    """A verdict.json that is not the one the ledger recorded is said to be changed."""
    text = (run / "verdict.json").read_text()
    (run / "verdict.json").write_text(text.replace('"p_best": 0.7', '"p_best": 0.99', 1))
    assert "report.verdict_changed" in {saying.key for saying in read_view(run).notices}


def test_a_damaged_verdict_does_not_hide_the_rest(run: Path) -> None:
    """Arms, curves and answers are shown when verdict.json cannot be read, and that is said."""
    (run / "verdict.json").write_text("{")
    view = read_view(run)
    assert {"report.broken_file", "report.missing_verdict"} <= missing(view)
    assert all(arm.result.validation for arm in view.arms)


def test_advice_of_another_version_is_left_out(run: Path) -> None:
    """Advice that this version cannot read is said to be missing, and stops nothing."""
    agreed = json.loads((run / "race.json").read_text())
    (run / "race.json").write_text(json.dumps({**agreed, "advice_json": '{"later": 1}'}))
    assert "report.missing_advice" in missing(read_view(run))


def test_answers_outside_the_folder_are_never_read(run: Path) -> None:
    """A ledger that names a file elsewhere gets nothing from there."""
    (run.parent / "secret.jsonl").write_text('{"row_id": "1", "text": "secret", "score": 0}\n')
    ledger = (run / "ledger.jsonl").read_text()
    (run / "ledger.jsonl").write_text(
        ledger.replace("answers/pocket-instruct.full.test.jsonl", "../secret.jsonl")
    )
    assert "secret" not in read_view(run).to_json()


def test_the_advice_stands_beside_the_measurement(finished: View) -> None:
    """Rules name the race's checkpoints, and every arm has its advised place."""
    assert finished.guides
    named = {name for guide in finished.guides for name in (*guide.favours, *guide.against)}
    assert named <= set(finished.checkpoints)
    advised = {(one.checkpoint, one.approach) for one in finished.advised}
    assert {(arm.checkpoint, arm.approach) for arm in finished.arms} <= advised


def test_the_command_runs_the_same_race(finished: View) -> None:
    """The command quotes what needs quoting and repeats models and approaches."""
    assert (
        "forkpoint race tickets.jsonl --model pocket-base --model pocket-instruct "
        "--model pocket-chat --approach lora --approach full --budget 40% "
        "--goal 'sort support tickets, answers are labels' --seed 1 --margin 0.02 "
        "--out runs/again --yes"
    ) == finished.command


def test_a_folder_without_a_race_is_bad_input(tmp_path: Path) -> None:
    """A missing folder, an empty one and a broken race.json each get a sentence of their own."""
    with pytest.raises(BadInput, match="no folder"):
        read_view(tmp_path / "nowhere")
    with pytest.raises(BadInput, match=r"race\.json is missing"):
        read_view(tmp_path)
    (tmp_path / "race.json").write_text('{"schema_version": 1}')
    with pytest.raises(Unreadable, match="field forkpoint_version"):
        read_view(tmp_path)
