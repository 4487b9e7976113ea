"""Chosen over rejected: counted by pair, whatever the arm; rows without a pair say nothing."""

from pathlib import Path

import pytest

from forkpoint.data.row import Row, Turn
from forkpoint.measure.arm import AnswerLimits, ScoringRow, score_arm
from forkpoint.measure.likelihood import row_bits
from forkpoint.models.rendering import Rendered, Renderer, Rendering
from forkpoint.models.weights import load_model, load_tokenizer

SIDES = (("red", "blue and green"), ("positive", "negative"), ("seven", "eleven"))


@pytest.mark.parametrize("likelihood", [True, False])
def test_preferences_are_counted_by_bits_a_byte(tiny_checkpoint: Path, likelihood: bool) -> None:
    """The share is that of the pairs, with interval and n, weighed for other ends or not."""
    model, tokenizer = load_model(tiny_checkpoint), load_tokenizer(tiny_checkpoint)
    renderer = Renderer(tokenizer, Rendering(kind="plain"))
    rows, expected = [], []
    for number, (chosen, rejected) in enumerate(SIDES):
        turns = (Turn("user", f"Which {number}"), Turn("assistant", chosen))
        row = Row(f"r{number}", "f", number, turns, rejected=rejected)
        better, worse = renderer.row(row), renderer.rejected(row)
        assert isinstance(better, Rendered) and isinstance(worse, Rendered)
        rows.append(ScoringRow(row, better, worse))
        costs = [sum(bits) for bits in row_bits(model, [better, worse])]
        expected.append(costs[0] / (len(chosen) + 1) < costs[1] / (len(rejected) + 1))
    bare = Row("r9", "f", 9, (Turn("user", "Which"), Turn("assistant", "red")))
    plain = renderer.row(bare)
    assert isinstance(plain, Rendered)
    limits = AnswerLimits(stop_ids=renderer.end_ids, max_new_tokens=2)
    scores = score_arm(
        model, tokenizer, [*rows, ScoringRow(bare, plain)], "exact_match", limits,
        likelihood=likelihood,
    )  # fmt: skip
    assert [*expected, None] == [row.preferred for row in scores.rows]
    assert scores.preferred is not None
    assert (3, pytest.approx(sum(expected) / 3)) == (scores.preferred.n, scores.preferred.value)
    assert scores.secondary["preferred"] == scores.preferred
    none = score_arm(model, tokenizer, [ScoringRow(bare, plain)], "exact_match", limits)
    assert none.preferred is None and "preferred" not in none.secondary
