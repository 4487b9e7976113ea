"""LoRA on weights held in four bits (bitsandbytes NF4, scales quantised again)."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import ShapeFacts
from forkpoint.models.weights import Dtype, load_model
from forkpoint.train.approach import lora
from forkpoint.train.job import ApproachSettings, TrainJob
from forkpoint.train.rate import Rate

NAME = "qlora"
METHOD: Literal["lora", "qlora", "full"] = "qlora"
NEEDS: tuple[Literal["preferences", "corpus", "twin"], ...] = ()


def default_rate(hidden_size: int, family: str | None = None) -> Rate:
    """The same as without quantisation: the adapters are the same."""
    return lora.default_rate(hidden_size, family)


def trainable_parameters(shape: ShapeFacts, settings: ApproachSettings) -> int | None:
    """The adapters alone."""
    return lora.trainable_parameters(shape, settings)


def check() -> None:
    """Raises BadInput where bitsandbytes is not installed."""
    if find_spec("bitsandbytes") is None:
        raise BadInput("train.no_bitsandbytes")


def load(job: TrainJob) -> Any:
    """The weights in four bits; raises BadInput where bitsandbytes is not installed."""
    check()
    import torch
    from transformers import BitsAndBytesConfig

    quantisation = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, job.dtype),
    )
    return load_model(job.checkpoint, dtype=job.dtype, device=job.device, quantisation=quantisation)


def prepare(model: Any, settings: ApproachSettings) -> Any:
    """Adapters in float32 on the frozen four-bit layers."""
    return lora.prepare(model, settings)


def save(model: Any, job: TrainJob) -> None:
    """Write the adapter."""
    lora.save(model, job)


def load_for_answers(
    checkpoint: str, folder: str | Path, dtype: Dtype = "float32", device: str = "cpu"
) -> Any:
    """The checkpoint in full precision with the adapter merged: merging into four bits rounds."""
    return lora.load_for_answers(checkpoint, folder, dtype, device)
