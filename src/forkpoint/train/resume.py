"""What a training that is cut off goes on from: trained weights and the optimizer's states.

They are written now and then beside the result, as safetensors and JSON, and gone once the training
has ended. A schedule is a function of the step and rows are in the job, so that a training that
goes on takes the steps that it would have taken.
"""

import hashlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forkpoint.ledger import write_whole
from forkpoint.record import Record
from forkpoint.train.job import TrainJob
from forkpoint.train.spread import ranks, summed, whole

FOLDER = "resume"  # in the job's folder
NOTE = "resume.json"  # written last: without it there is nothing to go on from
MOST_SHARE = 0.05  # of the time that goes into keeping: large states are kept less often [ruled]
STATES = ("exp_avg", "exp_avg_sq", "step")  # of AdamW, for every trained parameter


class Passed(Record):
    """What one stage counted so far; lists are by optimizer step."""

    losses: tuple[float, ...]
    gradient_norms: tuple[float, ...]
    tokens_seen: int
    tokens_trained: int
    margins: tuple[float, ...] = ()


class Kept(Record):
    """How far a training was when it was last kept."""

    job: str  # digest of what is trained
    file: str
    stages: tuple[Passed, ...]  # the last is the one under way
    seconds: float  # of training until then


class Keeper:
    """Keeps one stage of a training while it runs."""

    def __init__(self, job: TrainJob, past: tuple[Passed, ...], seconds: float) -> None:
        self.job = job
        self.past = past  # the stages before
        self.before = seconds  # of training before this process took it up
        self.began = self.last = time.monotonic()
        self.pause = job.keep_seconds or 0.0

    def keep_if_due(self, stage: Any) -> None:
        """After an optimizer step; the first process's clock decides for all."""
        if self.job.keep_seconds is None:
            return
        rank, world = ranks(self.job)
        first = rank == 0
        due = first and time.monotonic() - self.last >= self.pause
        if world > 1:
            import torch

            asked = torch.tensor(float(due), device=self.job.device)
            due = float(summed(asked, self.job)) > 0
        if not due:
            return
        started = time.monotonic()
        state = _state(stage, first)
        if first:
            self._write(state, stage)
        self.last = time.monotonic()
        self.pause = max(self.job.keep_seconds, (self.last - started) / MOST_SHARE)

    def _write(self, state: dict[str, Any], stage: Any) -> None:
        from safetensors.torch import save_file

        folder = Path(self.job.folder) / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        file = f"{len(self.past)}-{len(stage.losses)}.safetensors"
        save_file(state, folder / f"{file}.part")
        (folder / f"{file}.part").replace(folder / file)
        kept = Kept(
            job=digest(self.job),
            file=file,
            stages=(*self.past, passed(stage)),
            seconds=self.before + time.monotonic() - self.began,
        )
        write_whole(folder / NOTE, kept.to_json().encode())
        for old in folder.glob("*.safetensors*"):
            if old.name != file:
                old.unlink()


def passed(stage: Any) -> Passed:
    """What a stage has counted."""
    return Passed(
        losses=tuple(stage.losses),
        gradient_norms=tuple(stage.gradient_norms),
        tokens_seen=stage.tokens_seen,
        tokens_trained=stage.tokens_trained,
        margins=tuple(stage.margins),
    )


def digest(job: TrainJob) -> str:
    """Of everything that decides a training's steps; where its files lie is no part of it."""
    places = {"folder": "", "checkpoint": "", "twin": None, "keep_seconds": None}
    return hashlib.sha256(job.model_copy(update=places).to_json().encode()).hexdigest()


def read_kept(job: TrainJob) -> Kept | None:
    """What this very training may go on from; None when it has to begin."""
    if job.keep_seconds is None:
        return None
    folder = Path(job.folder) / FOLDER
    try:
        kept = Kept.from_json((folder / NOTE).read_bytes())
    except (OSError, ValueError):  # none, or of another version
        return None
    return kept if kept.job == digest(job) and (folder / kept.file).exists() else None


def forget(job: TrainJob) -> None:
    """The training has ended: nothing is left to go on from."""
    if ranks(job)[0] == 0:
        shutil.rmtree(Path(job.folder) / FOLDER, ignore_errors=True)


def put_back(model: Any, optimizer: Any, job: TrainJob, kept: Kept) -> None:
    """Weights, states and random numbers as they were kept; each process takes its part."""
    import torch
    from safetensors.torch import load_file

    state = load_file(Path(job.folder) / FOLDER / kept.file)
    torch.set_rng_state(state["random"])
    with torch.no_grad():
        for name, weight in _trained(model):
            weight.copy_(_part(state[f"weight.{name}"], weight))
            optimizer.state[weight] = {
                key: state[f"{key}.{name}"]
                if key == "step"
                else _part(state[f"{key}.{name}"], weight)
                for key in STATES
            }


def _state(stage: Any, first: bool) -> dict[str, Any]:
    """All tensors to keep, whole, on the first process; the others take part in gathering."""
    import torch

    optimizer = getattr(stage.optimizer, "optimizer", stage.optimizer)
    state: dict[str, Any] = {"random": torch.get_rng_state()}
    for name, weight in _trained(stage.model):
        pieces = {
            "weight": weight.detach(),
            **{key: optimizer.state[weight][key] for key in STATES},
        }
        for key, piece in pieces.items():
            gathered = whole(piece)
            if first:
                state[f"{key}.{name}"] = gathered.to("cpu", copy=True).contiguous()
    return state


def _trained(model: Any) -> Iterator[tuple[str, Any]]:
    return ((name, weight) for name, weight in model.named_parameters() if weight.requires_grad)


def _part(kept: Any, weight: Any) -> Any:
    """A whole tensor as this process holds the weight."""
    moved = kept.to(device=weight.device, dtype=weight.dtype)
    if not hasattr(weight, "full_tensor"):
        return moved
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(moved, weight.device_mesh, weight.placements)
