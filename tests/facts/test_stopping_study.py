"""What docs/studies/stopping.md says of the remedies holds in its own counts."""

import json
from pathlib import Path
from typing import Any

import pytest

LINES = Path(__file__).resolve().parents[2] / "docs" / "studies" / "stopping.jsonl"
ENOUGH = 0.95
Cells = dict[tuple[Any, ...], dict[str, dict[str, Any]]]


def cells() -> Cells:
    """Set-ups by place: checkpoint, layers, rank, steps, rate."""
    found: Cells = {}
    for text in LINES.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        place = tuple(line[key] for key in ("checkpoint", "targets", "rank", "steps", "rate"))
        found.setdefault(place, {})[line["setup"]] = line
    return found


def stops(line: dict[str, Any]) -> float:
    return float(line["stopped_aligned"] / line["n"])


def failed(found: Cells) -> Cells:
    """Places in which the naive set-up does not stop and a remedy was tried."""
    return {
        place: setups
        for place, setups in found.items()
        if stops(setups["naive"]) < ENOUGH and "rows" in setups
    }


@pytest.mark.parametrize(("checkpoint", "least"), [("pocket", 14), ("gemma", 5)])
def test_trained_rows_stop_wherever_naive_does_not(checkpoint: str, least: int) -> None:
    """At least 95 % of at least 100 prompts, the score not below naive's, no answer empty."""
    there = {place: one for place, one in failed(cells()).items() if place[0] == checkpoint}
    assert len(there) >= least
    for place, setups in there.items():
        rows, naive = setups["rows"], setups["naive"]
        assert rows["n"] >= 100 and stops(rows) >= ENOUGH, place
        assert rows["right"] >= naive["right"] and rows["empty"] == 0, place


def test_plain_text_stops_where_it_was_trained_long_enough() -> None:
    """It fails in four places of few steps and a weak adapter; more steps mend it."""
    there = failed(cells())
    short = {place for place, setups in there.items() if stops(setups["plain"]) < ENOUGH}
    assert {place[3] for place in short} == {25, 30}
    assert len(short) == 4
    for place, setups in there.items():
        if place not in short:
            assert setups["plain"]["right"] >= setups["naive"]["right"], place
            assert setups["plain"]["empty"] == 0, place
    longer = [p for p in there if p[:3] in {q[:3] for q in short} and p[3] > 30]
    assert longer and all(stops(there[place]["plain"]) >= ENOUGH for place in longer)


def test_the_tuned_sibling_stops_where_it_was_trained_long_enough() -> None:
    """A template that post-training has taught needs no remedy but training."""
    tuned = {place: one["tuned"] for place, one in cells().items() if "tuned" in one}
    long = [line for place, line in tuned.items() if place[3] > 30]
    assert long and all(stops(line) >= ENOUGH for line in long)


def test_naive_does_not_fail_everywhere() -> None:
    """A risk, not a law: on Gemma most set-ups at the higher rate learn the end by themselves."""
    gemma = [one["naive"] for place, one in cells().items() if place[0] == "gemma"]
    assert sum(stops(line) >= ENOUGH for line in gemma) >= 7
    assert sum(stops(line) < ENOUGH for line in gemma) >= 6
