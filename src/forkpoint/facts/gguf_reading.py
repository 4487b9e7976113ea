"""A GGUF header told in the words of config.json, generation_config.json and a tokenizer."""

from typing import Any

from forkpoint.facts.gguf_header import GGUFHeader
from forkpoint.facts.tokenizer_files import AddedToken, TokenizerFacts

CONTROL_TYPES = (3, 4)  # token types of llama.cpp: control, user defined


def config_of(header: GGUFHeader) -> dict[str, Any]:
    """The keys of config.json that a GGUF header can answer."""
    settings = header.settings
    model = str(settings.get("general.architecture", "unknown"))
    names = {
        "hidden_size": "embedding_length",
        "num_hidden_layers": "block_count",
        "num_attention_heads": "attention.head_count",
        "num_key_value_heads": "attention.head_count_kv",
        "head_dim": "attention.key_length",
        "intermediate_size": "feed_forward_length",
        "max_position_embeddings": "context_length",
        "num_experts": "expert_count",
        "num_experts_per_tok": "expert_used_count",
    }
    config: dict[str, Any] = {"model_type": model, "architectures": [model]}
    for ours, theirs in names.items():
        value = settings.get(f"{model}.{theirs}")
        if type(value) is int:
            config[ours] = value
    tokens = settings.get("tokenizer.ggml.tokens")
    if isinstance(tokens, list):
        config["vocab_size"] = len(tokens)
    config["tie_word_embeddings"] = "output.weight" not in header.tensors
    if any(name.startswith(("v.", "mm.")) for name in header.tensors):
        config["vision_config"] = {}
    return config


def generation_of(header: GGUFHeader) -> dict[str, Any]:
    """The ids at which llama.cpp ends generation."""
    ids = [header.settings.get(f"tokenizer.ggml.{name}_token_id") for name in ("eos", "eot", "eom")]
    known = list(dict.fromkeys(index for index in ids if type(index) is int))
    return {"eos_token_id": known} if known else {}


def template_of(header: GGUFHeader) -> str | None:
    """The chat template, if the file carries one."""
    found = header.settings.get("tokenizer.chat_template")
    return found if isinstance(found, str) else None


def tokenizer_of(header: GGUFHeader) -> TokenizerFacts:
    """The tokenizer that the file carries."""
    settings = header.settings
    tokens = settings.get("tokenizer.ggml.tokens")
    types = settings.get("tokenizer.ggml.token_type") or ()
    if not isinstance(tokens, list):
        return TokenizerFacts(kind=settings.get("tokenizer.ggml.model"))
    added = tuple(
        AddedToken(tokens[index], index, special=kind == CONTROL_TYPES[0])
        for index, kind in enumerate(types)
        if kind in CONTROL_TYPES and index < len(tokens)
    )

    def named(role: str) -> str | None:
        index = settings.get(f"tokenizer.ggml.{role}_token_id")
        return tokens[index] if type(index) is int and 0 <= index < len(tokens) else None

    begins = settings.get("tokenizer.ggml.add_bos_token")
    return TokenizerFacts(
        kind=str(settings.get("tokenizer.ggml.model")),
        vocabulary={token: index for index, token in enumerate(tokens)},
        added=added,
        bos=named("bos"),
        eos=named("eos"),
        pad=named("padding"),
        unk=named("unknown"),
        adds_bos=begins if isinstance(begins, bool) else None,
    )
