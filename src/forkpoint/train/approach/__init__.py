"""Kinds of fine-tuning: one file each behind one small interface; no file imports torch itself.

A file in this folder with a `NAME` is an approach, and so is what it lists as `BOTH`; another
package adds one as an entry point of the group `forkpoint.approaches` that names its module. It
may say in a `TITLE` what it is called in reports, by language, and in a `check()` that raises
BadInput what this machine lacks for it.
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Literal, Protocol

from forkpoint.errors import BadInput
from forkpoint.extensions import extensions
from forkpoint.facts.checkpoint_facts import ShapeFacts
from forkpoint.models.weights import Dtype
from forkpoint.train.job import ApproachSettings, TrainJob
from forkpoint.train.rate import Rate

GROUP = "forkpoint.approaches"  # of entry points
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


@cache
def approaches() -> dict[str, Approach]:
    """Name -> approach, our own first."""
    found: dict[str, Approach] = {}
    for file in iter_modules(__path__):
        found.update(_in_module(import_module(f"{__name__}.{file.name}")))
    for module in extensions(GROUP):
        for name, one in _in_module(module):
            found.setdefault(name, one)
    return found


def _in_module(module: Any) -> Iterator[tuple[str, Approach]]:
    if hasattr(module, "NAME"):
        yield module.NAME, module
    for one in getattr(module, "BOTH", ()):
        yield one.NAME, one


def approach(name: str) -> Approach:
    """The approach of this name; raises BadInput."""
    try:
        return approaches()[name]
    except KeyError:
        known = ", ".join(sorted(approaches()))
        raise BadInput("train.unknown_approach", name=name, known=known) from None
