"""GGUF files are read as far as their header, and broken ones are refused."""

import struct
from pathlib import Path
from typing import Any

import pytest

from forkpoint.errors import Unreadable
from forkpoint.facts import read_checkpoint

TOKENS = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "hello"]


def text(value: str) -> bytes:
    """A length and the bytes."""
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def setting(key: str, value: Any) -> bytes:
    """One key of the header with its type."""
    if isinstance(value, bool):
        return text(key) + struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return text(key) + struct.pack("<II", 4, value)
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value[0], str):
        return text(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
    return (
        text(key) + struct.pack("<IIQ", 9, 5, len(value)) + struct.pack(f"<{len(value)}i", *value)
    )


def make_gguf(path: Path, **changes: Any) -> Path:
    """A small GGUF file with a tokenizer, a template and two tensors."""
    settings = {
        "general.architecture": "llama", "general.license": "apache-2.0",
        "llama.embedding_length": 64, "llama.block_count": 2, "llama.context_length": 2048,
        "llama.attention.head_count": 8, "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": TOKENS, "tokenizer.ggml.token_type": [2, 3, 3, 3, 3, 1],
        "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 4,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.chat_template": "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
        "{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    } | changes  # fmt: skip
    tensors = {"token_embd.weight": (64, 6), "blk.0.ffn_up.weight": (64, 128)}
    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(settings))
    out += b"".join(setting(key, value) for key, value in settings.items())
    for name, shape in tensors.items():
        out += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        out += struct.pack("<IQ", 12, 0)  # Q4_K
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(out + b"\0" * 64)
    return path


def test_a_gguf_file_tells_what_a_folder_tells(tmp_path: Path) -> None:
    """Shape, tokenizer, template, ends and licence come from one file."""
    facts = read_checkpoint(str(make_gguf(tmp_path / "Tiny-1B-Instruct-Q4_K_M.gguf")))
    shape = facts.shape
    assert (64 * 6 + 64 * 128, 64, 2, 2048, 6, "gguf-q4_k") == (
        shape.parameters, shape.hidden_size, shape.layers, shape.context_tokens, shape.vocabulary,
        shape.quantisation,
    )  # fmt: skip
    assert ("<|im_end|>", ("<|im_end|>",), "<s>", "Apache-2.0", "yes") == (
        facts.tokenizer_eos, facts.generation_eos, facts.bos, facts.licence, facts.commercial_use,
    )  # fmt: skip
    assert ("instruct", "<|im_end|>", True) == (
        facts.stage, facts.template.end_of_turn, facts.template.generation_prompt,
    )  # fmt: skip


def test_a_folder_with_a_gguf_file_is_a_checkpoint(tmp_path: Path) -> None:
    """The file's folder gives the same facts as the file."""
    path = make_gguf(tmp_path / "m" / "Tiny-Instruct.gguf")
    assert read_checkpoint(str(path.parent)).identity == read_checkpoint(str(path)).identity


@pytest.mark.parametrize("cut", [3, 7, 20, 40, 200, 400])
def test_a_cut_off_file_is_refused(tmp_path: Path, cut: int) -> None:
    """Wherever the header ends too early, a sentence says so."""
    path = make_gguf(tmp_path / "m.gguf")
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(Unreadable) as caught:
        read_checkpoint(str(path))
    assert "facts.weights_truncated" == caught.value.key


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"GGML" + b"\0" * 60, "facts.not_gguf"),
        (b"GGUF" + struct.pack("<IQQ", 9, 0, 0), "facts.not_gguf"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0), "facts.weights_absurd"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1 << 60),
         "facts.weights_absurd"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IIQ", 9, 4, 1 << 50),
         "facts.weights_absurd"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<I", 99),
         "facts.weights_header"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a")
         + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 6, "facts.weights_header"),
    ],
)  # fmt: skip
def test_a_lying_header_is_refused(tmp_path: Path, data: bytes, key: str) -> None:
    """Wrong magic, absurd counts and unknown types each have their sentence."""
    path = tmp_path / "m.gguf"
    path.write_bytes(data)
    with pytest.raises(Unreadable) as caught:
        read_checkpoint(str(path))
    assert key == caught.value.key
