"""Runs pieces of work on the nodes of a Ray cluster, as many at a time as there is room for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from forkpoint.errors import BadInput, DoesNotFit, ForkpointError
from forkpoint.race.executor import (
    PAUSE,
    More,
    Observer,
    Outcome,
    note_path,
    nothing_more,
    read_json,
)
from forkpoint.race.ray_cluster import Cluster, first_line, node_of
from forkpoint.race.ray_spread import ENVIRONMENT, run_spread
from forkpoint.race.ray_worker import Task, run_one, run_stored, tied
from forkpoint.race.room import Needs, Node, Room
from forkpoint.race.storage import Home
from forkpoint.race.work import WORK, Work

POLL_SECONDS = 0.3  # how often outcomes and progress are looked at
MOST_LOST = 3  # workers or nodes that may die under one piece of work before it counts as failed


class RayExecutor:
    """Work on a cluster: a worker that dies loses its piece of work, which begins anew elsewhere.

    A piece of work is given out once it fits beside the others; Ray chooses the node. The run
    folder is on a path that all nodes share, or its files come and go by a storage.
    """

    def __init__(
        self,
        folder: Path,
        cluster: Cluster,
        nodes: Sequence[Node],
        needs: Needs,
        threads: int,
        most: int | None = None,
        task: Task = run_one,
        home: Home | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.cluster = cluster
        self.needs = needs
        self.threads = threads
        self.task = task
        self.home = home  # where nodes share no file system
        self.most = most  # trials side by side, where the user said so
        self.workers = max(1, Room(nodes).slots(needs.largest))
        self._gpu_bytes = {node.node_id: node.gpu_bytes for node in nodes}
        self._room = Room(nodes)
        self._running: dict[Any, Work] = {}
        self._lost: dict[str, int] = {}

    def run(
        self, works: Sequence[Work], observer: Observer, more: More = nothing_more
    ) -> Iterator[Outcome]:
        """Outcomes in the order of arrival; every piece of work that was begun gets exactly one.

        While there is a file `pause` in the run folder nothing more is begun.
        """
        import ray

        waiting = list(works)
        pause = self.folder / PAUSE
        try:
            while (waiting and not pause.exists()) or self._running:
                self._look_again()
                while waiting and not pause.exists() and self._fits(waiting[0]):
                    work = waiting.pop(0)
                    if work.key not in self._lost:
                        observer.started(work)
                    self._start(work)
                if not self._running:
                    continue
                done, _ = ray.wait(list(self._running), num_returns=1, timeout=POLL_SECONDS)
                self._tell_progress(observer)
                for reference in done:
                    work = self._running.pop(reference)
                    self._room.give_back(work.key)
                    outcome = self._outcome(work, reference)
                    if outcome is None:
                        waiting.insert(0, work)
                        continue
                    self._lost.pop(work.key, None)
                    yield outcome
                    if self.home:
                        self.home.tidy()
                    waiting.extend(more())
        finally:
            self.close()

    def close(self) -> None:
        """End what still runs; the ledger is whole."""
        import ray

        for reference in self._running:
            ray.cancel(reference, force=True)
        self._running.clear()

    def _look_again(self) -> None:
        """Nodes come and go while a race runs."""
        said = self.cluster.alive()
        if set(said) == {node.node_id for node in self._room.nodes}:
            return
        nodes = []
        for node_id, node in said.items():
            size = self._gpu_bytes.get(node_id, 0)
            gpus = node["Resources"].get("GPU", 0.0) if size else 0.0
            nodes.append(node_of(node, None).model_copy(update={"gpus": gpus, "gpu_bytes": size}))
        self._room.keep(nodes)

    def _fits(self, work: Work) -> bool:
        """Whether the work may begin now. Raises DoesNotFit when nodes that had room are gone."""
        need = self.needs(work)
        if self.most and len(self._running) >= self.most:
            return False
        if self._room.take(work.key, need):
            return True
        if not self._running and not self._room.slots(need):
            raise DoesNotFit("cluster.nodes_gone", nodes=len(self._room.nodes), folder=self.folder)
        return False

    def _start(self, work: Work) -> None:
        import ray

        for kind in ("outcome", "progress"):
            note_path(self.folder, work, kind).unlink(missing_ok=True)
        need = self.needs(work)
        task, options = self.task, {
            "max_retries": 0,  # a lost piece of work is counted here
            "name": hashlib.sha256(work.key.encode()).hexdigest()[:16],
        }  # fmt: skip
        stored: dict[str, Any] = {}
        if self.home:
            self.home.provide()
            stored = {"address": self.home.storage.address, "paths": self.home.paths}
            task = partial(run_stored, **stored)
        if need.pieces > 1:  # the task only holds its workers together
            task = partial(run_spread, need=need, **stored)
            options |= {"num_cpus": 0, "runtime_env": {"env_vars": ENVIRONMENT}}
        else:
            options |= {"num_cpus": need.cpus, "memory": need.memory_bytes or None}
            options |= {"num_gpus": need.gpus} if need.gpus else {}
        reference = (
            ray.remote(tied)
            .options(**options)
            .remote(task, str(self.folder), WORK.dump_json(work), self.threads)
        )
        self._running[reference] = work

    def _tell_progress(self, observer: Observer) -> None:
        if self.home:
            self.home.fetch_notes()
        for work in self._running.values():
            if progress := read_json(note_path(self.folder, work, "progress")):
                observer.progressed(work, progress)

    def _outcome(self, work: Work, reference: Any) -> Outcome | None:
        """What came of a piece of work; None when it has to begin anew."""
        import ray

        try:
            said = ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, ForkpointError):
                raise cause from None
            raise BadInput("cluster.node_cannot", node="-", error=first_line(error)) from None
        except ray.exceptions.OutOfMemoryError:
            failed = {"key": "race.out_of_memory", "values": {}, "retry": "smaller"}
            return Outcome(work, {"failed": failed}, 0.0)
        except (
            ray.exceptions.WorkerCrashedError,
            ray.exceptions.NodeDiedError,
            ray.exceptions.LocalRayletDiedError,
            ray.exceptions.ObjectLostError,
        ):
            return self._when_lost(work)
        if said and said.get("lost"):
            return self._when_lost(work)
        if said and self.home:
            self.home.receive(said["left"])
        return Outcome(work, said["values"], said["seconds"]) if said else None

    def _when_lost(self, work: Work) -> Outcome | None:
        """None as long as the work may begin anew."""
        lost = self._lost[work.key] = self._lost.get(work.key, 0) + 1
        if lost <= MOST_LOST:
            return None
        failed = {"key": "cluster.lost", "values": {"times": lost}, "retry": None}
        return Outcome(work, {"failed": failed}, 0.0)
