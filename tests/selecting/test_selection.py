"""Quality x diversity: what is kept, what is not, and why."""

from pathlib import Path

import orjson
import pytest

from forkpoint.data import Row, Turn, load
from forkpoint.selecting import vectors
from forkpoint.selecting.row_writing import write_chosen, write_notes
from forkpoint.selecting.score_file import Scores
from forkpoint.selecting.score_record import RowScore
from forkpoint.selecting.selection import _quotas, select

THINGS = ("kettle", "ladder", "window", "garden", "engine", "letter", "bridge", "market")
DEEDS = (
    "How do I repair the",
    "Who painted the",
    "Why did my neighbour sell the",
    "What is the oldest",
    "When may the children visit the",
    "Where could we store the",
    "Please describe the",
    "Is it expensive to insure the",
)


def row(number: int, prompt: str, answer: str = "fine") -> Row:
    return Row(
        f"{number:016x}", "rows.jsonl", number, (Turn("user", prompt), Turn("assistant", answer))
    )


def scores_of(rows: list[Row], values: dict[int, float] | None = None) -> Scores:
    told = values or {}
    return {
        one.id: {
            "heuristics": RowScore(
                row=one.id, line=one.line, scorer="heuristics", value=told.get(one.line, 1.0)
            )
        }
        for one in rows
    }


@pytest.fixture(autouse=True)
def ngrams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closeness by n-grams, whether or not the optional extra is installed."""
    monkeypatch.setattr(vectors, "_installed", lambda: False)


@pytest.fixture
def rows() -> list[Row]:
    """Rows that differ: sixty English questions, no two of the same words."""
    return [
        row(n + 1, f"{DEEDS[n % 8]} {THINGS[n // 8]} that belongs to house number {n * 7}?",
            f"The {THINGS[n // 8]} is a matter for office {n}.")
        for n in range(60)
    ]  # fmt: skip


def test_the_best_are_kept_first(rows: list[Row]) -> None:
    """Rows with something against them are kept last, and those worth nothing never."""
    values = dict.fromkeys(range(1, 31), 0.3) | {1: 0.0, 2: 0.0}
    kept, found = select(rows, scores_of(rows, values), 40, by=("heuristics",), diverse=False)
    lines = {one.line for one in kept}
    assert set(range(31, 61)) <= lines
    assert not {1, 2} & lines
    assert 40 == len(kept)
    all_kept, found = select(rows, scores_of(rows, values), 60, by=("heuristics",), diverse=False)
    assert 58 == len(all_kept)
    assert ("select.notice_fewer",) == found.notices


def test_what_is_too_close_to_a_kept_row_is_skipped(rows: list[Row]) -> None:
    """Of near-copies one is kept, and the note says which row the others are close to."""
    copies = [
        row(900 + n, one.turns[0].content + "!", one.answer) for n, one in enumerate(rows[:10])
    ]
    kept, found = select([*rows, *copies], scores_of([*rows, *copies]), 45, by=("heuristics",))
    lines = {one.line for one in kept}
    assert not [n for n in range(10) if n + 1 in lines and 900 + n in lines]
    close = [one for one in found.left_out if one.why == "close"]
    assert close
    for one in close:
        assert one.other_line in lines
        assert one.similarity is not None
        assert one.similarity >= 0.9


def test_exact_copies_are_kept_once(rows: list[Row]) -> None:
    """A copy is told from its line and the line of the first."""
    again = Row(rows[0].id, "rows.jsonl", 777, rows[0].turns)
    kept, found = select([*rows, again], scores_of(rows), 60, by=("heuristics",), diverse=False)
    assert len(kept) == len({one.id for one in kept})
    assert [(777, 1)] == [(o.line, o.other_line) for o in found.left_out if o.why == "copy"]


def test_labels_are_kept_in_proportion() -> None:
    """A selection does not lose the rare label."""
    tickets = list(load("tickets").rows[:300])
    kept, found = select(tickets, scores_of(tickets), 100, by=("heuristics",))
    assert 100 == len(kept)
    for stratum in found.strata:
        assert abs(stratum.kept - stratum.rows / 3) < 1


def test_a_group_of_bad_rows_claims_no_share() -> None:
    """Proportions are taken among the best rows: a common refusal is no label to keep."""
    tickets = list(load("tickets").rows[:200])
    refusals = [row(9000 + n, f"{one.prompt[-1].content} ({n})", "Sorry, I cannot help.")
                for n, one in enumerate(tickets[:60])]  # fmt: skip
    every = [*tickets, *refusals]
    scores = scores_of(every, {one.line: 0.3 for one in refusals})
    kept, _ = select(every, scores, 120, by=("heuristics",))
    assert 120 == len(kept)
    assert not {one.line for one in refusals} & {one.line for one in kept}


def test_quotas_add_up() -> None:
    """The largest remainders take the rest, and no stratum gets more than it has."""
    assert {"a": 5, "b": 3, "c": 2} == _quotas({"a": 50, "b": 30, "c": 20}, 10)
    assert 7 == sum(_quotas({"a": 3, "b": 3, "c": 3}, 7).values())
    assert {} == _quotas({}, 5)


def test_the_same_request_gives_the_same_rows(rows: list[Row]) -> None:
    """Nothing is drawn that is not seeded, and the order of the file plays no part."""
    first, _ = select(rows, scores_of(rows), 20, by=("heuristics",), seed=3)
    again, _ = select(rows[::-1], scores_of(rows), 20, by=("heuristics",), seed=3)
    other, _ = select(rows, scores_of(rows), 20, by=("heuristics",), seed=4)
    assert [one.id for one in first] == [one.id for one in again]
    assert [one.id for one in first] != [one.id for one in other]


def test_an_instruction_that_does_not_help_makes_a_row_worthless(rows: list[Row]) -> None:
    """By difficulty the highest below 1 come first; from 1 on a row is left out."""
    scores: Scores = {
        one.id: {"ifd": RowScore(row=one.id, line=one.line, scorer="ifd", value=one.line / 40)}
        for one in rows
    }
    kept, _ = select(rows, scores, 10, by=("ifd",), diverse=False)
    assert set(range(30, 40)) == {one.line for one in kept}


def test_rows_without_a_score_are_counted(rows: list[Row]) -> None:
    """What was not scored is not kept, and it is said how many."""
    _, found = select(rows, scores_of(rows[:50]), 30, by=("heuristics",), diverse=False)
    assert 10 == found.unscored


def test_kept_rows_read_back_as_the_same_rows(tmp_path: Path) -> None:
    """JSONL lines are copied byte for byte; rows of other formats come back with the same id."""
    source = tmp_path / "rows.jsonl"
    lines = [
        b'{"prompt": "a", "completion":  "\xe4\xb8\xad", "group": 7}',
        b'{"prompt": "b", "completion": "d"}',
    ]
    source.write_bytes(b"\n".join(lines))
    read = load(source).rows
    write_chosen(tmp_path / "out.jsonl", read)
    assert b"\n".join(lines) + b"\n" == (tmp_path / "out.jsonl").read_bytes()
    table = tmp_path / "rows.csv"
    table.write_text('prompt,completion,group\n"a, b",c,1\nd,"e\nf",2\n')
    read = load(table).rows
    write_chosen(tmp_path / "table.jsonl", read)
    back = load(tmp_path / "table.jsonl").rows
    assert [one.id for one in read] == [one.id for one in back]
    assert ["1", "2"] == [one.extra["group"] for one in back]


def test_notes_account_for_every_row(rows: list[Row], tmp_path: Path) -> None:
    """One line on the whole, then one for each row that was left out."""
    kept, found = select(rows, scores_of(rows), 20, by=("heuristics",))
    write_notes(tmp_path / "n.jsonl", found)
    head, *left = [
        orjson.loads(piece) for piece in (tmp_path / "n.jsonl").read_bytes().splitlines()
    ]
    assert 20 == head["asked"]
    assert {one["line"] for one in left} | {one.line for one in kept} == set(range(1, 61))
    assert {"close", "rank"} >= {one["why"] for one in left}
