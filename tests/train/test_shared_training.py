"""A training in several processes is the training in one."""

import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file
from test_fine_tune import toy_job

from forkpoint.train.fine_tune import fine_tune
from forkpoint.train.job import Sharding

sys.path.insert(0, str(Path(__file__).parent))
from shared_training import train_shared  # noqa: E402


@pytest.mark.parametrize(("name", "sharding"), [("full", "zero3"), ("lora", "zero2")])
def test_two_processes_train_what_one_does(
    tiny_checkpoint: Path, tmp_path: Path, name: str, sharding: Sharding
) -> None:
    """The same losses, gradient norms and weights within float error; passes are dealt out."""
    steps = (tuple(range(7)), (3,), tuple(range(8, 16)))
    alone = toy_job(tiny_checkpoint, tmp_path / "one", approach=name, steps=steps, warmup_steps=1)
    both = alone.model_copy(update={"folder": str(tmp_path / "two"), "sharding": sharding})
    one, two = fine_tune(alone), train_shared(both, 2, tmp_path)
    assert one.losses == pytest.approx(two.losses, rel=1e-4)
    assert one.gradient_norms == pytest.approx(two.gradient_norms, rel=1e-3)
    assert (one.tokens, one.trained_tokens) == (two.tokens, two.trained_tokens)
    assert one.trainable_parameters == two.trainable_parameters
    file = "model.safetensors" if name == "full" else "adapter_model.safetensors"
    whole, parts = load_file(tmp_path / "one" / file), load_file(tmp_path / "two" / file)
    assert whole.keys() == parts.keys()
    for key, weight in whole.items():
        assert (weight - parts[key]).abs().max() < 2e-4, key
