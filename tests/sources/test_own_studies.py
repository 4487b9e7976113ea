"""Own studies: what the advice quotes is what the packed lines say."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from forkpoint.sources import STUDIES, bearings_on
from forkpoint.sources.own_studies import OWN_STUDIES

ROOT = Path(__file__).parents[2]
LINES = ROOT / "docs" / "studies" / "stage_rows.jsonl"
pytestmark = pytest.mark.skipif(not (ROOT / "benchmarks").is_dir(), reason="needs the repository")
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT)]


def recomputed() -> dict[str, Sequence[float]]:
    """The differences, or shares, behind every figure, from the packed lines."""
    from stage_ranks import shares_by_task
    from stage_rows import lines_of
    from stage_tables import (
        ALL,
        Setting,
        approach_differences,
        before,
        differences,
        kept,
        points,
        share_right,
    )  # fmt: skip

    lines = lines_of(LINES)
    grid = [one for one in lines if "general" in one]
    every, after = points(lines), kept(grid, "instruct", ALL)
    start = next(share_right(x, ALL) for x in grid if not x["rows"] and x["stage"] == "instruct")
    orders, mood = Setting("bank", "orders", 80, 240), Setting("bank", "mood", 60, 180)
    facts = Setting("bank", "facts", 160, 480)
    tickets = Setting("races", "tickets", 650, 1_952)
    near, many = Setting("grid", "orders", 800, 800), Setting("grid", "sums", 3_200, 3_200)
    return {
        "figure_own_near": differences(every, orders, "lora", "instruct")[0],
        "figure_own_mood": differences(every, mood, "lora", "instruct")[0],
        "figure_own_facts": differences(every, facts, "lora", "instruct")[0],
        "figure_own_near_800": differences(every, near, "lora", "instruct")[0],
        "figure_own_many": differences(every, many, "full", "instruct")[0],
        "figure_own_far": differences(every, tickets, "full", "instruct")[0],
        "figure_own_lora_far": approach_differences(every, tickets, 1.0),
        "figure_own_lora_share_far": approach_differences(every, tickets, 0.95),
        "figure_own_lora_share_near": approach_differences(every, orders, 0.95),
        "figure_own_lost": [lora - start for lora, _ in after],
        "figure_own_kept": [lora - full for lora, full in after],
        "figure_own_ranks": shares_by_task(every, before(lines), "likelihood"),
    }


def test_quoted_figures_are_those_of_the_lines() -> None:
    """Every figure of an own study comes out of the packed lines again: mean, interval, n."""
    from pocket_trial import paired

    found = recomputed()
    quoted = {one.name: one.figure for study in OWN_STUDIES for one in study.figures}
    assert sorted(quoted) == sorted(found)
    for name, figure in quoted.items():
        expected = (figure.value, figure.low, figure.high, figure.n)
        middle, low, high = paired(found[name])
        ends = (max(-1.0, low), min(1.0, high))
        told = (*(round(value, 3) for value in (middle, *ends)), len(found[name]))
        assert expected == told, name


def test_an_own_study_decides_as_its_interval_says() -> None:
    """Supports and against only where the interval excludes 0, undecided where it holds 0."""
    for study in OWN_STUDIES:
        for bearing in study.bearings:
            figure = next(one.figure for one in study.figures if one.name == bearing.figure)
            assert figure.low is not None and figure.high is not None
            includes = figure.low <= 0 <= figure.high
            assert includes == (bearing.direction == "undecided"), bearing


def test_own_studies_are_looked_up_like_others() -> None:
    """They stand among all studies, are called own, and bear on rules."""
    assert set(OWN_STUDIES) <= set(STUDIES)
    assert {True} == {study.own and study.read == "own" for study in OWN_STUDIES}
    assert "pocket_lora" in {study.key for study, _, _ in bearings_on("FP-D02")}
