"""How each family of decoders spends its parameters, read from config.json alone.

A family is a `Plan` of differences from Llama. Counts are held to Transformers' own classes on
the meta device by tests/estimate/test_network.py.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Config = Mapping[str, Any]


class Plan(NamedTuple):
    """What sets a family apart from Llama (gated MLP, two RMSNorms a layer, no biases)."""

    qkv: Literal["apart", "fused"] = "apart"
    gate: Literal["apart", "fused", "none"] = "apart"
    attention_bias: bool | str = "attention_bias"  # a fact, or the config field that tells it
    output_bias: bool | str = "attention_bias"
    biased_unless_told: bool = False
    mlp_bias: bool | str = "mlp_bias"
    norms: int = 2  # of the hidden size, in each layer
    norm_weights: int = 1  # vectors in one norm: 1 for RMSNorm, 2 with a bias, 0 without weights
    query_key_norm: Literal["none", "head", "width"] = "none"
    tied: bool = False  # where the config does not say
    head_dim: int | None = None  # where the config does not say
    head_bias: bool = False
    positions: int = 0  # learned positions beyond max_position_embeddings; -1: none at all
    embedding_norm: bool = False
    names: Literal["llama", "phi", "gpt", "neox", "opt"] = "llama"
    expert_width: str = "moe_intermediate_size"
    window: Literal["none", "all", "alternate", "flag"] = "none"


LLAMA = Plan(positions=-1)
QWEN2 = LLAMA._replace(attention_bias=True, output_bias=False, mlp_bias=False, window="flag")
QWEN3 = LLAMA._replace(query_key_norm="head", mlp_bias=False, window="flag")
GEMMA = LLAMA._replace(tied=True, head_dim=256, mlp_bias=False)
GPT = Plan(
    qkv="fused",
    gate="none",
    attention_bias=True,
    output_bias=True,
    mlp_bias=True,
    norm_weights=2,
    names="neox",
    positions=-1,
)

FAMILIES: dict[str, Plan] = {
    "llama": LLAMA,
    "mistral": LLAMA._replace(
        attention_bias=False, output_bias=False, mlp_bias=False, window="all"
    ),
    "ministral": LLAMA._replace(attention_bias=False, output_bias=False, mlp_bias=False),
    "smollm3": LLAMA._replace(tied=True),
    "granite": LLAMA,
    "qwen": QWEN2,
    "qwen2": QWEN2,
    "qwen3": QWEN3,
    "gemma": GEMMA,
    "gemma2": GEMMA._replace(norms=4, window="alternate"),
    "gemma3_text": GEMMA._replace(norms=4, query_key_norm="head", window="alternate"),
    "olmo": LLAMA._replace(norm_weights=0, mlp_bias=False),
    "olmo2": LLAMA._replace(query_key_norm="width", mlp_bias=False),
    "cohere": LLAMA._replace(norms=1, tied=True, mlp_bias=False),
    "glm": LLAMA._replace(gate="fused", output_bias=False, mlp_bias=False, biased_unless_told=True),
    "glm4": LLAMA._replace(
        gate="fused", output_bias=False, mlp_bias=False, biased_unless_told=True, norms=4
    ),
    "chatglm": LLAMA._replace(
        qkv="fused",
        gate="fused",
        attention_bias="add_qkv_bias",
        output_bias=False,
        mlp_bias=False,
        biased_unless_told=True,
    ),
    "internlm2": LLAMA._replace(attention_bias="bias", output_bias="bias", mlp_bias=False),
    "baichuan": LLAMA._replace(attention_bias=False, output_bias=False, mlp_bias=False),
    "phi3": LLAMA._replace(
        qkv="fused",
        gate="fused",
        attention_bias=False,
        output_bias=False,
        mlp_bias=False,
        window="all",
    ),
    "stablelm": LLAMA._replace(
        attention_bias="use_qkv_bias", output_bias=False, mlp_bias=False, norm_weights=2
    ),
    "starcoder2": LLAMA._replace(
        gate="none",
        attention_bias="use_bias",
        output_bias="use_bias",
        mlp_bias="use_bias",
        norm_weights=2,
        tied=True,
        names="phi",
        window="all",
        biased_unless_told=True,
    ),
    "phi": GPT._replace(qkv="apart", norms=1, names="phi", head_bias=True),
    "gpt_neox": GPT._replace(attention_bias=True, output_bias=True),
    "falcon": GPT._replace(
        attention_bias="bias", output_bias="bias", mlp_bias="bias", tied=True, norms=0
    ),
    "bloom": GPT._replace(tied=True, embedding_norm=True),
    "gpt2": GPT._replace(tied=True, positions=0, names="gpt"),
    "opt": GPT._replace(qkv="apart", tied=True, positions=2, names="opt"),
    "mixtral": LLAMA._replace(
        attention_bias=False, output_bias=False, expert_width="intermediate_size", window="all"
    ),
    "qwen2_moe": QWEN2,
    "qwen3_moe": QWEN3._replace(window="flag"),
    "olmoe": LLAMA._replace(query_key_norm="width", expert_width="intermediate_size"),
}


def told(config: Config, plan: Plan, value: bool | str) -> bool:
    """A fact of the family, or what the config says in the named field."""
    if isinstance(value, bool):
        return value
    return bool(config.get(value, plan.biased_unless_told))
