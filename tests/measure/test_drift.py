"""Drift: nothing moved is nothing, and further is more."""

from pathlib import Path

from forkpoint.behaviour.probes import shipped_probes
from forkpoint.measure.drift import drift, speak
from forkpoint.models.rendering import Renderer, Rendering
from forkpoint.models.weights import load_model, load_tokenizer


def test_drift_grows_with_the_distance(tiny_checkpoint: Path) -> None:
    """Zero for the start itself; more for weights that were moved further; n counts answers."""
    import torch

    tokenizer = load_tokenizer(tiny_checkpoint)
    renderer = Renderer(tokenizer, Rendering(kind="chat"))
    prompts = [probe.turns for probe in shipped_probes()][:6]
    spoken = speak(load_model(tiny_checkpoint), tokenizer, renderer, prompts, renderer.end_ids)
    assert 0 < len(spoken.spans) <= 6
    values = []
    for size in (0.0, 0.01, 0.1):
        model = load_model(tiny_checkpoint)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for weight in model.parameters():
                weight += size * torch.randn(weight.shape, generator=generator)
        found = drift(spoken, model)
        assert ("nats/token", "lower") == (found.unit, found.better)
        assert len(spoken.spans) == found.n
        values.append(found.value or 0.0)
    assert values[0] < 1e-6 < values[1] < values[2]
