"""How a trial that needs more than one GPU is spread over several: arithmetic only."""

from collections.abc import Iterator

from forkpoint.estimate import Stack, estimate_memory
from forkpoint.estimate.fitting import changed
from forkpoint.estimate.network import Network
from forkpoint.estimate.setup import Setup, Sharding
from forkpoint.estimate.states import weight_bytes
from forkpoint.ledger import Correction, MemoryPlan, Settings, Spread
from forkpoint.train.approach import approach as train_approach

SHARED = Stack(name="forkpoint-shared", head="float", full="float")  # whole logits: no fused head
KINDS: dict[Spread, Sharding] = {"zero2": "zero2", "zero3": "fsdp"}  # ours -> the estimate's


def spread_plan(
    network: Network,
    approach: str,
    setups: list[Setup],
    settings: Settings,
    room: tuple[float, int],
    correction: Correction | None = None,
) -> MemoryPlan | None:
    """The fewest GPUs over which an arm's trials fit; None when they do not, or cannot be spread.

    `setups`: a trial's dials by how often it is made smaller. `room`: free bytes of a GPU and how
    many of them a trial may have. Answering is not spread: it has to fit on one GPU.
    """
    free, most = room
    if settings.device == "cpu" or not can_be_spread(approach):
        return None
    factor = correction.factor if correction else 1.0
    free /= factor
    asking = changed(setups[-1], approach="prompt", checkpointing=False, passes=1)
    if estimate_memory(network, asking, SHARED).high_bytes > free:
        return None
    for devices in _counts(most):
        for shrink, setup in enumerate(setups):
            for spread, sharding in KINDS.items():
                one = changed(setup, devices=devices, sharding=sharding)
                estimate = estimate_memory(network, one, SHARED)
                weights = weight_bytes(network, one, SHARED)
                # fully_shard keeps a process's own part beside the weights it has gathered
                beside = weights / devices if spread == "zero2" else 0.0
                if estimate.high_bytes + beside > free:
                    continue
                return MemoryPlan(
                    estimated_bytes=round(factor * (estimate.estimated_bytes + beside)),
                    low_bytes=round(factor * (estimate.low_bytes + beside)),
                    high_bytes=round(factor * (estimate.high_bytes + beside)),
                    dominates=estimate.dominates,
                    free_bytes=round(room[0]),
                    fits="yes",
                    shrink=shrink,
                    correction=factor,
                    corrected_by=correction.trials if correction else 0,
                    devices=devices,
                    spread=spread,
                    host_bytes=round(weights),
                )
    return None


def can_be_spread(approach: str) -> bool:
    """Adapters and full fine-tuning on rows or texts; not four-bit weights, not preferences."""
    kind = train_approach(approach)
    return kind.METHOD != "qlora" and "preferences" not in kind.NEEDS


def _counts(most: int) -> Iterator[int]:
    """2, 4, 8 and so on."""
    devices = 2
    while devices <= most:
        yield devices
        devices *= 2
