"""What one device holds all along, when several share the work or the host takes some of it."""

from typing import NamedTuple

from forkpoint.estimate.network import Network
from forkpoint.estimate.setup import Setup
from forkpoint.estimate.stack import Stack
from forkpoint.estimate.states import HALF_BYTES, trained, weight_bytes

CHANNEL_BYTES = 0.5e9  # bytes of NCCL's channels and a second stream's kernels on each device
BUCKET_BYTES = 0.8e9  # bytes of DeepSpeed's two buckets of 2e8 16-bit numbers [its ZeRO-2 example]
SUBGROUP_BYTES = 4.0e9  # bytes, 1e9 gradients in 32 bits: ZeRO-3 steps group by group [DeepSpeed]
GATHERED_LAYERS = 2  # the layer at work and the one fetched ahead


class Held(NamedTuple):
    """Bytes on one device; `host` is in the machine's own memory."""

    weights: float
    adapter: float
    gradients: float
    optimizer: float
    step: float
    exchange: float
    host: float
    trained: float  # parameters that are trained, over all devices
    heap: float = 0.0  # on a CPU, freed but still resident
    libraries: float = 0.0  # on a CPU, what this job adds to them


def held_by(network: Network, setup: Setup, stack: Stack) -> Held:
    """Weights, adapters, gradients and states of one device."""
    own = trained(network, setup, stack)
    weights = weight_bytes(network, setup, stack)
    devices = setup.devices
    states_share = devices if setup.sharding != "none" else 1
    gradient_share = devices if setup.sharding in ("zero2", "zero3", "fsdp") else 1
    share = weight_share(setup)
    host = 0.0
    optimizer, step = own.state_bytes / states_share, own.step_bytes / states_share
    if setup.sharding == "zero3":
        step = min(step, SUBGROUP_BYTES)
    if setup.offload != "none":
        host, optimizer, step = optimizer * devices, 0.0, 0.0
    kept = weights / share
    adapter = own.added_bytes / share
    if setup.offload == "all":
        host += (kept + adapter) * devices
        kept = adapter = 0.0
    return Held(
        weights=kept,
        adapter=adapter,
        gradients=own.gradient_bytes / gradient_share,
        optimizer=optimizer,
        step=step,
        exchange=_exchange(network, setup, stack, own.gradient_bytes, weights),
        host=host,
        trained=own.parameters,
    )


def weight_share(setup: Setup) -> int:
    """Over how many devices each weight is spread."""
    return setup.devices if setup.sharding in ("zero3", "fsdp") else 1


def _exchange(
    network: Network, setup: Setup, stack: Stack, gradients: float, weights: float
) -> float:
    """Buffers through which devices, or device and host, pass weights and gradients."""
    apart = setup.sharding in ("zero3", "fsdp") or setup.offload == "all"
    total = CHANNEL_BYTES if setup.devices > 1 else 0.0
    if apart:
        layer = weights * network.layer_parameters / network.parameters
        head = network.vocabulary * network.hidden * HALF_BYTES
        total += max(GATHERED_LAYERS * layer, head)
    if setup.sharding in ("zero1", "zero2") or stack.step == "flat":
        total += BUCKET_BYTES  # held whole, however small the gradients are
    if setup.devices > 1 and setup.sharding == "none":
        total += gradients  # DDP copies gradients into buckets of its own
    return total
