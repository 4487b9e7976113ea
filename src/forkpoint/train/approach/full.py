"""Full fine-tuning: every parameter."""

from pathlib import Path
from typing import Any, Literal

from forkpoint.facts.checkpoint_facts import ShapeFacts
from forkpoint.models.token_rows import start_rows
from forkpoint.models.weights import Dtype, load_model
from forkpoint.train.job import ApproachSettings, TrainJob
from forkpoint.train.rate import Rate, starting_rate

NAME = "full"
METHOD: Literal["lora", "qlora", "full"] = "full"
NEEDS: tuple[Literal["preferences", "corpus", "twin"], ...] = ()


def default_rate(hidden_size: int, family: str | None = None) -> Rate:
    """The centre of the rates to try."""
    return starting_rate(hidden_size, family, lora=False)


def trainable_parameters(shape: ShapeFacts, settings: ApproachSettings) -> int | None:
    """All of them."""
    return shape.parameters


def prepare(model: Any, settings: ApproachSettings) -> Any:
    """The model with every parameter trainable."""
    if settings.token_starts:
        start_rows(model, settings.token_ids, settings.token_starts)
    return model.requires_grad_(True)


def load(job: TrainJob) -> Any:
    """Always in float32: a small update is lost in a bfloat16 weight."""
    return load_model(job.checkpoint, dtype="float32", device=job.device)


def save(model: Any, job: TrainJob) -> None:
    """Write the whole model in the type that the job computes in."""
    import torch

    model.to(getattr(torch, job.dtype)).save_pretrained(job.folder, safe_serialization=True)


def load_for_answers(
    checkpoint: str, folder: str | Path, dtype: Dtype = "float32", device: str = "cpu"
) -> Any:
    """The tuned model; the checkpoint it came from is not needed."""
    return load_model(folder, dtype=dtype, device=device)
