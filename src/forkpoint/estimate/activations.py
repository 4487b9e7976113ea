"""What the forward pass leaves for the backward pass, and what the backward pass adds."""

from typing import NamedTuple

from forkpoint.estimate.network import Network
from forkpoint.estimate.setup import Setup
from forkpoint.estimate.stack import Stack
from forkpoint.estimate.states import FLOAT_BYTES, HALF_BYTES, adapted, is_quantised

FUSED_TOKENS = 4096  # tokens of one tile of TRL's fused head [trl.kernels.chunked_logprob]
FUSED_COLUMNS = 32768  # vocabulary entries of one tile [trl.trainer.utils]
FLOAT_LOGIT_BYTES = 12  # log-probabilities, their gradient and the logits' gradient, 32 bits each
HALF_LOGIT_BYTES = 8  # the same in 16 bits, and the logits that the trainer still holds


class Regime(NamedTuple):
    """How wide numbers are in one training."""

    element: int  # results of matrix products
    stream: int  # the residual stream that runs through the layers
    casts: bool  # every linear layer keeps an input of its own, cast by autocast
    norm_trained: bool


def regime(setup: Setup, stack: Stack) -> Regime:
    """Widths by approach and stack."""
    if not setup.half:
        return Regime(FLOAT_BYTES, FLOAT_BYTES, False, setup.approach == "full")
    if setup.approach == "full":
        wide = stack.full == "float"
        return Regime(HALF_BYTES, FLOAT_BYTES if wide else HALF_BYTES, wide, True)
    casts = stack.autocast and stack.adapter == "float"
    return Regime(HALF_BYTES, HALF_BYTES, casts, False)


def layer_bytes(network: Network, setup: Setup, stack: Stack) -> float:
    """What one layer keeps of one pass when it is not checkpointed."""
    wide = regime(setup, stack)
    hidden, query, narrow = network.hidden, network.query_width, network.key_value_width
    middle, element = network.mlp_width, wide.element
    norm_input = FLOAT_BYTES if network.norm_in_float else wide.stream
    a_token = float(network.norms * hidden) * (norm_input + wide.stream * wide.norm_trained)
    a_token += element * (2 * query + 2 * narrow) + FLOAT_BYTES * network.heads
    a_token += element * middle * (3 if network.gated else 1)
    a_token += _input_bytes(network, setup, stack)
    a_token += _expert_copies(network) * element
    total = a_token * setup.pass_tokens
    if setup.attention == "eager":
        scores = setup.batch * network.heads * setup.context_tokens**2
        total += scores * (element + FLOAT_BYTES)
    return total


def _input_bytes(network: Network, setup: Setup, stack: Stack) -> float:
    """Inputs that linear layers keep for a token in one layer."""
    wide = regime(setup, stack)
    if setup.approach == "full":
        kept = [one for one in network.linears if one.role != "router"]
    else:
        kept = list(adapted(network, setup.targets, stack.experts_apart))
    widths = sum(one.inputs * one.active for one in kept) / network.layers
    apart = wide.element * widths  # one copy for each matrix
    shared = wide.element * (2 * network.hidden + network.mlp_width)
    total = apart if wide.casts else min(apart, shared)
    if stack.dropout and setup.approach != "full":
        total = apart + widths  # what was dropped, and a mask of one byte
    return total


def _expert_copies(network: Network) -> float:
    """Widths that a mixture gathers and scatters for a token: its row once for each expert."""
    chosen = (
        sum(
            one.active
            for one in network.linears
            if one.name.endswith("down_proj") and one.role == "expert"
        )
        / network.layers
    )
    return 2 * chosen * network.hidden


def passing_bytes(network: Network, setup: Setup, stack: Stack) -> float:
    """Gradients and casts that exist for a moment while one layer is differentiated."""
    wide = regime(setup, stack)
    a_token = wide.element * network.mlp_width * (3 if network.gated else 2)
    a_token += 2 * wide.stream * network.hidden
    if wide.casts and setup.approach != "full":
        a_token += FLOAT_BYTES * network.mlp_width  # the input in 32 bits on its way to an adapter
    return a_token * setup.pass_tokens + workspace_bytes(network, setup)


def twice_bytes(network: Network, gradient_bytes: float, setup: Setup) -> float:
    """The second gradient of a tied embedding, from its use as input, before it is added."""
    if setup.approach != "full" or not network.tied:
        return 0.0
    return gradient_bytes * network.embedding_parameters / network.parameters


def workspace_bytes(network: Network, setup: Setup) -> float:
    """Quantised weights unpacked for one product."""
    if not is_quantised(network, setup):
        return 0.0
    files = network.quantisation
    if files is not None and files.method in ("gptq", "awq"):
        # Unpacked by PyTorch operations, which the graph keeps for the layer at hand.
        layer = min(network.layer_parameters, 8 * network.largest_linear)
        return HALF_BYTES * layer + UNPACKING_BYTES * network.largest_linear
    return HALF_BYTES * network.largest_linear


UNPACKING_BYTES = 8  # 32-bit shifted words, 16-bit integers and 16-bit products of one matrix


def stored_bytes(network: Network, setup: Setup, stack: Stack) -> float:
    """What all layers hold between forward and backward."""
    stream = regime(setup, stack).stream * network.hidden * setup.pass_tokens
    if setup.checkpointing:
        return stream * network.layers
    return layer_bytes(network, setup, stack) * network.layers + stream


def logit_bytes(network: Network, setup: Setup, stack: Stack) -> float:
    """The output layer and the loss at their largest."""
    tokens = setup.pass_tokens
    if stack.head != "fused":
        each = FLOAT_LOGIT_BYTES if stack.head == "float" or not setup.half else HALF_LOGIT_BYTES
        return tokens * setup.trained_share * network.vocabulary * each
    element = HALF_BYTES if setup.half else FLOAT_BYTES
    tile = min(tokens, FUSED_TOKENS) * min(network.vocabulary, FUSED_COLUMNS) * element
    head = network.vocabulary * network.hidden * FLOAT_BYTES if setup.approach == "full" else 0
    return tile + head + FLOAT_BYTES * network.hidden * tokens


def copied_weight_bytes(network: Network, setup: Setup, stack: Stack, count: float) -> float:
    """16-bit copies of 32-bit parameters that autocast keeps until a pass is over."""
    if not setup.half or not stack.autocast:
        return 0.0
    if setup.approach == "full":
        return HALF_BYTES * float(network.parameters) if stack.full == "float" else 0.0
    return HALF_BYTES * count if stack.adapter == "float" else 0.0


def cache_bytes(network: Network, setup: Setup) -> float:
    """Keys and values of the answers that are generated at once."""
    prompt = setup.prompt_tokens or max(1, setup.context_tokens // 4)
    length = prompt + setup.answer_tokens
    element = HALF_BYTES if setup.half else FLOAT_BYTES
    seen = network.layers * length
    if network.window_tokens is not None and length > network.window_tokens:
        seen -= network.windowed_layers * (length - network.window_tokens)
    return float(2 * network.key_value_width * element * seen * setup.answer_batch)
