"""How much memory a training takes: parts, phases, the peak, and how sure that is."""

from math import isclose, sqrt
from typing import Literal

from forkpoint.estimate.activations import (
    cache_bytes,
    copied_weight_bytes,
    layer_bytes,
    logit_bytes,
    passing_bytes,
    stored_bytes,
    twice_bytes,
    workspace_bytes,
)
from forkpoint.estimate.network import Network
from forkpoint.estimate.setup import Setup, check
from forkpoint.estimate.share import Held, held_by, weight_share
from forkpoint.estimate.stack import OURS, Stack
from forkpoint.estimate.states import FLOAT_BYTES, HALF_BYTES
from forkpoint.record import Record

PartName = Literal[
    "weights",
    "adapter",
    "gradients",
    "optimizer",
    "activations",
    "logits",
    "cache",
    "exchange",
    "framework",
    "allocator",
    "files",
]
PhaseName = Literal["load", "loss", "backward", "step", "answers"]

CONTEXT_BYTES = 1.3e9  # bytes, a CUDA context with PyTorch's, cuBLAS's and attention's kernels
WORKSPACE_BYTES = 0.05e9  # bytes that PyTorch itself allocates for cuBLAS and small tensors
RESERVED_SHARE = 0.08  # of what comes and goes, cached by the allocator and not reusable
# The next six were set on configurations 0-47 of docs/studies/memory_cpu.csv; the rest judges them.
CPU_LIBRARIES_BYTES = 0.435e9  # bytes, Python with torch, transformers and trl resident
CPU_ADAPTER_BYTES = 0.04e9  # bytes more once PEFT wraps the network
TOKENIZER_ENTRY_BYTES = 660  # bytes for an entry of the vocabulary, in its maps of both ways
HEAP_SHARE = 0.38  # of what passes make in all layers: freed, but kept by the C library's heap
HEAP_ADAPTER_SHARE = 0.75  # the same again with adapters, whose results are freed between others
MOST_HEAP_BYTES = {"all": 0.25e9, "adapter": 0.15e9}  # larger tensors go back to the system
UNSURE = {  # two standard deviations of each part, as a share of it
    "weights": 0.04,
    "adapter": 0.05,
    "gradients": 0.10,
    "optimizer": 0.10,
    "activations": 0.30,
    "logits": 0.25,
    "cache": 0.10,
    "exchange": 0.50,
    "framework": 0.50,
    "allocator": 1.00,
    "files": 0.05,
}
MOST_KERNEL_BYTES = 0.3e9  # oneDNN's 16-bit kernels for the many shapes of a training
SAME_SIZE = 0.01  # files this near to the loaded weights are used where they lie, unconverted
SCORED_COPIES = 3  # 32-bit tensors of a scored batch's logits at once: cast, shifted, its exponent
UNSURE_CPU = {"framework": 0.12, "allocator": 0.60, "weights": 0.05}


class Part(Record):
    """Bytes of one kind at the peak."""

    name: PartName
    bytes: int


class Phase(Record):
    """One stage of the work and what it holds at its largest."""

    name: PhaseName
    parts: tuple[Part, ...]

    @property
    def bytes(self) -> int:
        """All parts together."""
        return sum(part.bytes for part in self.parts)


class MemoryEstimate(Record):
    """The peak of one device, with the interval that should hold nine measurements in ten."""

    setup: Setup
    stack: str
    device: Literal["gpu", "cpu"]
    parameters: int
    active_parameters: int
    trainable_parameters: int
    phases: tuple[Phase, ...]
    peak: PhaseName
    estimated_bytes: int
    low_bytes: int
    high_bytes: int
    dominates: PartName  # the largest part at the peak
    host_bytes: int = 0  # kept in the machine's memory by offloading

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts at the peak, largest first."""
        phase = next(phase for phase in self.phases if phase.name == self.peak)
        return tuple(sorted(phase.parts, key=lambda part: -part.bytes))


def estimate_memory(network: Network, setup: Setup, stack: Stack = OURS) -> MemoryEstimate:
    """Peak memory of one device over all phases; raises BadInput for what cannot be trained."""
    check(network, setup)
    held = held_by(network, setup, stack)
    if stack.device == "cpu":
        held = held._replace(
            heap=heap_bytes(network, setup, stack),
            libraries=TOKENIZER_ENTRY_BYTES * network.vocabulary * _tokenizers(setup)
            + (CPU_ADAPTER_BYTES if setup.approach == "lora" else 0.0),
        )
    phases = (
        *((_loading(network, setup, held, stack),) if stack.device == "cpu" else ()),
        *(_training(network, setup, stack, held) if setup.approach != "prompt" else ()),
        *((_answers(network, setup, stack, held),) if setup.answer_batch else ()),
    )
    peak = max(phases, key=lambda phase: phase.bytes)
    unsure = UNSURE | (UNSURE_CPU if stack.device == "cpu" else {})
    spread = sqrt(sum((unsure[part.name] * part.bytes) ** 2 for part in peak.parts))
    sure = sum(part.bytes for part in peak.parts if part.name in ("weights", "adapter"))
    return MemoryEstimate(
        setup=setup,
        stack=stack.name,
        device=stack.device,
        parameters=network.parameters,
        active_parameters=network.active_parameters,
        trainable_parameters=round(held.trained),
        phases=phases,
        peak=peak.name,
        estimated_bytes=peak.bytes,
        low_bytes=round(max(0.9 * sure, peak.bytes - spread)),
        high_bytes=round(peak.bytes + spread),
        dominates=max(peak.parts, key=lambda part: part.bytes).name,
        host_bytes=round(held.host),
    )


def _tokenizers(setup: Setup) -> int:
    """The trainer's own and, where the trial answers, the one that reads and writes the rows."""
    return (setup.approach != "prompt") + (setup.answer_batch > 0)


def _loading(network: Network, setup: Setup, held: Held, stack: Stack) -> Phase:
    """Weights that are converted as they are read: the mapped files stay resident until the end.

    A trial loads twice, to train and to answer; before the second time it gives its heap back, but
    not the kernels.
    """
    stored = float(network.file_bytes or 0)
    files = 0.0 if isclose(stored, held.weights, rel_tol=SAME_SIZE) else stored
    again = setup.approach != "prompt" and setup.answer_batch > 0
    kernels = min(MOST_KERNEL_BYTES, held.weights) if again and setup.half else 0.0
    held = held._replace(adapter=0.0, optimizer=0.0, heap=kernels)
    return _phase("load", held, {"files": files}, stack)


def _training(network: Network, setup: Setup, stack: Stack, held: Held) -> tuple[Phase, ...]:
    stored = stored_bytes(network, setup, stack)
    carried = held.gradients if setup.passes > 1 else 0.0
    layer = layer_bytes(network, setup, stack) if setup.checkpointing else 0.0
    unpacked = workspace_bytes(network, setup)
    copied = copied_weight_bytes(network, setup, stack, held.trained)
    loss = {
        "gradients": carried,
        "activations": stored + unpacked + copied,
        "logits": logit_bytes(network, setup, stack),
    }
    backward = {
        "gradients": held.gradients + twice_bytes(network, held.gradients, setup),
        "activations": stored
        + layer
        + passing_bytes(network, setup, stack)
        + (0.0 if setup.checkpointing else copied),
    }
    step = {"gradients": held.gradients, "optimizer": held.step}
    return (
        _phase("loss", held, loss, stack),
        _phase("backward", held, backward, stack),
        _phase("step", held, step, stack),
    )


def heap_bytes(network: Network, setup: Setup, stack: Stack) -> float:
    """What a process on a CPU keeps of memory that was freed, which resident size counts."""
    if setup.approach == "prompt":
        return 0.0
    passed = layer_bytes(network, setup, stack) * network.layers
    kept = HEAP_SHARE * min(passed * setup.passes, MOST_HEAP_BYTES["all"])
    if setup.approach != "full":
        kept += HEAP_ADAPTER_SHARE * min(passed, MOST_HEAP_BYTES["adapter"])
    return kept


def _answers(network: Network, setup: Setup, stack: Stack, held: Held) -> Phase:
    """Answering after training: no gradients, optimizer or heap, but keys and values."""
    prompt = setup.prompt_tokens or max(1, setup.context_tokens // 4)
    element = HALF_BYTES if setup.half else FLOAT_BYTES
    rows = setup.answer_batch
    wide = element * (network.mlp_width * (3 if network.gated else 1) + 4 * network.hidden)
    last = rows * network.vocabulary * (element + FLOAT_BYTES)
    scored = setup.scored_logits * (element + SCORED_COPIES * FLOAT_BYTES)
    parts = {
        "activations": rows * prompt * wide + workspace_bytes(network, setup),
        "logits": max(last, scored),
        "cache": cache_bytes(network, setup),
    }
    weights = held.weights
    if setup.approach == "full":  # trained in 32 bits, loaded again in the arithmetic's own
        weights = min(weights, network.parameters * element / weight_share(setup))
    return _phase("answers", held._replace(optimizer=0.0, heap=0.0, weights=weights), parts, stack)


def _phase(name: PhaseName, held: Held, moving: dict[str, float], stack: Stack) -> Phase:
    """What stays, what comes and goes in this phase, and what the allocator keeps of that."""
    parts = {"weights": held.weights, "adapter": held.adapter, "optimizer": held.optimizer}
    for part, size in moving.items():
        parts[part] = parts.get(part, 0.0) + size
    parts["exchange"] = held.exchange
    if stack.device == "cpu":
        parts["allocator"] = held.heap
        parts["framework"] = CPU_LIBRARIES_BYTES + held.libraries
    else:
        if stack.counts != "allocated":
            parts["allocator"] = RESERVED_SHARE * sum(moving.values())
        parts["framework"] = WORKSPACE_BYTES + (CONTEXT_BYTES if stack.counts == "device" else 0)
    return Phase(
        name=name,
        parts=tuple(Part(name=part, bytes=round(size)) for part, size in parts.items() if size),
    )
