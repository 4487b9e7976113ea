"""The user's own scorer: their code can fail, hang, print and die without harm."""

from pathlib import Path

import pytest

from forkpoint.data.row import Row, Turn
from forkpoint.errors import BadInput
from forkpoint.measure.own_scorer import HANGS, own_scores

SCORER = """
import os, time
print("loading")

def judge(row, answer):
    print("judging", row["id"])
    if row["id"] == "hang":
        time.sleep(60)
    if row["id"] == "die":
        os._exit(3)
    if row["id"] == "raise":
        raise ValueError("cannot read this")
    if row["id"] == "large":
        return 7
    if row["id"] == "none":
        return None
    return float(answer == row["expected"])
"""


def rows(*ids: str) -> list[Row]:
    return [Row(name, "f", 1, (Turn("user", "x"), Turn("assistant", "yes"))) for name in ids]


def test_every_row_gets_a_score_or_a_reason(tmp_path: Path) -> None:
    """Rows after one that fails, hangs or kills the process are still scored."""
    file = tmp_path / "scorer.py"
    file.write_text(SCORER)
    names = ("a", "raise", "hang", "die", "large", "none", "b")
    answers = ["yes"] * 6 + ["no"]
    found = own_scores(f"{file}:judge", rows(*names), answers, row_seconds=1.0)
    assert [1.0, None, None, None, None, None, 0.0] == [value for value, _ in found]
    assert [note for _, note in found] == [
        "",
        "ValueError: cannot read this",
        "no score within 1 s",
        "the scorer's process ended",
        "the scorer gave 7.0, not a number from 0 to 1",
        "the scorer gave null",
        "",
    ]


def test_a_scorer_that_only_hangs_is_given_up(tmp_path: Path) -> None:
    """It costs a few time limits, not one a row; what was scored before is kept."""
    file = tmp_path / "scorer.py"
    file.write_text(SCORER)
    found = own_scores(f"{file}:judge", rows("a", *["hang"] * 40), ["yes"] * 41, row_seconds=0.2)
    assert [1.0] + [None] * 40 == [value for value, _ in found]
    assert ["no score within 0.2 s"] * HANGS == [note for _, note in found[1 : HANGS + 1]]
    assert {f"not asked: the scorer gave no score {HANGS} times in a row"} == {
        note for _, note in found[HANGS + 1 :]
    }


@pytest.mark.parametrize("metric", ["missing.py:judge", "{file}:absent", "{file}:not a name"])
def test_a_scorer_that_cannot_be_used_is_said_at_once(tmp_path: Path, metric: str) -> None:
    """A wrong file or function is bad input, in one sentence."""
    file = tmp_path / "scorer.py"
    file.write_text(SCORER)
    with pytest.raises(BadInput):
        own_scores(metric.format(file=file), rows("a"), ["yes"])
