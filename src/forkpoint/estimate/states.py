"""Weights, what is trained of them, and what the optimizer keeps: bytes that stay all along."""

from typing import NamedTuple

from forkpoint.estimate.network import Linear, Network
from forkpoint.estimate.setup import Optimizer, Setup
from forkpoint.estimate.stack import Stack

HALF_BYTES = 2
FLOAT_BYTES = 4
NF4_BLOCK = 64  # weights that share one 32-bit scale [bitsandbytes]
NF4_DOUBLE_BLOCK = 256  # scales that share a scale, themselves kept in 8 bits [bitsandbytes]
GPTQ_GROUP = 128  # weights that share a scale and a zero point [AutoGPTQ's default]
QUANTILE_BYTES = 2.03  # of both 8-bit Adam moments a weight, with a scale for every 256
LINEAR_TARGETS = {
    "attention": frozenset(
        {
            "q_proj",
            "k_proj",
            "v_proj",
            "o_proj",
            "qkv_proj",
            "dense",
            "query_key_value",
            "c_attn",
            "out_proj",
        }
    ),
    "query-value": frozenset({"q_proj", "v_proj", "qkv_proj", "query_key_value", "c_attn"}),
}


class Kept(NamedTuple):
    """Bytes a trained parameter keeps from step to step."""

    weight: float
    gradient: float
    master: float  # a 32-bit copy that the optimizer updates


MODES = {
    "float": Kept(4, 4, 0),
    "master": Kept(2, 2, 4),
    "half": Kept(2, 2, 0),
}


def adapted(network: Network, targets: str, experts_apart: bool = False) -> tuple[Linear, ...]:
    """The matrices that get an adapter; fused experts and routers are no linear layers."""
    roles = {"attention", "mlp"} | ({"expert"} if experts_apart else set())
    names = LINEAR_TARGETS.get(targets)
    return tuple(
        one
        for one in network.linears
        if one.role in roles and (names is None or (one.name in names and one.role == "attention"))
    )


def adapter_parameters(
    network: Network, rank: int, targets: str = "all-linear", experts_apart: bool = False
) -> int:
    """Parameters that LoRA adds: rank x (inputs + outputs) of each matrix."""
    return sum(
        one.count * rank * (one.inputs + one.outputs)
        for one in adapted(network, targets, experts_apart)
    )


def quantised_bytes(network: Network, setup: Setup, stack: Stack) -> tuple[float, float]:
    """Bytes of the frozen linear layers in few bits, and the parameters that they hold."""
    files = network.quantisation
    shrunk = [
        one
        for one in network.linears
        if one.role in ("attention", "mlp") or (one.role == "expert" and stack.experts_apart)
    ]
    if files is not None and files.method not in ("bitsandbytes",):
        shrunk = [one for one in network.linears if one.role != "router"]
    weights = sum(one.count * one.inputs * one.outputs for one in shrunk)
    if files is not None:
        bits, group = files.bits, files.group
        overhead = {"gptq": 16 + bits, "awq": 16 + bits, "bitsandbytes": 32}.get(files.method, 8)
        if files.method == "bitsandbytes" and bits == 4:
            return weights * _nf4_bits(setup) / 8, weights
        return weights * (bits + overhead / (group or GPTQ_GROUP)) / 8, weights
    if setup.bits == 4:
        return weights * _nf4_bits(setup) / 8, weights
    rows = sum(one.count * one.outputs for one in shrunk)
    return weights + rows * FLOAT_BYTES, weights


def _nf4_bits(setup: Setup) -> float:
    if setup.double_quantised:
        return 4 + 8 / NF4_BLOCK + 32 / (NF4_BLOCK * NF4_DOUBLE_BLOCK)
    return 4 + 32 / NF4_BLOCK


def is_quantised(network: Network, setup: Setup) -> bool:
    """Whether the frozen linear layers are held in few bits."""
    return setup.approach == "qlora" or network.quantisation is not None


def weight_bytes(network: Network, setup: Setup, stack: Stack) -> float:
    """The checkpoint's own weights as training holds them."""
    element = HALF_BYTES if setup.half else FLOAT_BYTES
    if setup.approach == "full":
        element = {"float": FLOAT_BYTES}.get(stack.full, element)
    count = network.parameters
    if stack.untied and network.tied:
        count += network.vocabulary * network.hidden
    if not is_quantised(network, setup):
        return float(count * element)
    few, shrunk = quantised_bytes(network, setup, stack)
    return few + (count - shrunk) * element


class Trained(NamedTuple):
    """What is trained, beside or inside the checkpoint's weights."""

    parameters: float
    added_bytes: float  # new matrices; 0 in full fine-tuning
    gradient_bytes: float
    state_bytes: float  # the optimizer's, masters included
    step_bytes: float  # passing, while the optimizer steps


def trained(network: Network, setup: Setup, stack: Stack) -> Trained:
    """Parameters, gradients and optimizer states of the approach."""
    if setup.approach == "prompt":
        return Trained(0, 0, 0, 0, 0)
    if setup.approach == "full":
        mode = stack.full if setup.half else "float"
        return _kept(network.parameters, network.embedding_parameters, mode, setup, stack, 0)
    count = setup.trainable_parameters or adapter_parameters(
        network, setup.rank, setup.targets, stack.experts_apart
    )
    adapter = _kept(count, 0, stack.adapter if setup.half else "float", setup, stack, 1)
    if not setup.train_embeddings:
        return adapter
    size = network.embedding_parameters
    copies = _kept(size, size, stack.copies if setup.half else "float", setup, stack, 1)
    return Trained(*(one + other for one, other in zip(adapter, copies, strict=True)))


def _kept(
    count: float, embeddings: float, mode: str, setup: Setup, stack: Stack, added: int
) -> Trained:
    kept = MODES[mode]
    moment = FLOAT_BYTES if mode != "half" else HALF_BYTES
    state = _state_bytes(setup.optimizer, count, embeddings, moment)
    working = {
        "fused": 0.0,
        "foreach": moment * count,  # the square root of the second moment, all at once
        "flat": (kept.gradient + FLOAT_BYTES) * count,  # gradients in one block, and in 32 bits
    }[stack.step]
    return Trained(
        parameters=count,
        added_bytes=count * kept.weight * added,
        gradient_bytes=count * kept.gradient,
        state_bytes=state + count * kept.master,
        step_bytes=working if setup.optimizer == "adamw" else 0.0,
    )


def _state_bytes(optimizer: Optimizer, count: float, embeddings: float, moment: int) -> float:
    if optimizer in ("adamw-8bit", "paged-adamw-8bit"):
        # Embeddings keep 32-bit moments [Transformers registers them so with bitsandbytes].
        return QUANTILE_BYTES * (count - embeddings) + 2 * FLOAT_BYTES * embeddings
    return {"adamw": 2.0 * moment * count, "adafactor": ADAFACTOR_SHARE * moment * count}.get(
        optimizer, 0.0
    )


ADAFACTOR_SHARE = 0.002  # a row and a column instead of the matrix: 2 / 1024 at width 1024
