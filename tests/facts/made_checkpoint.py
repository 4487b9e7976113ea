"""Small checkpoint folders made by hand, so that every odd case has one."""

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + "
    "message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>")
WORDS = 600  # ordinary tokens
PLACEHOLDERS = 12
BITS = {"F32": 32, "BF16": 16, "F16": 16, "I32": 32, "U8": 8, "F8_E4M3": 8}


def write_safetensors(path: Path, tensors: dict[str, tuple[str, tuple[int, ...]]]) -> None:
    """A file of zeros with a true header; sparse, so it may be of any size."""
    header, at = {}, 0
    for name, (dtype, shape) in tensors.items():
        length = math.prod(shape) * BITS[dtype] // 8
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + length]}
        at += length
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + at)


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """A file of float32 arrays."""
    write_safetensors(path, {name: ("F32", array.shape) for name, array in arrays.items()})
    with path.open("r+b") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        file.seek(8 + length)
        for array in arrays.values():
            file.write(array.astype("<f4").tobytes())


def vocabulary() -> dict[str, int]:
    """Special tokens, words, placeholders, by id."""
    names = [*SPECIALS, *(f"word{n}" for n in range(WORDS))]
    names += [f"<|reserved_special_token_{n}|>" for n in range(PLACEHOLDERS)]
    return {name: index for index, name in enumerate(names)}


def tokenizer_json(**changes: Any) -> dict[str, Any]:
    """A tokenizer.json as the tokenizers library lays it out."""
    ids = vocabulary()
    added = [
        {"id": ids[name], "content": name, "special": True, "normalized": False}
        for name in ids
        if name.startswith("<|")
    ]
    words = {name: index for name, index in ids.items() if name.startswith("word")}
    return {
        "version": "1.0",
        "added_tokens": added,
        "post_processor": {"type": "ByteLevel"},
        "model": {"type": "BPE", "unk_token": None, "vocab": words, "merges": [["a", "b"]]},
        **changes,
    }


def make_checkpoint(
    folder: Path,
    *,
    template: str | None = CHATML,
    eos: str = "<|im_end|>",
    pad: str | None = "<|pad|>",
    ends: Any = (2, 0),
    card: str | None = None,
    config: dict[str, Any] | None = None,
    generation: dict[str, Any] | None = None,
    tokenizer: dict[str, Any] | None = None,
    tokenizer_config: dict[str, Any] | None = None,
    tensors: dict[str, tuple[str, tuple[int, ...]]] | None = None,
) -> Path:
    """A whole little checkpoint; every argument makes one thing odd."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = len(vocabulary())
    settings = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 16,
        "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 32,
        "vocab_size": rows, "max_position_embeddings": 512, "tie_word_embeddings": True,
        "dtype": "bfloat16",
    }  # fmt: skip
    write_json(folder / "config.json", settings | (config or {}))
    ids = list(ends) if isinstance(ends, tuple) else ends
    if ids is not None:
        write_json(folder / "generation_config.json", {"eos_token_id": ids, **(generation or {})})
    write_json(folder / "tokenizer.json", tokenizer or tokenizer_json())
    names = {"bos_token": None, "eos_token": eos, "pad_token": pad}
    write_json(folder / "tokenizer_config.json", names | (tokenizer_config or {}))
    if template is not None:
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    if card is not None:
        (folder / "README.md").write_text(card, encoding="utf-8")
    default = {
        "model.embed_tokens.weight": ("BF16", (rows, 16)),
        "model.layers.0.mlp.up_proj.weight": ("BF16", (32, 16)),
    }
    write_safetensors(folder / "model.safetensors", tensors or default)
    return folder


def write_json(path: Path, value: Any) -> None:
    """A JSON file."""
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
