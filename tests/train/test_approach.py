"""Approaches: rates with reasons, sizes from shapes, and no torch until something is trained."""

import subprocess
import sys
from pathlib import Path

import pytest

from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import ShapeFacts
from forkpoint.models.weights import load_model
from forkpoint.train.approach import approach
from forkpoint.train.job import ApproachSettings
from forkpoint.words import say


def test_planning_needs_no_torch() -> None:
    """Rates and sizes are asked for by the planner, which must stay light."""
    code = (
        "import sys\n"
        "from forkpoint.train.approach import approach\n"
        "from forkpoint.train.job import TrainJob\n"
        "from forkpoint.models.rendering import choose_renderings\n"
        "from forkpoint.measure.metric import primary_metric\n"
        "approach('lora').default_rate(128)\n"
        "print(sorted({'torch', 'transformers', 'peft', 'trl'} & set(sys.modules)))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("hidden", "family", "rate"),
    [(4096, "llama-3.1", 2.86e-4), (4096, "qwen3", 4.73e-4), (2000, None, 5e-4)],
)
def test_published_rule_inside_its_range(hidden: int, family: str, rate: float) -> None:
    """The rule's own figures come out; full fine-tuning gets a tenth."""
    lora = approach("lora").default_rate(hidden, family)
    assert lora.value == pytest.approx(rate, rel=0.01)
    assert approach("full").default_rate(hidden, family).value == pytest.approx(lora.value / 10)
    assert lora.origin == ("published" if family else "ruled")


@pytest.mark.parametrize("hidden", [64, 128, 300, 576, 900])
@pytest.mark.parametrize("name", ["lora", "full"])
def test_small_models_get_our_own_rates(hidden: int, name: str) -> None:
    """Below the rule's range its value, at which most published runs diverged, is not used."""
    rate = approach(name).default_rate(hidden, "llama")
    assert rate.origin == ("measured" if hidden == 128 else "ruled")
    assert rate.value < 4.3e-3
    for lang in ("en", "zh"):
        assert str(hidden) in say(rate.key, lang, **rate.values)


def test_trainable_parameters_from_the_shape(tiny_checkpoint: Path) -> None:
    """The number said before training is the number trained."""
    shape = ShapeFacts.model_construct(
        parameters=95_296,
        hidden_size=64,
        layers=2,
        heads=4,
        kv_heads=2,
        head_dim=16,
        intermediate_size=128,
        tied_embeddings=True,
    )
    for name in ("lora", "full"):
        settings = ApproachSettings(rank=8, token_ids=(1, 2))
        model = approach(name).prepare(load_model(tiny_checkpoint), settings)
        trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
        assert approach(name).trainable_parameters(shape, settings) == trained


def test_unknown_approach_is_named() -> None:
    """A typing mistake is said with what there is."""
    with pytest.raises(BadInput, match="full, lora"):
        approach("lroa")
