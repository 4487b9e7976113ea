"""What an approach is that puts a stage before or after LoRA or full fine-tuning."""

from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from forkpoint.facts.checkpoint_facts import ShapeFacts
from forkpoint.models.weights import Dtype
from forkpoint.train.job import ApproachSettings, TrainJob
from forkpoint.train.rate import Rate


class Staged:
    """An approach that trains as `by` does, in more stages or on other weights."""

    def __init__(self, name: str, by: ModuleType, *needs: Literal["preferences", "corpus", "twin"]):
        self.NAME = name
        self.NEEDS = needs
        self.METHOD: Literal["lora", "qlora", "full"] = by.METHOD
        self._by = by

    def default_rate(self, hidden_size: int, family: str | None = None) -> Rate:
        """The centre of the rates to try, with its reason."""
        found: Rate = self._by.default_rate(hidden_size, family)
        return found

    def trainable_parameters(self, shape: ShapeFacts, settings: ApproachSettings) -> int | None:
        """As many as without the further stage."""
        found: int | None = self._by.trainable_parameters(shape, settings)
        return found

    def load(self, job: TrainJob) -> Any:
        """The weights that are trained."""
        return self._by.load(job)

    def prepare(self, model: Any, settings: ApproachSettings) -> Any:
        """The model to train, made from a loaded one."""
        return self._by.prepare(model, settings)

    def save(self, model: Any, job: TrainJob) -> None:
        """Write what was trained into the job's folder."""
        self._by.save(model, job)

    def load_for_answers(
        self, checkpoint: str, folder: str | Path, dtype: Dtype = "float32", device: str = "cpu"
    ) -> Any:
        """The tuned model, in evaluation mode."""
        return self._by.load_for_answers(checkpoint, folder, dtype, device)
