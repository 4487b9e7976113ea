"""Kinds of fine-tuning: one file each behind one small interface; no file imports torch itself."""

from pathlib import Path
from typing import Any, Literal, Protocol

from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import ShapeFacts
from forkpoint.models.weights import Dtype
from forkpoint.train.approach import cpt, delta, dpo, full, lora, qlora
from forkpoint.train.job import ApproachSettings, TrainJob
from forkpoint.train.rate import Rate

Need = Literal["preferences", "corpus", "twin"]  # beside rows with answers
Method = Literal["lora", "qlora", "full"]  # how weights are held and changed, whatever the stages


class Approach(Protocol):
    """One way to fine-tune a checkpoint."""

    NAME: str
    METHOD: Method
    NEEDS: tuple[Need, ...]

    def default_rate(self, hidden_size: int, family: str | None = None) -> Rate:
        """The centre of the rates to try, with its reason."""
        ...

    def trainable_parameters(self, shape: ShapeFacts, settings: ApproachSettings) -> int | None:
        """How many parameters would be trained, from the shape alone; None when unknown."""
        ...

    def load(self, job: TrainJob) -> Any:
        """The weights that are trained, as they were; raises BadInput, Unreadable."""
        ...

    def prepare(self, model: Any, settings: ApproachSettings) -> Any:
        """The model to train, made from a loaded one."""
        ...

    def save(self, model: Any, job: TrainJob) -> None:
        """Write what was trained into the job's folder, as safetensors."""
        ...

    def load_for_answers(
        self, checkpoint: str, folder: str | Path, dtype: Dtype = "float32", device: str = "cpu"
    ) -> Any:
        """The tuned model, in evaluation mode."""
        ...


_APPROACHES: dict[str, Approach] = {
    one.NAME: one for one in (lora, full, qlora, *dpo.BOTH, *cpt.BOTH, *delta.BOTH)
}


def approach(name: str) -> Approach:
    """The approach of this name; raises BadInput."""
    try:
        return _APPROACHES[name]
    except KeyError:
        known = ", ".join(sorted(_APPROACHES))
        raise BadInput("train.unknown_approach", name=name, known=known) from None
