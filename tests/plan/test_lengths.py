"""Lengths, rungs and steps: the same rows in the same order for every arm."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forkpoint.errors import BadInput
from forkpoint.plan.budget import read_budget
from forkpoint.plan.lengths import (
    default_passes,
    default_rows_per_step,
    plan_rungs,
    smallest_difference,
    step_plan,
)


@pytest.mark.parametrize(
    ("rows", "passes"), [(100, 3.0), (1_999, 3.0), (2_000, 2.0), (19_999, 2.0), (20_000, 1.0)]
)
def test_passes_follow_the_number_of_rows(rows: int, passes: float) -> None:
    """Three passes below 2,000 rows, one to two above."""
    assert passes == default_passes(rows)


@pytest.mark.parametrize(
    ("rows", "difference"), [(50, 0.18), (200, 0.09), (500, 0.056), (1_000, 0.04), (3_000, 0.023)]
)
def test_the_smallest_difference_is_that_of_the_method(rows: int, difference: float) -> None:
    """The table of docs/method.md, to its rounding."""
    assert difference == pytest.approx(smallest_difference(rows), abs=0.005)


@given(st.integers(10, 50_000))
def test_rungs_grow_to_full_length(rows: int) -> None:
    """Rungs are numbered from 1, grow strictly, and end at exactly the full length."""
    passes = default_passes(rows)
    rungs = plan_rungs(rows, passes, default_rows_per_step(rows, passes))
    assert list(range(1, len(rungs) + 1)) == [rung.index for rung in rungs]
    assert [rung.steps for rung in rungs] == sorted({rung.steps for rung in rungs})
    assert 1.0 == rungs[-1].share
    assert rows == rungs[-1].unique_rows or rungs[-1].steps * 4 < rows * passes


@given(st.integers(1, 40_000))
def test_the_first_rung_is_as_short_as_says_something(steps: int) -> None:
    """A sixteenth or twelve steps, a thirty-second of a long race; a step up is worth its cost."""
    rungs = plan_rungs(4 * steps, 1.0, 4)
    first = rungs[0].steps
    if len(rungs) > 1:
        assert first in (max(12, round(steps / 16)), round(steps / 32))
        assert first != round(steps / 32) or first >= 100
    assert all(2 * shorter.steps <= longer.steps + 1 for shorter, longer in pairwise(rungs))
    assert steps < 24 or len(rungs) > 1


@given(st.integers(20, 400), st.integers(0, 5))
def test_a_longer_rung_holds_the_rows_of_a_shorter_one(rows: int, seed: int) -> None:
    """Rungs are nested, each pass sees every row of the rung once, and seeds differ."""
    size = default_rows_per_step(rows, 3.0)
    rungs = plan_rungs(rows, 3.0, size)
    plans = [step_plan(rows, rung, size, seed) for rung in rungs]
    seen = [{row for step in plan for row in step} for plan in plans]
    for shorter, longer in pairwise(seen):
        assert shorter <= longer
    visits = Counter(row for step in plans[-1] for row in step)
    assert max(visits.values()) - min(visits.values()) <= 1
    assert plans[-1] == step_plan(rows, rungs[-1], size, seed)
    assert plans[-1] != step_plan(rows, rungs[-1], size, seed + 1)


@pytest.mark.parametrize(
    ("text", "kind", "amount"),
    [("30m", "seconds", 1800), ("2h", "seconds", 7200), ("1h30m", "seconds", 5400),
     ("2M", "tokens", 2e6), ("500k", "tokens", 5e5), ("40%", "share", 0.4)],
)  # fmt: skip
def test_budgets_are_read(text: str, kind: str, amount: float) -> None:
    """A time, tokens, or a share of brute force."""
    budget = read_budget(text)
    assert (kind, amount) == (budget.kind, budget.amount)


@pytest.mark.parametrize("text", ["", "soon", "0m", "140%", "0%", "-3h", "5 apples"])
def test_other_budgets_are_refused_with_an_example(text: str) -> None:
    """The message names what was given and shows a budget that works."""
    with pytest.raises(BadInput) as caught:
        read_budget(text)
    assert "40%" in str(caught.value)
