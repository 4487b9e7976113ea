"""What the report says of subsets, of rows against forgetting, and whether more would help."""

from pathlib import Path

import pytest
from run_folder import build_run

from forkpoint.record import Figure
from forkpoint.report import View, read_view
from forkpoint.report.page import html
from forkpoint.report.replay_table import replay_tables
from forkpoint.report.text import text
from forkpoint.verdict.enough import Enough, SizePoint
from forkpoint.verdict.verdict_record import Change


def figure(value: float) -> Figure:
    return Figure(value=value, low=value - 0.05, high=value + 0.05, n=80, origin="measured")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished race."""
    folder = tmp_path_factory.mktemp("rows") / "run"
    build_run(folder)
    return folder


@pytest.fixture(scope="module")
def view(run: Path) -> View:
    """The race with the winner's second arm as its own with half as many general rows."""
    told = read_view(run)
    winner = next(arm for arm in told.arms if told.verdict and arm.name == told.verdict.arm)
    mixed = winner.model_copy(update={"name": f"{winner.name}.replay-50", "replay": 0.5})
    changes = tuple(
        Change(subject=arm, ability="knowledge", before=figure(0.7), after=figure(0.7 + moved),
               difference=figure(moved), null_control=None)
        for arm, moved in ((winner.name, -0.31), (mixed.name, -0.07))
    )  # fmt: skip
    return told.model_copy(update={"arms": (winner, mixed), "changes": changes})


def answered(run: Path) -> Enough:
    """An answer of `forkpoint enough`, as it lies in a run folder."""
    found = Enough(
        arm="a.full", metric="macro_f1", margin=0.02, passes=3, rows=800,
        points=tuple(SizePoint(rows=n, steps=n // 4, seeds=3, score=figure(s))
                     for n, s in ((200, 0.61), (400, 0.7), (800, 0.765))),
        gains=(figure(0.09), figure(0.065)), answer="more_helps", reason="enough.more_helps",
        next_gain=Figure(value=0.047, low=0.021, high=0.08, origin="estimated"),
        p_above_margin=0.97, flat_rows=None, flat_reason="enough.flat_from_beyond",
        target=0.9, target_rows=Figure(value=3100, low=1900, high=None, origin="estimated"),
        target_reason="enough.target_at", p_target=0.8, tokens=12_000,
    )  # fmt: skip
    path = run / "enough" / "a.full" / "enough.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(found.to_json())
    return found


def test_retention_stands_beside_the_task_score_for_every_share(view: View) -> None:
    """A table by share of general rows: score, and the change of each ability."""
    (table,) = replay_tables(view)
    assert [0.0, 0.5] == [row.share for row in table.rows]
    assert ("knowledge",) == table.abilities
    assert [-0.31, -0.07] == [
        row.changes[0].difference.value for row in table.rows if row.changes[0]
    ]
    assert all(row.score for row in table.rows)


@pytest.mark.parametrize(
    ("lang", "title"), [("en", "Rows against forgetting"), ("zh", "防遗忘数据")]
)
def test_shares_are_in_text_and_page(view: View, lang: str, title: str) -> None:
    """Both forms of the report show the table, in both languages."""
    said = text(view, lang, width=200)
    assert title in said
    assert "−0.31" in said
    assert "−0.07" in said
    assert title in html(view, lang)


def test_a_race_without_shares_shows_no_such_table(run: Path) -> None:
    """Nothing is said of what was not tried."""
    assert () == replay_tables(read_view(run))


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("More rows would help", "+0.047", "3,100", "97%")),
        ("zh", ("再加数据会有用", "3,100")),
    ],
)
def test_whether_more_rows_would_help_is_in_the_report(
    run: Path, lang: str, words: tuple[str, ...]
) -> None:
    """The answer of `forkpoint enough`, with its interval, stands in text and page."""
    answered(run)
    told = read_view(run)
    for form in (text(told, lang, width=200), html(told, lang)):
        for word in words:
            assert word in form


def test_a_broken_answer_is_left_out(run: Path) -> None:
    """A file that is no answer does not break the report."""
    path = run / "enough" / "b" / "enough.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{")
    answered(run)
    assert ["a.full"] == [found.arm for found in read_view(run).enough]
