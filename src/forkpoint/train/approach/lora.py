"""LoRA through PEFT, on every linear layer or on attention only, with chosen token rows beside."""

import re
from pathlib import Path
from typing import Any, Literal

from forkpoint.facts.checkpoint_facts import ShapeFacts
from forkpoint.models.token_rows import matrix_names, start_rows
from forkpoint.models.weights import Dtype, load_model
from forkpoint.train.job import ApproachSettings, TrainJob
from forkpoint.train.rate import Rate, starting_rate

NAME = "lora"
METHOD: Literal["lora", "qlora", "full"] = "lora"
NEEDS: tuple[Literal["preferences", "corpus", "twin"], ...] = ()
ATTENTION = re.compile(r"attn|attention", re.IGNORECASE)  # in the names of attention's modules


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
    widths = 2 * (hidden + queries) + 2 * (hidden + keys)
    if settings.targets == "all-linear":
        widths += 3 * (hidden + between)
    matrices = 2 if shape.tied_embeddings is False else 1
    return layers * settings.rank * widths + len(settings.token_ids) * hidden * matrices


def prepare(model: Any, settings: ApproachSettings) -> Any:
    """The model with adapters on the linear layers asked for, and chosen token rows to train.

    Where input and output matrix are not tied both get the rows: PEFT's plain list of ids would
    leave the output row, which decides whether a token is ever written, as it was.
    """
    from peft import LoraConfig, get_peft_model

    rows = None
    if settings.token_ids:
        if settings.token_starts:
            start_rows(model, settings.token_ids, settings.token_starts)
        rows = {name: list(settings.token_ids) for name in matrix_names(model)}
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=0.0,
        target_modules=_attention_layers(model)
        if settings.targets == "attention"
        else "all-linear",
        trainable_token_indices=rows,
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def _attention_layers(model: Any) -> list[str]:
    return [
        name
        for name, module in model.named_modules()
        if hasattr(module, "in_features") and ATTENTION.search(name)
    ]


def load(job: TrainJob) -> Any:
    """Frozen weights may be rounded; the adapters stay in float32."""
    return load_model(job.checkpoint, dtype=job.dtype, device=job.device)


def save(model: Any, job: TrainJob) -> None:
    """Write the adapter, and beside it where its answers end."""
    model.save_pretrained(
        job.folder, safe_serialization=True, selected_adapters=[model.active_adapter]
    )
    model.generation_config.save_pretrained(job.folder)


def load_for_answers(
    checkpoint: str, folder: str | Path, dtype: Dtype = "float32", device: str = "cpu"
) -> Any:
    """The checkpoint with the adapter merged into it, which answers faster."""
    from peft import PeftModel

    model = PeftModel.from_pretrained(
        load_model(checkpoint, dtype=dtype, device=device), str(folder), local_files_only=True
    )
    return model.merge_and_unload(safe_merge=True).eval()
