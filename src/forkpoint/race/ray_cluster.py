"""A Ray cluster as a race sees it: joined at an address or begun here, looked at, left again.

Only this file, `ray_executor` and `ray_worker` import Ray, and late.
Usage statistics and the dashboard stay off; a cluster of our own binds to the loopback address and
asks for a token (docs/guide/cluster.md).
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from forkpoint.errors import BadInput
from forkpoint.facts.machine import MachineFacts
from forkpoint.race.noted import library_versions
from forkpoint.race.room import Node
from forkpoint.race.storage import Storage

KNOCK_SECONDS = 5.0  # until an address that does not answer is given up
LOOK_SECONDS = 300.0  # until a node has said what it has; the first worker imports libraries
START_TRIES = 3  # to begin or join a cluster: Ray gives up after 30 s, less than some need
PATIENCE = {  # Ray's own settings for a machine that has much else to do; what is set already stays
    "RAY_agent_register_timeout_ms": "300000",
    "RAY_worker_register_timeout_seconds": "300",
    "RAY_health_check_timeout_ms": "60000",
    "RAY_gcs_server_request_timeout_seconds": "120",
    "RAY_gcs_rpc_server_connect_timeout_s": "60",
}
MISMATCH = "Version mismatch"  # in what Ray says of other versions of itself or Python
STORE_BYTES = 100 << 20  # Ray's shared memory: outcomes are small, weights travel as files


class Seen(NamedTuple):
    """A node with the machine under it."""

    node: Node
    machine: MachineFacts


class Cluster:
    """A connection to a cluster; `close` leaves it, and ends it where it was begun here."""

    def __init__(self, address: str | None, workers: int | None = None) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        self.address = address
        if address is None:  # read when Ray is imported: its own cluster listens on 127.0.0.1
            os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
            for name, value in PATIENCE.items():
                os.environ.setdefault(name, value)
        else:
            _knock(address)
        try:
            import ray
        except ImportError:
            raise BadInput("cluster.no_ray") from None
        self._ray = ray
        how: dict[str, Any] = {"logging_level": "error", "log_to_driver": False}
        if address is None:
            how |= {"address": "local", "include_dashboard": False}  # never one that is found here
            how["object_store_memory"] = STORE_BYTES
            if workers:
                how["num_cpus"] = workers
        else:
            how["address"] = address
        self._join(how)

    def _join(self, how: dict[str, Any]) -> None:
        """Join the cluster, or begin it; raises BadInput."""
        before = _children()
        for left in reversed(range(START_TRIES)):
            try:
                self._ray.init(**how)
                return
            except self._ray.exceptions.AuthenticationError:
                raise BadInput("cluster.no_token", address=self.address or "-") from None
            except Exception as error:  # noqa: BLE001 - Ray says so by bare Exceptions too
                self._ray.shutdown()
                for pid in _children() - before:  # half a cluster, which would be in the way
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                if not left or MISMATCH in str(error):
                    raise _not_joined(self.address, error) from None

    def close(self) -> None:
        """Leave the cluster; work of this race that still runs on it is ended by Ray."""
        self._ray.shutdown()

    def alive(self) -> dict[str, Mapping[str, Any]]:
        """Node id -> what Ray says of each node that lives."""
        return {node["NodeID"]: node for node in self._ray.nodes() if node["Alive"]}

    def look(
        self, folder: Path, paths: Sequence[str] = (), storage: Storage | None = None
    ) -> list[Seen]:
        """Every node, after checking that versions agree and that it sees the race's files."""
        from forkpoint.race.ray_worker import look

        token = folder / ".work" / f"seen-{os.getpid()}"
        token.parent.mkdir(parents=True, exist_ok=True)
        token.touch()
        name = token.relative_to(folder).as_posix()
        if storage:
            storage.send(folder, [name])
        address = storage.address if storage else None
        ask = self._ray.remote(look)
        nodes = self.alive()
        try:
            asked = {
                node_id: ask.options(
                    num_cpus=0, max_retries=0, scheduling_strategy=self.on(node_id)
                ).remote(str(folder), name, list(paths), address)
                for node_id in nodes
            }
            return [
                self._seen(nodes[node_id], self._said(nodes[node_id], reference))
                for node_id, reference in asked.items()
            ]
        finally:
            token.unlink(missing_ok=True)
            if storage:
                storage.remove(name)

    def on(self, node_id: str) -> Any:
        """The strategy that puts a piece of work on one node and nowhere else."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return NodeAffinitySchedulingStrategy(node_id, soft=False)

    def _said(self, node: Mapping[str, Any], reference: Any) -> dict[str, Any]:
        name = node["NodeManagerAddress"]
        try:
            said: dict[str, Any] = self._ray.get(reference, timeout=LOOK_SECONDS)
        except self._ray.exceptions.GetTimeoutError:
            raise BadInput("cluster.node_silent", node=name, seconds=round(LOOK_SECONDS)) from None
        except self._ray.exceptions.RayError as error:
            raise BadInput("cluster.node_cannot", node=name, error=first_line(error)) from None
        return said

    def _seen(self, node: Mapping[str, Any], said: dict[str, Any]) -> Seen:
        from forkpoint import __version__

        name = node["NodeManagerAddress"]
        here = {"forkpoint": __version__, **library_versions()}
        for library, version in here.items():
            if (there := said["versions"].get(library, "-")) != version:
                raise BadInput(
                    "cluster.versions_differ",
                    node=name, library=library, there=there, here=version,
                )  # fmt: skip
        if said["missing"]:
            raise BadInput("cluster.files_missing", node=name, file=said["missing"][0])
        machine = MachineFacts.model_validate(said["machine"])
        return Seen(node_of(node, machine), machine)


def node_of(said: Mapping[str, Any], machine: MachineFacts | None) -> Node:
    """A node by what Ray counts there, with the GPU memory that was found on it."""
    has = said["Resources"]
    sizes = [gpu.free_bytes for gpu in machine.gpus] if machine else []
    return Node(
        name=said["NodeManagerAddress"],
        node_id=said["NodeID"],
        cpus=has.get("CPU", 0.0),
        memory_bytes=int(has.get("memory", 0)),
        gpus=has.get("GPU", 0.0) if sizes else 0.0,
        gpu_bytes=min(sizes, default=0),
    )


def _children() -> set[int]:
    """Processes below this one."""
    import psutil

    return {child.pid for child in psutil.Process().children(recursive=True)}


def first_line(error: BaseException) -> str:
    """What an error of another process says, in one line without its traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:200]


def _knock(address: str) -> None:
    """Raises BadInput unless something listens there; `auto` is Ray's to find."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or "://" in address or not port.isdigit():
        raise BadInput("cluster.address_unreadable", address=address)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(socket.create_connection((host, int(port)), KNOCK_SECONDS))
        except (OSError, OverflowError) as error:
            raise BadInput("cluster.nobody_there", address=address, error=str(error)) from None


def _not_joined(address: str | None, error: Exception) -> BadInput:
    if MISMATCH in str(error):
        return BadInput("cluster.ray_versions", address=address or "-", error=first_line(error))
    if address is None:
        return BadInput("cluster.not_started", error=first_line(error))
    return BadInput("cluster.not_joined", address=address or "-", error=first_line(error))
