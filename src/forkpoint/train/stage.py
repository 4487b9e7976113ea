"""One stage of a training as the job sees it: a trainer of its own on the model so far."""

from collections.abc import Callable
from typing import Any, Protocol

from forkpoint.train.job import OnProgress, TrainJob
from forkpoint.train.resume import Keeper, Kept


class Stage(Protocol):
    """A trainer and what it counted; lists are by optimizer step."""

    model: Any
    accelerator: Any
    optimizer: Any
    lr_scheduler: Any
    losses: list[float]
    gradient_norms: list[float]
    margins: list[float]
    tokens_seen: int
    tokens_trained: int
    started: float

    def take_up(self, kept: Kept) -> None:
        """Go on from where it was kept, before `train`."""
        ...

    def keep_with(self, keeper: Keeper) -> None:
        """Be kept now and then during `train`."""
        ...

    def train(self) -> Any:
        """Take all its steps; raises Diverged."""
        ...


StartStage = Callable[[TrainJob, Any, Any, OnProgress | None], Stage]
