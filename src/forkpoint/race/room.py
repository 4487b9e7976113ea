"""What a trial asks of a cluster and what its nodes have: arithmetic only."""

from collections.abc import Mapping, Sequence
from math import floor

from forkpoint.errors import DoesNotFit
from forkpoint.estimate.sizes import size_text
from forkpoint.ledger import MemoryPlan, Settings
from forkpoint.race.work import SurveyWork, TrialWork, Work
from forkpoint.record import Record

MOST_ON_A_GPU = 8  # trials that share one: beyond it they wait for each other [ruled]
HOST_BYTES = 2 << 30  # of a node's memory that a trial on a GPU takes beside it [ruled]
FINE = 1e-4  # of a resource: the cluster counts in these steps


class Need(Record):
    """What each worker of one piece of work asks for."""

    cpus: float
    memory_bytes: int
    gpus: float = 0.0  # below 1: shared with others
    pieces: int = 1  # workers, on one node or several


class Node(Record):
    """What one node of a cluster has, and what is on it."""

    name: str  # its address
    node_id: str
    cpus: float
    memory_bytes: int
    gpus: float = 0.0
    gpu_bytes: int = 0  # free on its fullest GPU

    def holds(self, need: Need) -> bool:
        """Whether one worker of it could run here, were nothing else running."""
        return (
            need.cpus <= self.cpus + FINE
            and need.memory_bytes <= self.memory_bytes
            and need.gpus <= self.gpus + FINE
        )


class Room:
    """Which work fits beside what already runs; a node is filled before the next is begun."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes: dict[str, Node] = {node.node_id: node for node in nodes}
        self._taken: dict[str, list[tuple[str, Need]]] = {}  # key of the work -> nodes, needs

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes that live."""
        return tuple(self._nodes.values())

    def take(self, key: str, need: Need) -> bool:
        """Whether there is room for the work now; it is then counted until `give_back`."""
        held: list[tuple[str, Need]] = []
        self._taken[key] = held
        for node in self._nodes.values():
            while len(held) < need.pieces and self._left(node).holds(need):
                held.append((node.node_id, need))
        if len(held) < need.pieces:
            del self._taken[key]
        return key in self._taken

    def give_back(self, key: str) -> None:
        """The work has ended."""
        self._taken.pop(key, None)

    def keep(self, alive: Sequence[Node]) -> None:
        """Nodes have come or gone: work that was counted on a lost one is counted no more."""
        self._nodes = {node.node_id: node for node in alive}
        self._taken = {
            key: [(place, need) for place, need in held if place in self._nodes]
            for key, held in self._taken.items()
        }

    def slots(self, need: Need) -> int:
        """How many of these fit side by side, were nothing else running."""
        return sum(_times(node, need) for node in self._nodes.values()) // need.pieces

    def _left(self, node: Node) -> Node:
        taken = [one for held in self._taken.values() for one in held]
        held = [need for place, need in taken if place == node.node_id]
        return node.model_copy(
            update={
                "cpus": node.cpus - sum(need.cpus for need in held),
                "memory_bytes": node.memory_bytes - sum(need.memory_bytes for need in held),
                "gpus": node.gpus - sum(need.gpus for need in held),
            }
        )


def _times(node: Node, need: Need) -> int:
    if not node.holds(need):
        return 0
    times = [MOST_ON_A_GPU * max(1.0, node.cpus)]
    if need.cpus:
        times.append(node.cpus / need.cpus)
    if need.memory_bytes:
        times.append(node.memory_bytes / need.memory_bytes)
    if need.gpus >= 1:
        times.append(node.gpus // need.gpus)
    elif need.gpus:
        times.append(floor(node.gpus) * floor(1 / need.gpus + FINE))
    return floor(min(times) + FINE)


def trial_need(memory: MemoryPlan | None, threads: int, gpu_bytes: int) -> Need:
    """What a trial asks for by its estimate: memory to the upper end, GPUs or a part of one.

    `gpu_bytes` is 0 on nodes without a GPU. Without an estimate a trial has a GPU to itself, and
    on a CPU asks for no memory. A part is one over a whole number, so that equal trials fill a GPU.
    """
    pieces = memory.devices if memory else 1
    if not gpu_bytes:
        high = memory.high_bytes if memory else 0
        return Need(cpus=threads, memory_bytes=high, pieces=pieces)
    if memory is None or pieces > 1 or memory.high_bytes > gpu_bytes:
        host = HOST_BYTES + (memory.host_bytes if memory else 0)
        return Need(cpus=1, memory_bytes=host, gpus=1.0, pieces=pieces)
    share = memory.high_bytes / gpu_bytes
    together = min(MOST_ON_A_GPU, floor(1 / share))
    return Need(cpus=1, memory_bytes=HOST_BYTES, gpus=floor(1 / together / FINE) * FINE)


class Needs:
    """What each piece of work of a race asks for."""

    def __init__(self, by_arm: Mapping[str, Need], largest: Need) -> None:
        self.by_arm = by_arm
        self.largest = largest  # work that belongs to no arm asks for as much as any

    def __call__(self, work: Work) -> Need:
        """The need of a piece of work."""
        if isinstance(work, TrialWork):
            return self.by_arm.get(work.trial.arm, self.largest)
        if isinstance(work, SurveyWork):  # it trains every arm of its checkpoint for a moment
            names = [f"{work.checkpoint}.{approach}" for approach in work.approaches]
            return largest([self.by_arm[name] for name in names if name in self.by_arm]
                           or [self.largest])  # fmt: skip
        return self.largest.model_copy(update={"pieces": 1})


def race_needs(
    plans: Mapping[str, MemoryPlan | None], settings: Settings, nodes: Sequence[Node]
) -> Needs:
    """The needs of a race's work on these nodes; `plans` are by arm."""
    gpu_bytes = smallest_gpu(nodes, settings)
    threads = threads_on(nodes, settings)
    by_arm = {arm: trial_need(plan, threads, gpu_bytes) for arm, plan in plans.items()}
    return Needs(by_arm, largest(list(by_arm.values()) or [trial_need(None, threads, gpu_bytes)]))


def largest(needs: Sequence[Need]) -> Need:
    """As much of everything as any of them asks for."""
    return Need(
        cpus=max(need.cpus for need in needs),
        memory_bytes=max(need.memory_bytes for need in needs),
        gpus=max(need.gpus for need in needs),
        pieces=max(need.pieces for need in needs),
    )


def smallest_gpu(nodes: Sequence[Node], settings: Settings) -> int:
    """Free bytes of the smallest GPU, which a part of any GPU is measured by; 0 on a CPU."""
    sizes = [node.gpu_bytes for node in nodes if node.gpus]
    return min(sizes, default=0) if settings.device != "cpu" else 0


def threads_on(nodes: Sequence[Node], settings: Settings) -> int:
    """Threads of one trial: one for small checkpoints, else all cores of the smallest node."""
    if settings.dtype == "float32" or settings.device != "cpu":
        return 1
    return max(1, floor(min((node.cpus for node in nodes), default=1.0)))


def check_room(needs: Needs, nodes: Sequence[Node]) -> None:
    """Raises DoesNotFit when no node has what an arm asks for: named with what there is."""
    for arm, need in needs.by_arm.items():
        if not Room(nodes).slots(need):
            raise DoesNotFit(
                "cluster.no_node_holds", arm=arm, need=_text(need),
                nodes="; ".join(f"{node.name}: {_text(node)}" for node in nodes) or "-",
            )  # fmt: skip


def _text(what: Need | Node) -> str:
    """Without words of any language: `2 CPU, 1.5 GB, 0.5 GPU`, `4 x (1 CPU, 2 GB, 1 GPU)`."""
    gpus = f", {what.gpus:g} GPU" if what.gpus else ""
    text = f"{what.cpus:g} CPU, {size_text(what.memory_bytes)}{gpus}"
    pieces = what.pieces if isinstance(what, Need) else 1
    return f"{pieces} x ({text})" if pieces > 1 else text
