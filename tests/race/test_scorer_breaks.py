"""A race whose user's scorer crashes or hangs: arms without a score are out, the rest is kept."""

from pathlib import Path

import pytest
from simulated_race import make_agreement, race

from forkpoint.ledger import read_lines
from forkpoint.report import read_view
from forkpoint.report.text import text

BROKEN = "pocket-chat.full"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder scored by a function of the user's."""
    monkeypatch.setenv("FORKPOINT_HOME", str(tmp_path / "home"))
    make_agreement(tmp_path / "run", settings={"metric": "scorer.py:judge"})
    return tmp_path / "run"


def test_an_arm_whose_answers_break_the_scorer_is_out_and_the_others_race(folder: Path) -> None:
    """Its trials stand in the ledger; nobody else loses anything."""
    verdict, _ = race(folder, unscored=lambda arm, row: arm == BROKEN)
    assert verdict.arm is not None
    assert verdict.arm != BROKEN
    results = {result.arm: result for result in verdict.results}
    assert (True, None) == (results[BROKEN].dropped, results[BROKEN].validation)
    assert [] == [line for line in read_lines(folder) if line.kind == "trial_failed"]
    assert BROKEN in text(read_view(folder), "en")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_scorer_that_never_scores_ends_the_race_with_a_sentence(folder: Path, lang: str) -> None:
    """No arm is named, what was trained is kept, and the report can be read."""
    verdict, _ = race(folder, unscored=lambda arm, row: True)
    assert (None, None) == (verdict.arm, verdict.fork_point)
    scored = [line for line in read_lines(folder) if line.kind == "trial_scored"]
    assert len(scored) >= 6
    assert all((folder / line.answers).exists() for line in scored)
    said = text(read_view(folder), lang)
    assert ("no arm came to a score" if lang == "en" else "没有一个候选得到分数") in said
    assert ("the scorer gave none" if lang == "en" else "评分函数没有给任何回答打分") in said
