"""Parameters, quantisation and sizes are counted from headers, never guessed."""

from pathlib import Path
from typing import Any

import pytest
from made_checkpoint import make_checkpoint, vocabulary, write_json, write_safetensors

from forkpoint.facts import read_checkpoint

ROWS = len(vocabulary())
EMBEDDING = {"model.embed_tokens.weight": ("F16", (ROWS, 16))}
LAYER = "model.layers.0.mlp.down_proj"


def shape_of(folder: Path) -> Any:
    """Shape facts."""
    return read_checkpoint(str(folder)).shape


@pytest.mark.parametrize(
    ("settings", "tensors", "name", "weights"),
    [
        ({"quant_method": "gptq", "bits": 4},
         {"qweight": ("I32", (4, 64)), "qzeros": ("I32", (1, 8)), "scales": ("F16", (1, 64)),
          "g_idx": ("I32", (32,))}, "gptq-4bit", 4 * 64 * 8),
        ({"quant_method": "gptq", "bits": 8}, {"qweight": ("I32", (8, 64))}, "gptq-8bit", 2048),
        ({"quant_method": "awq", "bits": 4},
         {"qweight": ("I32", (32, 8)), "qzeros": ("I32", (1, 8)), "scales": ("F16", (1, 64))},
         "awq-4bit", 2048),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True},
         {"weight": ("U8", (1024, 1)), "weight.absmax": ("U8", (32,)),
          "weight.quant_map": ("F32", (16,)),
          "weight.quant_state.bitsandbytes__nf4": ("U8", (80,))}, "bnb-4bit", 2048),
        ({"load_in_8bit": True}, {"weight": ("U8", (32, 64)), "SCB": ("F32", (32,))},
         "bnb-8bit", 2048),
        ({"quant_method": "fp8"},
         {"weight": ("F8_E4M3", (32, 64)), "weight_scale_inv": ("F32", (1, 1))}, "fp8", 2048),
        ({"quant_method": "mxfp4"},
         {"weight_blocks": ("U8", (32, 32)), "weight_scales": ("U8", (32, 2))}, "mxfp4", 2048),
        ({"quant_method": "compressed-tensors",
          "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int"}}}},
         {"weight_packed": ("I32", (32, 8)), "weight_scale": ("F16", (32, 1)),
          "weight_shape": ("I32", (2,))}, "int4", 2048),
    ],
)  # fmt: skip
def test_packed_weights_are_counted_unpacked(
    tmp_path: Path, settings: dict[str, Any], tensors: dict[str, Any], name: str, weights: int
) -> None:
    """One int32 of a 4-bit method holds eight weights; scales are no parameters."""
    packed = {f"{LAYER}.{key}": value for key, value in tensors.items()}
    folder = make_checkpoint(
        tmp_path / "c", config={"quantization_config": settings}, tensors={**EMBEDDING, **packed}
    )
    shape = shape_of(folder)
    assert (name, weights + ROWS * 16) == (shape.quantisation, shape.parameters)


@pytest.mark.parametrize("fused", [False, True])
def test_a_mixture_counts_what_one_token_uses(tmp_path: Path, fused: bool) -> None:
    """Two of eight experts work on a token, whether experts are stored apart or in one tensor."""
    each = {f"model.layers.0.mlp.experts.{n}.up_proj.weight": ("BF16", (32, 16)) for n in range(8)}
    one = {"model.layers.0.mlp.experts.gate_up_proj": ("BF16", (8, 32, 16))}
    shape = shape_of(
        make_checkpoint(
            tmp_path / "c",
            config={"num_experts": 8, "num_experts_per_tok": 2},
            tensors={**EMBEDDING, **(one if fused else each)},
        )
    )
    total, active = ROWS * 16 + 8 * 512, ROWS * 16 + 2 * 512
    assert (total, active, 8) == (shape.parameters, shape.active_parameters, shape.experts)


def test_a_nested_configuration_is_read(tmp_path: Path) -> None:
    """Multimodal checkpoints keep the language model's shape one level down."""
    inner = {"hidden_size": 64, "num_attention_heads": 8, "num_key_value_heads": 2,
             "max_position_embeddings": 4096}  # fmt: skip
    folder = make_checkpoint(
        tmp_path / "c",
        config={"text_config": inner, "vision_config": {},
                "architectures": ["XForConditionalGeneration"]},
    )  # fmt: skip
    facts = read_checkpoint(str(folder))
    shape = facts.shape
    assert (64, 8, 2, 8, 4096) == (
        shape.hidden_size, shape.heads, shape.kv_heads, shape.head_dim, shape.context_tokens
    )  # fmt: skip
    assert "vision" == facts.kind.value


def test_shards_are_added_up(tmp_path: Path) -> None:
    """Two shards, one checkpoint."""
    folder = make_checkpoint(tmp_path / "c")
    (folder / "model.safetensors").unlink()
    files = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    write_safetensors(folder / files[0], EMBEDDING)
    write_safetensors(folder / files[1], {f"{LAYER}.weight": ("F16", (16, 32))})
    weight_map = {"model.embed_tokens.weight": files[0], f"{LAYER}.weight": files[1]}
    write_json(folder / "model.safetensors.index.json", {"weight_map": weight_map})
    shape = shape_of(folder)
    assert (ROWS * 16 + 512, "float16") == (shape.parameters, shape.dtype)


def test_an_adapter_says_what_it_needs(tmp_path: Path) -> None:
    """An adapter names its base, counts its own weights and is no base."""
    folder = tmp_path / "my-lora"
    folder.mkdir()
    write_json(
        folder / "adapter_config.json",
        {"base_model_name_or_path": "Qwen/Qwen2.5-7B", "peft_type": "LORA", "r": 8},
    )
    write_safetensors(
        folder / "adapter_model.safetensors",
        {"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": ("F32", (8, 16))},
    )  # fmt: skip
    facts = read_checkpoint(str(folder))
    assert ("Qwen/Qwen2.5-7B", "adapter", "qwen2.5", 128) == (
        facts.base_model, facts.relation, facts.family, facts.shape.parameters
    )  # fmt: skip
    assert "adapter" in {notice.code for notice in facts.notices}
    assert facts.stage != "base"


@pytest.mark.real
def test_the_count_agrees_with_the_real_thing(real_checkpoints: Path) -> None:
    """SmolLM2 135M has 134,515,008 parameters, Gemma 3 270M has 268,098,176."""
    found = [
        shape_of(real_checkpoints / name).parameters
        for name in ("SmolLM2-135M-Instruct", "gemma-3-270m-base")
    ]
    assert [134_515_008, 268_098_176] == found
