"""Counts from config.json against Transformers' own classes on the meta device."""

import pytest

from forkpoint.errors import BadInput
from forkpoint.estimate.shapes import network_from_config

SMALL = {
    "hidden_size": 128,
    "intermediate_size": 352,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 1000,
    "max_position_embeddings": 512,
}
MOE = {**SMALL, "num_experts_per_tok": 2, "moe_intermediate_size": 64}
CONFIGS = {
    "llama, grouped queries": {"model_type": "llama", **SMALL, "tie_word_embeddings": False},
    "llama, tied": {"model_type": "llama", **SMALL, "tie_word_embeddings": True},
    "llama, biases": {"model_type": "llama", **SMALL, "attention_bias": True, "mlp_bias": True},
    "llama, own head size": {"model_type": "llama", **SMALL, "head_dim": 32},
    "qwen2": {"model_type": "qwen2", **SMALL},
    "qwen3": {"model_type": "qwen3", **SMALL, "head_dim": 32},
    "gemma": {"model_type": "gemma", **SMALL, "head_dim": 32},
    "gemma2": {"model_type": "gemma2", **SMALL, "head_dim": 32},
    "gemma3": {"model_type": "gemma3_text", **SMALL, "head_dim": 32},
    "mistral, sliding window": {"model_type": "mistral", **SMALL, "sliding_window": 64},
    "mixtral": {"model_type": "mixtral", **MOE, "num_local_experts": 8},
    "qwen2_moe": {
        "model_type": "qwen2_moe",
        **MOE,
        "num_experts": 8,
        "decoder_sparse_step": 2,
        "shared_expert_intermediate_size": 96,
    },
    "qwen3_moe": {"model_type": "qwen3_moe", **MOE, "num_experts": 8, "mlp_only_layers": [0]},
    "olmoe": {"model_type": "olmoe", **MOE, "num_experts": 8},
    "olmo": {"model_type": "olmo", **SMALL},
    "olmo2": {"model_type": "olmo2", **SMALL},
    "cohere": {"model_type": "cohere", **SMALL},
    "glm": {"model_type": "glm", **SMALL, "pad_token_id": 0, "head_dim": 16},
    "glm4": {"model_type": "glm4", **SMALL, "pad_token_id": 0, "head_dim": 16},
    "granite": {"model_type": "granite", **SMALL},
    "smollm3": {"model_type": "smollm3", **SMALL, "pad_token_id": 0},
    "phi": {"model_type": "phi", **SMALL},
    "phi3": {"model_type": "phi3", **SMALL, "pad_token_id": 0},
    "stablelm": {"model_type": "stablelm", **SMALL},
    "starcoder2": {"model_type": "starcoder2", **SMALL},
    "gpt_neox": {"model_type": "gpt_neox", **SMALL},
    "falcon, one key": {"model_type": "falcon", **SMALL, "multi_query": True},
    "falcon, new": {
        "model_type": "falcon",
        **SMALL,
        "new_decoder_architecture": True,
        "num_kv_heads": 2,
    },
    "bloom": {
        "model_type": "bloom",
        "hidden_size": 64,
        "n_layer": 3,
        "n_head": 4,
        "vocab_size": 500,
    },
    "gpt2": {
        "model_type": "gpt2",
        "n_embd": 64,
        "n_layer": 3,
        "n_head": 4,
        "vocab_size": 500,
        "n_positions": 128,
    },
    "opt": {
        "model_type": "opt",
        "hidden_size": 64,
        "ffn_dim": 256,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "vocab_size": 500,
        "max_position_embeddings": 128,
        "word_embed_proj_dim": 64,
    },
}


@pytest.mark.parametrize("name", CONFIGS)
def test_parameters_equal_those_of_the_network_itself(name: str) -> None:
    """All parameters are counted, and those that quantisation shrinks among them."""
    torch = pytest.importorskip("torch")
    from transformers import AutoConfig, AutoModelForCausalLM

    config = dict(CONFIGS[name])
    built = AutoConfig.for_model(**config)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(built)
    network = network_from_config(config)
    assert sum(one.numel() for one in model.parameters()) == network.parameters
    assert model.get_input_embeddings().weight.numel() == network.vocabulary * network.hidden
    linear = sum(
        module.weight.numel()
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and "lm_head" not in name
    )
    counted = sum(
        one.inputs * one.outputs * one.count
        for one in network.linears
        if one.role not in ("expert", "router")
    )
    if name != "gpt2":  # its matrices are of a class of their own
        assert linear == counted


@pytest.mark.parametrize(
    ("name", "targets"), [("llama, grouped queries", 4), ("qwen2", 8), ("phi3", 16), ("phi", 8)]
)
def test_adapter_parameters_equal_those_of_peft(name: str, targets: int) -> None:
    """LoRA on all linear layers trains what PEFT trains."""
    torch = pytest.importorskip("torch")
    from peft import LoraConfig, get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    from forkpoint.estimate.states import adapter_parameters

    config = dict(CONFIGS[name])
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config))
        tuned = get_peft_model(
            model, LoraConfig(r=targets, target_modules="all-linear", task_type="CAUSAL_LM")
        )
    trained = sum(one.numel() for one in tuned.parameters() if one.requires_grad)
    assert trained == adapter_parameters(network_from_config(config), rank=targets)


def test_active_parameters_leave_idle_experts_out() -> None:
    """With 2 of 8 experts a token passes a quarter of the expert weights."""
    config = {"model_type": "mixtral", **MOE, "num_local_experts": 8}
    network = network_from_config(config)
    experts = sum(one.parameters for one in network.linears if one.role == "expert")
    assert network.parameters - experts * 3 // 4 == network.active_parameters


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"model_type": "nonesuch"}, "estimate.unknown-architecture"),
        ({"hidden_size": None}, "estimate.missing-field"),
        ({"hidden_size": -4}, "estimate.bad-field"),
        ({"hidden_size": "128"}, "estimate.bad-field"),
        ({"num_hidden_layers": 10**12}, "estimate.bad-field"),
        ({"num_attention_heads": 7}, "estimate.heads-do-not-divide"),
        ({"quantization_config": {"bits": 4}}, "estimate.missing-field"),
    ],
)
def test_a_config_that_cannot_be_counted_is_refused(change: dict[str, object], key: str) -> None:
    """What is missing or impossible is named, never guessed."""
    with pytest.raises(BadInput) as caught:
        network_from_config({"model_type": "llama", **SMALL, **change}, "some/config.json")
    assert key == caught.value.key


def test_sliding_windows_are_read() -> None:
    """Mistral looks back a window everywhere, Gemma 2 in every other layer, Qwen2 if told."""
    windowed = {
        name: network_from_config({"model_type": name, **SMALL, "sliding_window": 64})
        for name in ("mistral", "gemma2", "qwen2")
    }
    assert {"mistral": 4, "gemma2": 2, "qwen2": 0} == {
        name: one.windowed_layers for name, one in windowed.items()
    }
