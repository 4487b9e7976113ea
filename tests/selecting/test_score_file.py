"""The score file: append-only, resumable, never of other data."""

from pathlib import Path

import pytest

from forkpoint.errors import BadInput, Unreadable
from forkpoint.selecting.score_file import ScoreFile, read_scores
from forkpoint.selecting.score_record import RowScore, ScoreHeader

HEADER = ScoreHeader(files=("rows.jsonl",), data_sha256="ab" * 32, rows=3)


def scored(row: str, value: float = 1.0) -> RowScore:
    return RowScore(row=row, line=1, scorer="heuristics", value=value)


def test_scores_come_back(tmp_path: Path) -> None:
    """What was written is read, by row and scorer."""
    path = tmp_path / "scores.jsonl"
    with ScoreFile(path, HEADER) as file:
        file.append([scored("a"), scored("b", 0.3)])
    header, scores = read_scores(path)
    assert HEADER == header
    assert 0.3 == scores["b"]["heuristics"].value


def test_a_torn_last_line_is_dropped_and_the_rest_is_kept(tmp_path: Path) -> None:
    """A kill in the middle of a line loses that line only."""
    path = tmp_path / "scores.jsonl"
    with ScoreFile(path, HEADER) as file:
        file.append([scored("a"), scored("b")])
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    with ScoreFile(path, HEADER) as file:
        assert {("a", "heuristics", "")} == file.done
        file.append([scored("b")])
    assert whole == path.read_bytes()


def test_scores_of_other_data_are_refused(tmp_path: Path) -> None:
    """A file is never mixed from two data sets."""
    path = tmp_path / "scores.jsonl"
    with ScoreFile(path, HEADER):
        pass
    other = HEADER.model_copy(update={"data_sha256": "cd" * 32})
    with pytest.raises(BadInput, match="other data"), ScoreFile(path, other):
        pass


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    """A line that is no score is an error with its number."""
    path = tmp_path / "scores.jsonl"
    path.write_text(HEADER.to_json() + "\n" + scored("a").to_json() + "\nnonsense\n")
    with pytest.raises(Unreadable, match="line 3"):
        read_scores(path)
    path.write_text("")
    with pytest.raises(Unreadable, match="line 1"):
        read_scores(path)


def test_two_writers_are_refused(tmp_path: Path) -> None:
    """One run of score at a time writes a file."""
    path = tmp_path / "scores.jsonl"
    with (
        ScoreFile(path, HEADER),
        pytest.raises(BadInput, match="being written"),
        ScoreFile(path, HEADER),
    ):
        pass
