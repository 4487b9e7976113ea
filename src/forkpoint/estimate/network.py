"""The matrices of a network, as far as memory depends on them."""

from typing import Literal

from forkpoint.record import Record

DOWN_NAMES = frozenset({"down_proj", "fc2", "c_proj", "dense_4h_to_h"})  # the MLP's way back
Role = Literal["attention", "mlp", "expert", "router"]


class Linear(Record):
    """One kind of weight matrix, counted over the whole network."""

    name: str  # as the checkpoint calls it, e.g. "q_proj"
    role: Role
    inputs: int
    outputs: int
    count: int  # how many there are
    active: int  # how many of them a token passes through
    bias: bool = False

    @property
    def parameters(self) -> int:
        """Weights and biases of all of them."""
        return self.count * (self.inputs * self.outputs + self.outputs * self.bias)


class Quantisation(Record):
    """How a checkpoint's files store their linear layers."""

    method: str  # "gptq", "awq", "bitsandbytes", "fp8", "mxfp4", "gguf", ...
    bits: float
    group: int | None  # weights that share a scale; None: one scale a row


class Network(Record):
    """The shape of a decoder: everything that its memory is computed from."""

    model_type: str
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool
    linears: tuple[Linear, ...]
    other_parameters: int  # norms, positions, the head's bias
    gated: bool  # gate and up beside each other in the MLP
    norms: int  # norms of the hidden size in a layer
    norm_in_float: bool  # RMSNorm as Transformers writes it keeps a 32-bit copy of its input
    context_tokens: int | None
    window_tokens: int | None = None
    windowed_layers: int = 0  # layers that look back only `window_tokens`
    dtype: str | None = None
    quantisation: Quantisation | None = None
    file_bytes: int | None = None  # of the weight files, where there are files

    @property
    def embedding_parameters(self) -> int:
        """Input embedding and output head, once where they are tied."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def linear_parameters(self) -> int:
        """Everything that quantisation can shrink."""
        return sum(one.parameters for one in self.linears if one.role != "router")

    @property
    def parameters(self) -> int:
        """All parameters."""
        return (
            self.embedding_parameters
            + sum(one.parameters for one in self.linears)
            + self.other_parameters
        )

    @property
    def active_parameters(self) -> int:
        """Parameters that one token passes through: fewer than all with mixture of experts."""
        idle = sum(one.parameters * (one.count - one.active) // one.count for one in self.linears)
        return self.parameters - idle

    @property
    def layer_parameters(self) -> int:
        """Parameters of one layer on average: the unit that sharding gathers."""
        return sum(one.parameters for one in self.linears) // self.layers

    @property
    def largest_linear(self) -> int:
        """Weights of the largest single matrix that is not an expert."""
        return max(
            (one.inputs * one.outputs for one in self.linears if one.role != "expert"), default=0
        )

    @property
    def query_width(self) -> int:
        """Width of all query heads together."""
        return self.heads * self.head_dim

    @property
    def key_value_width(self) -> int:
        """Width of all keys, or of all values, of one token in one layer."""
        return self.kv_heads * self.head_dim

    @property
    def mlp_width(self) -> int:
        """Width of the MLP's middle that one token activates in one layer, experts summed."""
        ends = [
            one
            for one in self.linears
            if one.role in ("mlp", "expert") and one.name.rpartition(".")[2] in DOWN_NAMES
        ]
        return sum(one.inputs * one.active for one in ends) // self.layers
