"""The shape of a network from config.json and the headers of its weights."""

import re
from collections.abc import Iterable
from typing import Any

from forkpoint.facts.checkpoint_facts import ShapeFacts
from forkpoint.facts.safetensors_header import TYPE_BITS, TensorPlace

CONTEXT_KEYS = (
    "max_position_embeddings", "n_positions", "max_sequence_length", "seq_length",
    "max_seq_len", "n_ctx", "model_max_length",
)  # fmt: skip
INNER_CONFIGS = ("text_config", "llm_config", "language_config", "thinker_config")
# Companions of quantised weights that hold scales, not parameters.
_SCALES = re.compile(
    r"(\.absmax|\.quant_map|\.nested_absmax|\.nested_quant_map|\.quant_state\.[\w.]+|\.scales|"
    r"\.qzeros|\.g_idx|\.weight_scale(_inv|_2)?|\.input_scale|\.weight_shape|\.weight_zero_point|"
    r"_scales|\.SCB|\.weight_format|\.weight_global_scale|\.input_global_scale|\.[kv]_scale)$"
)
_ROUTED = re.compile(r"\.experts\.|\.experts_|_exps\.")  # mixtures: weights of routed experts
_DTYPE_NAMES = {
    "F32": "float32", "F16": "float16", "BF16": "bfloat16", "F64": "float64",
    "F8_E4M3": "float8_e4m3", "F8_E5M2": "float8_e5m2",
}  # fmt: skip


def text_config(config: dict[str, Any]) -> dict[str, Any]:
    """The part of config.json about the language model; multimodal ones nest it."""
    for key in INNER_CONFIGS:
        inner = config.get(key)
        if isinstance(inner, dict):
            return {**config, **text_config(inner)}
    return config


def read_shape(config: dict[str, Any], tensors: Iterable[tuple[str, TensorPlace]]) -> ShapeFacts:
    """Shape facts; the counts are None when no header could be read."""
    inner = text_config(config)
    listed = list(tensors)
    quantisation = quantisation_of(config, [name for name, _ in listed])
    experts = _number(
        inner, "num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts"
    )
    total, active = _count(listed, quantisation, inner, experts)
    hidden = _number(inner, "hidden_size", "n_embd", "d_model", "dim")
    heads = _number(inner, "num_attention_heads", "n_head", "n_heads", "num_heads")
    tied = inner.get("tie_word_embeddings", config.get("tie_word_embeddings"))
    architectures = config.get("architectures")
    return ShapeFacts(
        architecture=str(architectures[0])
        if isinstance(architectures, list) and architectures
        else "unknown",
        model_type=str(config.get("model_type", "unknown")),
        parameters=total,
        active_parameters=active,
        hidden_size=hidden,
        layers=_number(inner, "num_hidden_layers", "n_layer", "num_layers", "n_layers"),
        heads=heads,
        kv_heads=_number(inner, "num_key_value_heads", "multi_query_group_num", "n_head_kv")
        or heads,
        head_dim=_number(inner, "head_dim", "kv_channels")
        or (hidden // heads if hidden and heads else None),
        intermediate_size=_number(inner, "intermediate_size", "ffn_hidden_size", "n_inner"),
        vocabulary=_number(inner, "vocab_size", "padded_vocab_size"),
        context_tokens=_number(inner, *CONTEXT_KEYS),
        tied_embeddings=tied if isinstance(tied, bool) else _tied_by_files(listed),
        experts=experts,
        dtype=_dtype(inner, listed),
        quantisation=quantisation,
    )


def quantisation_of(config: dict[str, Any], names: Iterable[str] = ()) -> str | None:
    """A short name such as "gptq-4bit"; None for plain 16- or 32-bit weights."""
    settings = config.get("quantization_config") or text_config(config).get("quantization_config")
    if not isinstance(settings, dict):
        settings = config.get("compression_config")
    if isinstance(settings, dict):
        return _quantisation_name(settings)
    if any(name.endswith((".qweight", ".weight_packed")) for name in names):
        return "unknown-packed"
    return None


def _quantisation_name(settings: dict[str, Any]) -> str:
    method = str(settings.get("quant_method", "unknown")).lower()
    if method in ("bitsandbytes", "unknown") and (
        settings.get("load_in_4bit") or settings.get("load_in_8bit")
    ):
        return "bnb-4bit" if settings.get("load_in_4bit") else "bnb-8bit"
    if method in ("gptq", "awq", "aqlm", "hqq", "quip"):
        bits = settings.get("bits", settings.get("w_bit"))
        return f"{method}-{bits}bit" if type(bits) is int else method
    if method == "compressed-tensors":
        groups = settings.get("config_groups")
        weights: Any = next(iter(groups.values()), {}) if isinstance(groups, dict) else {}
        weights = weights.get("weights") if isinstance(weights, dict) else {}
        if isinstance(weights, dict) and type(weights.get("num_bits")) is int:
            kind = "fp" if weights.get("type") == "float" else "int"
            return f"{kind}{weights['num_bits']}"
    return method


def _count(
    listed: list[tuple[str, TensorPlace]],
    quantisation: str | None,
    config: dict[str, Any],
    experts: int | None,
) -> tuple[int | None, int | None]:
    """Parameters in all, and those that one token passes through (embeddings included)."""
    if not listed:
        return None, None
    used = _number(config, "num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_k")
    share = used / experts if experts and used else 1.0
    total, active = 0, 0.0
    for name, place in listed:
        if _SCALES.search(name):
            continue
        count = place.elements * _packed(name, place, quantisation)
        total += count
        active += count * share if _ROUTED.search(name) else count
    return total, round(active) if share < 1 else None


def _packed(name: str, place: TensorPlace, quantisation: str | None) -> int:
    """How many weights one stored element holds."""
    if quantisation is None:
        return 1
    bits = int(found[1]) if (found := re.search(r"(\d+)(bit)?$", quantisation)) else 4
    if name.endswith((".qweight", ".weight_packed")) and place.dtype == "I32":
        return 32 // bits
    if place.dtype == "U8" and (
        quantisation == "bnb-4bit" or name.endswith(("_blocks", ".weight_packed"))
    ):
        return 2
    return 1


def _dtype(config: dict[str, Any], listed: list[tuple[str, TensorPlace]]) -> str | None:
    """The type that holds most of the stored bytes, else what config.json states."""
    weight: dict[str, int] = {}
    for _, place in listed:
        weight[place.dtype] = weight.get(place.dtype, 0) + place.elements * TYPE_BITS[place.dtype]
    if weight:
        most = max(weight, key=lambda dtype: weight[dtype])
        return _DTYPE_NAMES.get(most, most.lower())
    stated = config.get("dtype", config.get("torch_dtype"))
    return str(stated) if stated else None


def _tied_by_files(listed: list[tuple[str, TensorPlace]]) -> bool | None:
    if not listed:
        return None
    return not any(name.endswith(("lm_head.weight", "embed_out.weight")) for name, _ in listed)


def _number(config: dict[str, Any], *keys: str) -> int | None:
    for key in keys:
        value = config.get(key)
        if type(value) is int and value > 0:
            return value
    return None
