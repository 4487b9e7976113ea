"""LoRA on every linear layer, through PEFT."""

from pathlib import Path
from typing import Any

from forkpoint.facts.checkpoint_facts import ShapeFacts
from forkpoint.models.weights import Dtype, load_model
from forkpoint.train.job import ApproachSettings
from forkpoint.train.rate import Rate, starting_rate

NAME = "lora"


def default_rate(hidden_size: int, family: str | None = None) -> Rate:
    """The centre of the rates to try."""
    return starting_rate(hidden_size, family, lora=True)


def trainable_parameters(shape: ShapeFacts, settings: ApproachSettings) -> int | None:
    """rank x (inputs + outputs) of every linear layer of a Llama-like network."""
    hidden, layers, between = shape.hidden_size, shape.layers, shape.intermediate_size
    if hidden is None or layers is None or between is None or shape.heads is None:
        return None
    head = shape.head_dim or hidden // shape.heads
    queries, keys = shape.heads * head, (shape.kv_heads or shape.heads) * head
    widths = 2 * (hidden + queries) + 2 * (hidden + keys) + 3 * (hidden + between)
    return layers * settings.rank * widths + len(settings.token_ids) * hidden


def prepare(model: Any, settings: ApproachSettings) -> Any:
    """The model with adapters on all linear layers but the output layer."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=0.0,
        target_modules="all-linear",
        trainable_token_indices=list(settings.token_ids) or None,
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def load_dtype(dtype: Dtype) -> Dtype:
    """Frozen weights may be rounded; the adapters stay in float32."""
    return dtype


def save(model: Any, folder: Path) -> None:
    """Write the adapter."""
    model.save_pretrained(str(folder), safe_serialization=True)


def load_for_answers(
    checkpoint: str, folder: str | Path, dtype: Dtype = "float32", device: str = "cpu"
) -> Any:
    """The checkpoint with the adapter merged into it, which answers faster."""
    from peft import PeftModel

    model = PeftModel.from_pretrained(
        load_model(checkpoint, dtype=dtype, device=device), str(folder), local_files_only=True
    )
    return model.merge_and_unload(safe_merge=True).eval()
