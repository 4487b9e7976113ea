"""A race on a Ray cluster: what its nodes have, and how many trials they take side by side."""

from pathlib import Path

from forkpoint.errors import BadInput
from forkpoint.facts.machine import MachineFacts
from forkpoint.ledger import EnginePlan, NodePlan, Settings
from forkpoint.race.executor import Executor
from forkpoint.race.ground import Plans
from forkpoint.race.ray_cluster import Cluster, Seen
from forkpoint.race.ray_executor import RayExecutor
from forkpoint.race.room import Needs, Node, Room, check_room, race_needs, threads_on
from forkpoint.race.storage import Home, Storage, bring_weights, send_checkpoint

AHEAD = 3  # asks under way for each worker: fewer wait for the slowest [docs/studies/scale.md]


class RayGround:
    """The nodes of a cluster, looked at once before a race."""

    def __init__(
        self, address: str | None, workers: int | None, storage: str | None = None
    ) -> None:
        self.storage = Storage(storage) if storage else None
        self.cluster = Cluster(address, workers)
        self.most = workers
        self.plan = EnginePlan(kind="ray", address=address, storage=storage)
        self._seen: list[Seen] = []
        self._paths: list[str] = []  # of checkpoints

    def machine(self, folder: Path) -> MachineFacts:
        """The node with most room for one trial; its free memory is what Ray gives out there.

        Of GPUs it names those of the node with the smallest: a trial may run on any.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._look(folder)
        best = max(self._seen, key=lambda seen: (seen.node.gpu_bytes, seen.node.memory_bytes))
        free = min(best.machine.available_bytes, best.node.memory_bytes)
        with_gpu = [seen for seen in self._seen if seen.node.gpus]
        least = min(with_gpu, key=lambda seen: seen.node.gpu_bytes, default=None)
        gpus = tuple(sorted(least.machine.gpus, key=lambda gpu: gpu.free_bytes)) if least else ()
        return best.machine.model_copy(update={"available_bytes": free, "gpus": gpus})

    @property
    def most_gpus(self) -> int:
        """All of the cluster's."""
        return max(1, int(sum(seen.node.gpus for seen in self._seen)))

    def shared(self, settings: Settings, plans: Plans, fitting: int) -> Settings:
        """As many trials as the nodes hold by the largest of them, at most as many as asked for."""
        needs = race_needs(plans, settings, self._nodes(settings))
        check_room(needs, self._nodes(settings))
        slots = Room(self._nodes(settings)).slots(needs.largest)
        workers = max(1, min(slots, self.most or slots))
        self.plan = self._described(needs, settings, workers)
        return settings.model_copy(update={"workers": workers})

    def executor(self, folder: Path, settings: Settings, plans: Plans) -> Executor:
        """Workers on the nodes."""
        nodes = self._nodes(settings)
        needs = race_needs(plans, settings, nodes)
        check_room(needs, nodes)
        threads = threads_on(nodes, settings)
        home = Home(self.storage, folder, self._paths) if self.storage else None
        return RayExecutor(folder, self.cluster, nodes, needs, threads, self.most, home=home)

    def check(self, folder: Path, paths: list[str]) -> None:
        """Every node sees the run folder and the checkpoints, with the same versions as here.

        With a storage the checkpoints are sent there.
        """
        self._look(folder, paths)
        self._paths = paths
        if self.storage:
            for path in paths:
                send_checkpoint(self.storage, path)

    def bring_home(self, folder: Path) -> None:
        """Fetch the weights that the race has kept."""
        if self.storage:
            bring_weights(self.storage, folder)

    def close(self) -> None:
        """Leave the cluster."""
        self.cluster.close()

    def _look(self, folder: Path, paths: list[str] | None = None) -> None:
        self._seen = self.cluster.look(folder.absolute(), paths or (), self.storage)
        if not self._seen:
            raise BadInput("cluster.no_nodes", address=self.cluster.address or "-")

    def _nodes(self, settings: Settings) -> list[Node]:
        """Nodes that can run trials: those with a GPU where the race uses GPUs."""
        nodes = [seen.node for seen in self._seen if seen.node.cpus]
        return [node for node in nodes if node.gpus] if settings.device != "cpu" else nodes

    def _described(self, needs: Needs, settings: Settings, workers: int) -> EnginePlan:
        return EnginePlan(
            kind="ray",
            parallel=AHEAD * workers,
            address=self.cluster.address,
            storage=self.storage.address if self.storage else None,
            nodes=tuple(
                NodePlan(
                    name=node.name,
                    cpus=node.cpus,
                    memory_bytes=node.memory_bytes,
                    gpus=node.gpus,
                )
                for node in self._nodes(settings)
            ),
            cpus={arm: need.cpus for arm, need in needs.by_arm.items()},
            gpus={arm: need.gpus * need.pieces for arm, need in needs.by_arm.items()},
        )
