"""A race whose user's scorer crashes or hangs: arms without a score are out, the rest is kept."""

import json
from pathlib import Path

import pytest
from simulated_race import Silent, make_agreement, race

from forkpoint.errors import BadInput
from forkpoint.ledger import read_lines
from forkpoint.race.request import RaceRequest
from forkpoint.race.setup import prepare
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


@pytest.mark.parametrize(
    ("code", "metric", "told"),
    [
        ("", "{folder}/none.py:judge", "does not name a scorer"),
        ("def judge(row, answer): return 1", "{folder}/scorer.py:judgement", "has no attribute"),
        ("import no_such_module_at_all", "{folder}/scorer.py:judge", "No module named"),
        ("raise SystemExit('no')", "{folder}/scorer.py:judge", "SystemExit"),
    ],
    ids=["missing", "misnamed", "import", "exit"],
)
def test_a_scorer_that_cannot_be_loaded_is_refused_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, metric: str, told: str
) -> None:
    """One sentence with what Python said; no run folder is agreed on."""
    monkeypatch.setenv("FORKPOINT_HOME", str(tmp_path / "home"))
    (tmp_path / "scorer.py").write_text(code)
    rows = [{"prompt": f"Say {n}.", "completion": f"number {n}"} for n in range(60)]
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    request = RaceRequest(
        data=str(tmp_path / "rows.jsonl"), models=("pocket-base",), approaches=("lora", "full"),
        metric=metric.format(folder=tmp_path), folds=0,
    )  # fmt: skip
    with pytest.raises(BadInput, match=told):
        prepare(request, tmp_path / "run", Silent())
    assert not (tmp_path / "run" / "race.json").exists()
