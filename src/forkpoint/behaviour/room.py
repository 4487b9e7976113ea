"""Whether checkpoints fit into memory together, one at a time, or not at all."""

from collections.abc import Sequence
from typing import Literal

from forkpoint.errors import BadInput, DoesNotFit
from forkpoint.estimate import OURS, OURS_CPU, Setup, estimate_memory, read_network
from forkpoint.estimate.setup import Setup as Dials
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.facts.machine import MachineFacts
from forkpoint.models.weights import Dtype
from forkpoint.record import Record

USABLE = 0.9  # of the free memory; the rest is left to others on the machine
FALLBACK_FACTOR = 1.3  # times the weights, for a network that the estimate does not know [ruled]


class Room(Record):
    """How the checkpoints are held."""

    at_once: Literal["all", "one"]
    device: str
    dtype: Dtype
    needs_bytes: tuple[int, ...]  # of each checkpoint, the upper end of the estimate
    free_bytes: int


def make_room(facts: Sequence[CheckpointFacts], machine: MachineFacts, context_tokens: int) -> Room:
    """All at once where memory allows it, else one by one; raises DoesNotFit.

    A GPU is used where the largest fits it; on a CPU weights are read in 32 bits where they fit,
    since most CPUs are slow in 16.
    """
    places: list[tuple[str, Dtype, int]] = []
    if machine.gpus:
        places.append(("cuda", "bfloat16", machine.gpus[0].free_bytes))
    places.append(("cpu", "float32", machine.available_bytes))
    places.append(("cpu", "bfloat16", machine.available_bytes))
    least, most = 0, 0
    for at_once in ("all", "one"):
        for device, dtype, free_bytes in places:
            needs = tuple(_needs(one, device, dtype, context_tokens) for one in facts)
            wanted = sum(needs) if at_once == "all" else max(needs)
            if wanted <= USABLE * free_bytes:
                return Room(
                    at_once="all" if at_once == "all" else "one", device=device, dtype=dtype,
                    needs_bytes=needs, free_bytes=free_bytes,
                )  # fmt: skip
            least, most = max(needs), max(most, free_bytes)
    largest = max(facts, key=lambda one: one.weights_bytes or 0)
    raise DoesNotFit(
        "compare.no_room", name=largest.name, needed=f"{least / 1e9:.1f} GB",
        free=f"{most / 1e9:.1f} GB",
    )  # fmt: skip


def _needs(facts: CheckpointFacts, device: str, dtype: Dtype, context_tokens: int) -> int:
    """Bytes to answer with one checkpoint: estimated, or from its weights where that fails."""
    setup: Dials = Setup(
        approach="prompt", context_tokens=context_tokens, prompt_tokens=context_tokens,
        answer_batch=1, answer_tokens=context_tokens, half=dtype == "bfloat16",
    )  # fmt: skip
    try:
        network = read_network(facts.path or facts.name).network
        stack = OURS_CPU if device == "cpu" else OURS
        return estimate_memory(network, setup, stack).high_bytes
    except BadInput:
        parameters = facts.shape.parameters
        width = 2 if dtype == "bfloat16" else 4
        weights = parameters * width if parameters else facts.weights_bytes or 0
        return round(FALLBACK_FACTOR * weights)
