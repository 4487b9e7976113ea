"""One hash over what makes a checkpoint what it is."""

import hashlib

from forkpoint.facts.reading import Reading

# What a run depends on; cards and generation defaults may change without changing a result.
COUNTED = (
    "config.json", "adapter_config.json", "tokenizer.json", "tokenizer.model",
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "merges.txt", "chat_template.jinja", "chat_template.json", "model.safetensors.index.json",
)  # fmt: skip


def identity_of(reading: Reading) -> str:
    """SHA-256 over weights' headers and sizes, configuration, tokenizer and template."""
    digest = hashlib.sha256(b"forkpoint checkpoint 1\n")
    for file, value in sorted(reading.hashes.items()):
        if file in COUNTED or file.endswith(" (header)"):
            digest.update(f"{file}\t{value}\n".encode())
    digest.update(f"weights\t{reading.weights_bytes}\n".encode())
    return digest.hexdigest()
