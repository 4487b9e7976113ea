"""The other way round: what fits into a given memory, and what would have to change."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

from forkpoint.errors import BadInput
from forkpoint.estimate.memory import MemoryEstimate, estimate_memory
from forkpoint.estimate.network import Network
from forkpoint.estimate.setup import APPROACHES, Approach, Setup
from forkpoint.estimate.stack import OURS, Stack
from forkpoint.record import Record

Answer = Literal["yes", "perhaps", "no"]
Dial = Literal["batch", "context_tokens", "rank"]
DIALS: tuple[Dial, ...] = ("batch", "context_tokens", "rank")
MOST = {"batch": 4096, "rank": 1024, "context_tokens": 1 << 20}  # where the search ends
SMALL_RANK = 8  # fits most single tasks, half of the default
DEVICE_STEPS = (2, 4, 8)  # devices in one machine


class Change(Record):
    """One dial turned, from what to what."""

    dial: str  # a field of Setup
    before: str
    after: str


class Remedy(Record):
    """Changes, cheapest first, that make it fit, and the estimate with them."""

    changes: tuple[Change, ...]
    estimate: MemoryEstimate


class Fit(Record):
    """What a memory of `memory_bytes` holds of this setup."""

    memory_bytes: int
    answer: Answer
    most: dict[str, int | None]  # each dial alone, all else unchanged; None: not even 1
    approaches: dict[str, Answer | None]  # None: impossible for this checkpoint
    needs_bytes: dict[str, int]  # the upper end of each possible approach
    remedy: Remedy | None  # None when it fits, or when nothing here makes it fit


def answer(estimate: MemoryEstimate, memory_bytes: float) -> Answer:
    """Yes when the whole interval fits, no when none of it does."""
    if estimate.high_bytes <= memory_bytes:
        return "yes"
    return "no" if estimate.low_bytes > memory_bytes else "perhaps"


def fit(network: Network, setup: Setup, memory_bytes: float, stack: Stack = OURS) -> Fit:
    """Everything about one setup and one memory; raises BadInput for impossible setups."""
    estimate = estimate_memory(network, setup, stack)
    found = answer(estimate, memory_bytes)
    estimates = dict(by_approach(network, setup, stack))
    adapters = setup.approach in ("lora", "qlora")
    return Fit(
        memory_bytes=round(memory_bytes),
        answer=found,
        most={
            dial: largest(network, setup, memory_bytes, dial, stack)
            for dial in DIALS
            if (dial != "rank" or adapters) and setup.approach != "prompt"
        },
        approaches={
            name: None if one is None else answer(one, memory_bytes)
            for name, one in estimates.items()
        },
        needs_bytes={name: one.high_bytes for name, one in estimates.items() if one is not None},
        remedy=None if found == "yes" else remedy(network, setup, memory_bytes, stack),
    )


def by_approach(
    network: Network, setup: Setup, stack: Stack = OURS
) -> Iterator[tuple[Approach, MemoryEstimate | None]]:
    """The same dials with every approach; None where the checkpoint rules an approach out."""
    for approach in APPROACHES:
        if approach == "qlora" and stack.device == "cpu":
            continue
        rows = setup.answer_batch or 1 if approach == "prompt" else setup.answer_batch
        try:
            yield (
                approach,
                estimate_memory(
                    network, changed(setup, approach=approach, answer_batch=rows), stack
                ),
            )
        except BadInput:
            yield approach, None


def changed(setup: Setup, **values: Any) -> Setup:
    """A setup with some dials turned, checked as any other."""
    return Setup.model_validate({**setup.model_dump(), **values})


def largest(
    network: Network, setup: Setup, memory_bytes: float, dial: Dial, stack: Stack = OURS
) -> int | None:
    """The largest value of one dial whose whole interval fits, None when not even 1 does."""

    def fits(value: int) -> bool:
        one = estimate_memory(network, changed(setup, **{dial: value}), stack)
        return one.high_bytes <= memory_bytes

    most = MOST[dial]
    if dial == "context_tokens":
        most = min(most, network.context_tokens or most)
    return _last(fits, most)


def _last(fits: Callable[[int], bool], most: int) -> int | None:
    """The largest whole number up to `most` that fits, if larger never fits where smaller fails."""
    if not fits(1):
        return None
    low, high = 1, most
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


def remedy(
    network: Network, setup: Setup, memory_bytes: float, stack: Stack = OURS
) -> Remedy | None:
    """The cheapest change that makes it fit: alone if one is enough, else one after the other.

    Cheapest first: what leaves the result as it is and costs only time; then what costs a little
    of the result; then other hardware.
    """
    dials = list(_steps(network, setup, memory_bytes, stack))
    hardware = list(_hardware(setup)) if stack.device == "gpu" else []
    together: dict[str, Any] = {}
    for steps in (dials, hardware):
        for values in steps:
            if found := _tried(network, setup, values, memory_bytes, stack):
                return found
        for values in steps:
            together |= values
            if _tried(network, setup, together, memory_bytes, stack):
                needed = _needed(network, setup, together, memory_bytes, stack)
                return _tried(network, setup, needed, memory_bytes, stack)
    return None


def _needed(
    network: Network, setup: Setup, together: dict[str, Any], memory_bytes: float, stack: Stack
) -> dict[str, Any]:
    """The changes without those that it fits without, the dearest looked at first."""
    kept = dict(together)
    for dial in reversed(together):
        fewer = {name: value for name, value in kept.items() if name != dial}
        if _tried(network, setup, fewer, memory_bytes, stack):
            kept = fewer
    return kept


def _tried(
    network: Network, setup: Setup, values: dict[str, Any], memory_bytes: float, stack: Stack
) -> Remedy | None:
    try:
        new = changed(setup, **values)
        estimate = estimate_memory(network, new, stack)
    except BadInput:
        return None
    if estimate.high_bytes > memory_bytes:
        return None
    before = setup.model_dump()
    changes = tuple(
        Change(dial=dial, before=str(before[dial]), after=str(value))
        for dial, value in values.items()
        if before[dial] != value and dial != "passes"
    )
    return Remedy(changes=changes, estimate=estimate)


def _steps(
    network: Network, setup: Setup, memory_bytes: float, stack: Stack
) -> Iterator[dict[str, Any]]:
    """Changes in the order of their price."""
    if setup.answer_batch > 1:
        yield {"answer_batch": 1}
    if setup.approach == "prompt":
        return
    if setup.attention == "eager":
        yield {"attention": "sdpa"}
    if setup.batch > 1:  # the same rows in more passes: the same step, slower
        most = largest(network, setup, memory_bytes, "batch", stack)
        yield {"batch": most or 1, "passes": max(2, setup.passes)}
    if not setup.checkpointing:
        yield {"checkpointing": True}
    on_gpu = stack.device == "gpu"
    if setup.optimizer == "adamw" and on_gpu:
        yield {"optimizer": "adamw-8bit"}
    if setup.approach != "full" and setup.rank > SMALL_RANK:
        yield {"rank": SMALL_RANK}
    if setup.approach == "lora" and network.quantisation is None and on_gpu:
        yield {"approach": "qlora"}
    if setup.approach == "full":
        yield {"approach": "lora"}
        if network.quantisation is None and on_gpu:
            yield {"approach": "qlora"}
    shorter = largest(network, changed(setup, batch=1), memory_bytes, "context_tokens", stack)
    if shorter is not None and shorter < setup.context_tokens:
        yield {"context_tokens": shorter}
    if on_gpu and setup.offload == "none":
        yield {"offload": "optimizer"}


def _hardware(setup: Setup) -> Iterator[dict[str, Any]]:
    """More devices, in machines as they are sold."""
    for devices in DEVICE_STEPS:
        if devices > setup.devices:
            yield {"devices": devices, "sharding": "fsdp"}
