"""What loading a model does to it."""

from pathlib import Path

import pytest
from torch.profiler import ProfilerActivity, profile

from forkpoint.measure.likelihood import span_bits
from forkpoint.models.weights import load_model

ROWS, WIDTH = 6, 12


@pytest.mark.parametrize("frozen", [True, False])
def test_the_head_is_not_copied_for_every_row(tiny_checkpoint: Path, frozen: bool) -> None:
    """A frozen head behind `logits_to_keep` multiplies as one matrix: no batch of heads."""
    model = load_model(tiny_checkpoint)
    model.requires_grad_(not frozen)
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as seen:
        span_bits(model, [(list(range(5, 5 + WIDTH)), 8)] * ROWS)
    vocabulary, hidden = model.get_output_embeddings().weight.shape
    batches = [
        (event.key, event.input_shapes)
        for event in seen.key_averages(group_by_input_shape=True)
        if [ROWS, hidden, vocabulary] in event.input_shapes
    ]
    assert not batches
