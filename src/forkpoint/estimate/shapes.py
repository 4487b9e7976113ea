"""From a config.json to the network's matrices."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forkpoint.errors import BadInput, Unreadable
from forkpoint.estimate.families import FAMILIES, Config, Plan, told
from forkpoint.estimate.network import Linear, Network, Quantisation, Role

MOST_CONFIG_BYTES = 16 << 20  # bytes; a config.json is a few kB, anything near this is none
MOST_SIZE = 1 << 24  # largest believable width, vocabulary or count in a config

ALIASES = {  # the same fact under the names that families give it
    "hidden_size": ("hidden_size", "n_embd", "d_model"),
    "layers": ("num_hidden_layers", "n_layer", "num_layers"),
    "heads": ("num_attention_heads", "n_head"),
    "kv_heads": ("num_key_value_heads", "num_kv_heads", "multi_query_group_num"),
    "intermediate_size": ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size"),
    "vocabulary": ("padded_vocab_size", "vocab_size"),
    "context": ("max_position_embeddings", "n_positions", "seq_length", "max_sequence_length"),
    "head_dim": ("head_dim", "kv_channels"),
    "experts": ("num_local_experts", "num_experts", "n_routed_experts"),
}


def read_config(path: Path) -> dict[str, Any]:
    """The config.json at `path`, or in the folder `path`; raises Unreadable."""
    file = path / "config.json" if path.is_dir() else path
    try:
        if file.stat().st_size > MOST_CONFIG_BYTES:
            raise Unreadable("estimate.config-too-large", file=str(file))
        config = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        raise Unreadable("estimate.no-config", file=str(file)) from None
    except ValueError as error:
        raise Unreadable("estimate.config-not-json", file=str(file), error=str(error)) from None
    if not isinstance(config, dict):
        raise Unreadable("estimate.config-not-json", file=str(file), error=type(config).__name__)
    return config


def network_from_config(config: Config, source: str = "config.json") -> Network:
    """The network that a config describes; raises BadInput for what cannot be counted."""
    config = _text_part(config)
    kind = str(config.get("model_type", ""))
    plan = FAMILIES.get(kind)
    if plan is None:
        known = ", ".join(sorted(FAMILIES))
        raise BadInput("estimate.unknown-architecture", file=source, found=kind or "-", known=known)
    read = _Reader(config, plan, kind, source)
    return Network(
        model_type=kind,
        hidden=read.hidden,
        layers=read.layers,
        heads=read.heads,
        kv_heads=read.kv_heads,
        head_dim=read.head_dim,
        vocabulary=read.vocabulary,
        tied=read.tied,
        linears=(*read.attention(), *read.feed_forward()),
        other_parameters=read.other_parameters(),
        gated=plan.gate != "none",
        norms=read.norms,
        norm_in_float=plan.norm_weights < 2,
        context_tokens=read.number("context", required=False),
        window_tokens=read.window[0],
        windowed_layers=read.window[1],
        dtype=config.get("dtype") or config.get("torch_dtype"),
        quantisation=_quantisation(config, source),
    )


def _text_part(config: Config) -> Config:
    """The language model inside a vision-language config."""
    inner = config.get("text_config")
    if not isinstance(inner, dict):
        return config
    return {"tie_word_embeddings": config.get("tie_word_embeddings"), **inner}


class _Reader:
    """Looks up one config's fields under the names its family uses."""

    def __init__(self, config: Config, plan: Plan, kind: str, source: str) -> None:
        self.config, self.plan, self.kind, self.source = config, plan, kind, source
        self.hidden = self._need("hidden_size")
        self.layers = self._need("layers")
        self.heads = self._need("heads")
        self.vocabulary = self._need("vocabulary")
        own = self.number("head_dim", required=False) or plan.head_dim
        if own is None and self.hidden % self.heads:
            raise BadInput(
                "estimate.heads-do-not-divide", file=source, hidden=self.hidden, heads=self.heads
            )
        self.head_dim = own or self.hidden // self.heads
        self.kv_heads = self._kv_heads()
        tied = config.get("tie_word_embeddings")
        self.tied = plan.tied if tied is None else bool(tied)
        self.norms = self._norms()
        self.window = self._window()

    def number(self, fact: str, required: bool) -> int | None:
        """A whole number above 0 under any of its names; raises BadInput when it is needed."""
        names = ALIASES.get(fact, (fact,))
        for name in names:
            value = self.config.get(name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MOST_SIZE:
                raise BadInput(
                    "estimate.bad-field", file=self.source, field=name, found=repr(value)[:60]
                )
            return value
        if required:
            raise BadInput("estimate.missing-field", file=self.source, field=" / ".join(names))
        return None

    def _need(self, fact: str) -> int:
        return self.number(fact, required=True) or 0  # never 0: `number` raises

    def _kv_heads(self) -> int:
        if self.kind == "falcon" and not self.config.get("new_decoder_architecture"):
            return 1 if self.config.get("multi_query", True) else self.heads
        if self.kind in ("qwen", "bloom", "gpt2", "gpt_neox", "opt"):
            return self.heads
        return self.number("kv_heads", required=False) or self.heads

    def _norms(self) -> int:
        if self.kind != "falcon":
            return self.plan.norms
        if self.config.get("new_decoder_architecture"):
            return self.config.get("num_ln_in_parallel_attn") or 2
        return 1 if self.config.get("parallel_attn", True) else 2

    def _window(self) -> tuple[int | None, int]:
        tokens = self.number("sliding_window", required=False)
        if tokens is None or self.plan.window == "none":
            return None, 0
        kinds = self.config.get("layer_types")
        if isinstance(kinds, list):
            return tokens, sum(kind == "sliding_attention" for kind in kinds)
        if self.plan.window == "flag":
            below = self.config.get("max_window_layers")
            on = bool(self.config.get("use_sliding_window"))
            return (tokens, self.layers - int(below or 0)) if on else (None, 0)
        if self.plan.window == "alternate":
            every = self.number("sliding_window_pattern", required=False) or 2
            return tokens, self.layers - self.layers // every
        return tokens, self.layers

    def _linear(self, name: str, role: Role, inputs: int, outputs: int, bias: bool | str) -> Linear:
        return Linear(
            name=name,
            role=role,
            inputs=inputs,
            outputs=outputs,
            count=self.layers,
            active=self.layers,
            bias=told(self.config, self.plan, bias),
        )

    def attention(self) -> Iterator[Linear]:
        """Query, key, value and output projections."""
        plan, names = self.plan, ATTENTION_NAMES[self.plan.names]
        width, narrow = self.heads * self.head_dim, self.kv_heads * self.head_dim
        if plan.qkv == "fused":
            yield self._linear(
                names[0], "attention", self.hidden, width + 2 * narrow, plan.attention_bias
            )
        else:
            for name, outputs in zip(ATTENTION_APART, (width, narrow, narrow), strict=True):
                yield self._linear(name, "attention", self.hidden, outputs, plan.attention_bias)
        yield self._linear(names[1], "attention", width, self.hidden, plan.output_bias)

    def feed_forward(self) -> Iterator[Linear]:
        """The MLP, or the router with its experts."""
        experts = self.number("experts", required=False)
        if experts is None:
            yield from self._mlp(self._intermediate(), "mlp", self.layers, self.layers, "")
            return
        each = self._need("num_experts_per_tok")
        sparse = self._sparse_layers()
        width = self._need(self.plan.expert_width)
        if dense := self.layers - sparse:
            yield from self._mlp(self._intermediate(), "mlp", dense, dense, "")
        yield Linear(
            name="gate",
            role="router",
            inputs=self.hidden,
            outputs=experts,
            count=sparse,
            active=sparse,
        )
        yield from self._mlp(width, "expert", sparse * experts, sparse * each, "")
        if shared := self.number("shared_expert_intermediate_size", required=False):
            yield from self._mlp(shared, "mlp", sparse, sparse, "shared_expert.")
            yield Linear(
                name="shared_expert_gate",
                role="mlp",
                inputs=self.hidden,
                outputs=1,
                count=sparse,
                active=sparse,
            )

    def _intermediate(self) -> int:
        if self.kind == "falcon":  # its class ignores intermediate_size
            return self.number("ffn_hidden_size", required=False) or 4 * self.hidden
        if self.kind in ("gpt2", "bloom"):
            return self.number("intermediate_size", required=False) or 4 * self.hidden
        width = self._need("intermediate_size")
        return width // 2 if self.kind == "qwen" else width  # Qwen 1 counts both halves

    def _sparse_layers(self) -> int:
        dense = self.config.get("mlp_only_layers") or []
        step = self.number("decoder_sparse_step", required=False) or 1
        return sum(layer not in dense and (layer + 1) % step == 0 for layer in range(self.layers))

    def _mlp(
        self, width: int, role: Role, count: int, active: int, prefix: str
    ) -> Iterator[Linear]:
        plan, bias = self.plan, told(self.config, self.plan, self.plan.mlp_bias)
        up, down = MLP_NAMES[plan.names]
        pairs = [(down, width, self.hidden)]
        if plan.gate == "apart":
            pairs = [("gate_proj", self.hidden, width), (up, self.hidden, width), *pairs]
        else:
            name = "gate_up_proj" if plan.gate == "fused" else up
            pairs = [(name, self.hidden, width * (2 if plan.gate == "fused" else 1)), *pairs]
        for name, inputs, outputs in pairs:
            yield Linear(
                name=prefix + name,
                role=role,
                inputs=inputs,
                outputs=outputs,
                count=count,
                active=active,
                bias=bias,
            )

    def other_parameters(self) -> int:
        """Norms, learned positions and the head's bias."""
        plan, hidden = self.plan, self.hidden
        vectors = self.norms * self.layers + 1 + plan.embedding_norm
        count = vectors * plan.norm_weights * hidden
        if plan.query_key_norm == "head":
            count += 2 * self.head_dim * self.layers
        if plan.query_key_norm == "width":
            count += (self.heads + self.kv_heads) * self.head_dim * self.layers
        if plan.positions >= 0:
            count += (self._need("context") + plan.positions) * hidden
        return count + self.vocabulary * plan.head_bias


ATTENTION_APART = ("q_proj", "k_proj", "v_proj")
ATTENTION_NAMES = {  # fused query-key-value, output
    "llama": ("qkv_proj", "o_proj"),
    "phi": ("qkv_proj", "dense"),
    "gpt": ("c_attn", "c_proj"),
    "neox": ("query_key_value", "dense"),
    "opt": ("qkv_proj", "out_proj"),
}
MLP_NAMES = {  # up, down
    "llama": ("up_proj", "down_proj"),
    "phi": ("fc1", "fc2"),
    "gpt": ("c_fc", "c_proj"),
    "neox": ("dense_h_to_4h", "dense_4h_to_h"),
    "opt": ("fc1", "fc2"),
}


def _quantisation(config: Config, source: str) -> Quantisation | None:
    """What quantization_config says of the files, None for plain 16- or 32-bit weights."""
    found = config.get("quantization_config")
    if not isinstance(found, dict):
        return None
    method = str(found.get("quant_method", ""))
    if method == "bitsandbytes" or "load_in_4bit" in found or "load_in_8bit" in found:
        bits = 4.0 if found.get("load_in_4bit") else 8.0
        return Quantisation(method="bitsandbytes", bits=bits, group=64 if bits == 4 else None)
    if not method:
        raise BadInput("estimate.missing-field", file=source, field="quant_method")
    stated = found.get("bits", found.get("w_bit"))
    bits = float(stated) if isinstance(stated, int | float) else {"mxfp4": 4.0}.get(method, 8.0)
    group = found.get("group_size", found.get("q_group_size"))
    return Quantisation(
        method=method, bits=bits, group=group if isinstance(group, int) and group > 0 else None
    )
