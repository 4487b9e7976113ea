"""What an answer costs: means over rows, seconds over batches, each with interval and n."""

import pytest

from forkpoint.measure.answer_cost import cost_of
from forkpoint.models.generation import Answer


def answer(prompt: int, tokens: int, batch: int, seconds: float) -> Answer:
    return Answer(
        text="x", tokens=tokens, stopped=True, prompt_tokens=prompt, batch=batch,
        batch_seconds=seconds,
    )  # fmt: skip


def test_a_batch_counts_once_however_many_share_it() -> None:
    """Six seconds for four answers are one and a half each; n is the number of batches."""
    cost = cost_of([
        answer(10, 2, 0, 4.0), answer(20, 4, 0, 4.0), answer(30, 6, 0, 4.0), answer(40, 8, 1, 2.0),
    ])  # fmt: skip
    assert cost is not None
    assert (1.5, 2) == (cost.seconds.value, cost.seconds.n)
    assert (25.0, 4) == (cost.prompt_tokens.value, cost.prompt_tokens.n)
    assert pytest.approx(5.0) == cost.generated_tokens.value
    assert cost.prompt_tokens.low is not None
    assert cost.prompt_tokens.low < 25.0
    assert 4 == cost.answers


def test_one_batch_has_no_interval_and_no_answers_no_cost() -> None:
    """What cannot be known is not shown."""
    cost = cost_of([answer(10, 2, 0, 4.0)])
    assert cost is not None
    assert cost.seconds.low is None
    assert cost_of([]) is None
