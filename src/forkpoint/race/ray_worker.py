"""What runs on a node of a cluster: a look at it, and one piece of work at a time.

The work itself runs in a child of the worker, by the same executor and the same code as on one
machine: a child that runs out of memory is an outcome, a worker that dies is a lost piece of work.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from forkpoint.errors import BadInput
from forkpoint.race.executor import WORKER, LocalExecutor, Observer
from forkpoint.race.noted import library_versions
from forkpoint.race.storage import Sender, Storage, own_mirror
from forkpoint.race.work import WORK, Work

Task = Callable[[str, bytes, int], dict[str, Any] | None]  # folder, work, threads

_executors: dict[tuple[str, int], LocalExecutor] = {}  # of this worker process


class _Unwatched:
    """The children's notes are read where the race runs."""

    def started(self, work: Work) -> None:
        """Known there."""

    def progressed(self, work: Work, values: dict[str, Any]) -> None:
        """Known there."""


def look(folder: str, token: str, paths: list[str], address: str | None) -> dict[str, Any]:
    """What this node has: versions, memory, GPUs, and which of the race's files it does not see.

    With the address of a storage, that is all it has to see.
    """
    from forkpoint import __version__
    from forkpoint.facts.machine import read_machine

    if address is None:
        missing = [] if (Path(folder) / token).exists() else [folder]
        missing += [path for path in paths if not Path(path).exists()]
    else:
        missing = [] if token in Storage(address).sizes(token) else [address]
    room = Path(folder) if address is None else Path(tempfile.gettempdir())
    return {
        "machine": read_machine(room).model_dump(),
        "versions": {"forkpoint": __version__, **library_versions()},
        "missing": missing,
    }


def tied(task: Task, folder: str, work_json: bytes, threads: int) -> dict[str, Any] | None:
    """The task in a worker that ends when its node's Ray does, as it would with the machine."""
    from forkpoint.race.child import die_with_parent

    die_with_parent()
    return task(folder, work_json, threads)


def run_stored(
    folder: str, work_json: bytes, threads: int, *, address: str, paths: Sequence[str]
) -> dict[str, Any] | None:
    """One piece of work whose files come from a storage and go back there, and their names."""
    mirror = own_mirror(address, paths)
    moved = mirror.take(work_json)
    work = WORK.validate_json(moved)
    said = run_one(str(mirror.folder), moved, threads, Sender(mirror, work))
    return {**said, "left": mirror.leave(work)} if said else None


def run_one(
    folder: str, work_json: bytes, threads: int, observer: Observer | None = None
) -> dict[str, Any] | None:
    """One piece of work in a child; its values and seconds, None when the race is paused."""
    import ray.util

    name = ray.util.get_node_ip_address()
    os.environ[WORKER] = f"{name} ({os.getpid()})"
    if not Path(folder).is_dir():
        raise BadInput("cluster.folder_missing", node=name, folder=folder)
    # a child would import the file that started this worker, and the whole cluster library with it
    sys.modules["__main__"].__dict__.pop("__file__", None)
    executor = _executors.get((folder, threads))
    if executor is None:
        executor = _executors[folder, threads] = LocalExecutor(Path(folder), 1, threads)
    for outcome in executor.run([WORK.validate_json(work_json)], observer or _Unwatched()):
        return {"values": outcome.values, "seconds": outcome.seconds}
    return None
