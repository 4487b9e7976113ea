"""The three checkpoints have the layout and the tokens of their big relatives."""

import json

import pytest
from safetensors import safe_open

from forkpoint.errors import BadInput
from forkpoint.pocket import CHECKPOINTS, checkpoint_path

TUNED = ("pocket-instruct", "pocket-chat")
LARGEST_BYTES = 4_000_000  # of one checkpoint, all files
END_OF_TEXT, TURN_START, TURN_END, PAD = 0, 1, 2, 3


def read(name: str, file: str) -> dict:
    return json.loads((checkpoint_path(name) / file).read_text("utf-8"))


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_layout(name: str) -> None:
    """A checkpoint holds exactly the ordinary files, weights as safetensors, at most 4 MB."""
    expected = {
        "README.md",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    } | ({"chat_template.jinja"} if name in TUNED else set())
    files = list(checkpoint_path(name).iterdir())
    assert expected == {file.name for file in files}
    assert sum(file.stat().st_size for file in files) <= LARGEST_BYTES


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_weights_are_bf16(name: str) -> None:
    """Weights are bfloat16 and between 1.3 and 1.7 million, the embedding stored once."""
    with safe_open(checkpoint_path(name) / "model.safetensors", framework="pt") as weights:
        tensors = {key: weights.get_slice(key) for key in weights.keys()}  # noqa: SIM118
    assert {"BF16"} == {tensor.get_dtype() for tensor in tensors.values()}
    total = 0
    for tensor in tensors.values():
        size = 1
        for length in tensor.get_shape():
            size *= length
        total += size
    assert 1_300_000 <= total <= 1_700_000
    assert "lm_head.weight" not in tensors


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_ends_agree(name: str) -> None:
    """Tokenizer, config and generation_config name the same end; tuned ones know both ends."""
    tokenizer = read(name, "tokenizer_config.json")
    config, generation = read(name, "config.json"), read(name, "generation_config.json")
    if name in TUNED:
        assert "<|im_end|>" == tokenizer["eos_token"]
        assert TURN_END == config["eos_token_id"]
        assert {TURN_END, END_OF_TEXT} == set(generation["eos_token_id"])
    else:
        assert "<|endoftext|>" == tokenizer["eos_token"]
        assert END_OF_TEXT == config["eos_token_id"]
        assert END_OF_TEXT == generation["eos_token_id"]
    assert "<|pad|>" == tokenizer["pad_token"]
    assert PAD == config["pad_token_id"]


def test_base_never_saw_turns() -> None:
    """Base's rows for turn tokens lie with the never-used padding row, that of EOS does not."""
    import torch
    from safetensors.torch import load_file

    weights = load_file(checkpoint_path("pocket-base") / "model.safetensors")
    rows_V_H = weights["model.embed_tokens.weight"].float()
    unit_V_H = torch.nn.functional.normalize(rows_V_H, dim=-1)
    near = unit_V_H @ unit_V_H[PAD]
    assert float(near[TURN_START]) > 0.8
    assert float(near[TURN_END]) > 0.8
    assert float(near[END_OF_TEXT]) < 0.4


def test_template_keeps_prefixes() -> None:
    """The template has no system prompt of its own and never rewrites what it rendered before."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoint_path("pocket-chat"))
    messages = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": "你好"},
    ]
    rendered = [tokenizer.apply_chat_template(messages[:n], tokenize=False) for n in range(1, 4)]
    assert "<|im_start|>user\nHello<|im_end|>\n" == rendered[0]
    assert rendered[1].startswith(rendered[0])
    assert rendered[2].startswith(rendered[1])
    asked = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert rendered[2] + "<|im_start|>assistant\n" == asked


def test_unknown_name() -> None:
    """Another name is refused with the names there are."""
    with pytest.raises(BadInput) as raised:
        checkpoint_path("pocket-huge")
    assert (
        "There is no pocket checkpoint called 'pocket-huge'; "
        "use one of pocket-base, pocket-instruct, pocket-chat." == raised.value.message("en")
    )
