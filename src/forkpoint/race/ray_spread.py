"""One piece of work on several workers of a cluster at once, by Ray Train.

Every worker runs the same work on its own GPU; the trainings in it that are to be spread are one
training, of which each worker holds a part (`train/spread.py`). The first worker's values count.
"""

import contextlib
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forkpoint.errors import BadInput
from forkpoint.race.child import Report, die_with_parent, reporter, work_values
from forkpoint.race.executor import WORKER, note_path
from forkpoint.race.room import Need
from forkpoint.race.storage import Mirror, Sender, Storage, own_mirror
from forkpoint.race.work import WORK, Work

START_SECONDS = 600  # until all workers have begun: a first one imports libraries
WAIT_SECONDS = 3600  # that a worker waits for another: the first may load from a slow disk
OF_THE_GROUP = ("RANK", "LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")
ENVIRONMENT = {  # of the process that holds the workers together
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": str(START_SECONDS),
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # a lost worker is counted by the race
    "TRAIN_ENABLE_SHARE_CUDA_VISIBLE_DEVICES": "0",  # a worker sees its own GPU only
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
}


class _Failed(Exception):
    """A worker's work failed: it tells the others by ending."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.values = values


def run_spread(
    folder: str,
    work_json: bytes,
    threads: int,
    *,
    need: Need,
    address: str | None = None,
    paths: Sequence[str] = (),
) -> dict[str, Any]:
    """The work's values and seconds, or that it was lost with one of its workers.

    `address` and `paths`: the storage that its files come from, and of checkpoints.
    """
    from ray.train import RunConfig, ScalingConfig, WorkerGroupError
    from ray.train.torch import TorchConfig, TorchTrainer

    began = time.monotonic()
    name = note_path(Path(folder), WORK.validate_json(work_json), "spread").name.split(".")[0]
    trainer = TorchTrainer(
        _each,
        train_loop_config={
            "folder": folder,
            "work": work_json,
            "threads": threads,
            "address": address,
            "paths": tuple(paths),
        },
        torch_config=TorchConfig(timeout_s=WAIT_SECONDS),  # NCCL with GPUs, else gloo
        scaling_config=ScalingConfig(
            num_workers=need.pieces,
            use_gpu=need.gpus > 0,
            resources_per_worker={
                "CPU": need.cpus,
                **({"memory": float(need.memory_bytes)} if need.memory_bytes else {}),
            },
            placement_strategy="PACK",
        ),
        run_config=RunConfig(name=name, storage_path=f"{address or folder}/.work/ray"),
    )
    try:
        values: dict[str, Any] = trainer.fit().return_value
    except WorkerGroupError as error:
        causes = [getattr(one, "_base_exc", one) for one in error.worker_failures.values()]
        failed = [one.values for one in causes if isinstance(one, _Failed)]
        if len(failed) < len(causes) or not failed:
            return {"lost": True}
        failed.sort(key=lambda one: one["failed"]["retry"] != "smaller")  # the others only wait
        values = failed[0]
    finally:
        _tidy(address or folder, name)
    left = values.pop("left", [])
    return {"values": values, "seconds": time.monotonic() - began, "left": left}


def _tidy(place: str, name: str) -> None:
    """Remove what Ray Train notes of a run: nothing of it is read again."""
    with contextlib.suppress(OSError, BadInput):
        Storage(place).remove(f".work/ray/{name}")


def _each(config: dict[str, Any]) -> dict[str, Any]:
    """What one of the workers does."""
    import ray.util
    import torch

    die_with_parent()
    for name in OF_THE_GROUP:  # the group is made; the trainer is to see one process
        os.environ.pop(name, None)
    folder, work_json = Path(config["folder"]), config["work"]
    mirror = own_mirror(config["address"], config["paths"]) if config["address"] else None
    if mirror:
        folder, work_json = mirror.folder, mirror.take(work_json)
    work = WORK.validate_json(work_json)
    first = torch.distributed.get_rank() == 0
    names = [""] * torch.distributed.get_world_size()
    own = f"{ray.util.get_node_ip_address()} ({os.getpid()})"
    torch.distributed.all_gather_object(names, own)
    os.environ[WORKER] = " + ".join(names)
    values = work_values(folder, work_json, _report(folder, work, first, mirror), config["threads"])
    if "failed" in values:
        raise _Failed(values)
    if mirror and first:
        values["left"] = mirror.leave(work)
    elif mirror:
        mirror.clear(work)
    return values if first else {}


def _report(folder: Path, work: Work, first: bool, mirror: Mirror | None) -> Report:
    """Where a worker says how far it is: the first one in a note."""
    if not first:
        return _unheard
    (folder / ".work").mkdir(exist_ok=True)
    note = reporter(note_path(folder, work, "progress"))
    if mirror is None:
        return note
    sender = Sender(mirror, work)

    def report(values: dict[str, Any]) -> None:
        note(values)
        sender.progressed(work, values)

    return report


def _unheard(values: dict[str, Any]) -> None:
    """Only the first worker says how far it is."""
