"""Kinds of fine-tuning: one file each behind one small interface; no file imports torch itself."""

from pathlib import Path
from typing import Any, Protocol

from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import ShapeFacts
from forkpoint.models.weights import Dtype
from forkpoint.train.approach import full, lora
from forkpoint.train.job import ApproachSettings
from forkpoint.train.rate import Rate


class Approach(Protocol):
    """One way to fine-tune a checkpoint."""

    NAME: str

    def default_rate(self, hidden_size: int, family: str | None = None) -> Rate:
        """The centre of the rates to try, with its reason."""
        ...

    def trainable_parameters(self, shape: ShapeFacts, settings: ApproachSettings) -> int | None:
        """How many parameters would be trained, from the shape alone; None when unknown."""
        ...

    def prepare(self, model: Any, settings: ApproachSettings) -> Any:
        """The model to train, made from a loaded one."""
        ...

    def load_dtype(self, dtype: Dtype) -> Dtype:
        """The type in which the weights are loaded for training with arithmetic in `dtype`."""
        ...

    def save(self, model: Any, folder: Path) -> None:
        """Write what was trained, as safetensors."""
        ...

    def load_for_answers(
        self, checkpoint: str, folder: str | Path, dtype: Dtype = "float32", device: str = "cpu"
    ) -> Any:
        """The tuned model, in evaluation mode."""
        ...


_APPROACHES: dict[str, Approach] = {module.NAME: module for module in (lora, full)}


def approach(name: str) -> Approach:
    """The approach of this name; raises BadInput."""
    try:
        return _APPROACHES[name]
    except KeyError:
        known = ", ".join(sorted(_APPROACHES))
        raise BadInput("train.unknown_approach", name=name, known=known) from None
