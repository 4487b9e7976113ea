"""The folders that the guides speak of, made from the pocket checkpoints and by hand."""

import json
import shutil
import struct
import sys
from pathlib import Path

from forkpoint.pocket import checkpoint_path

sys.path.insert(0, str(Path(__file__).parents[1] / "facts"))
from made_checkpoint import make_checkpoint, tokenizer_json, write_json, write_safetensors
from test_gguf import make_gguf

# Everything that a template can do to a training at once: it writes BOS although the tokenizer
# does, brings a system prompt of its own and refuses anybody else's, reads the clock, marks earlier
# answers differently, and cannot be ended where the answer begins.
ODD_TEMPLATE = (
    "<|endoftext|>{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}"
    "{% endif %}<|im_start|>system\nYou are a helpful parrot. It is "
    "{{ strftime_now('%A') }}.<|im_end|>\n{% for message in messages %}<|im_start|>"
    "{{ message['role'] }}{% if not loop.last %} (earlier){% endif %}\n"
    "{{ message['content'] | trim }}<|im_end|>\n{% endfor %}"
)


def make_folders(folder: Path) -> None:
    """All of them, side by side in one folder."""
    base, tuned = (Path(checkpoint_path(f"pocket-{one}")) for one in ("base", "instruct"))
    copy = Path(shutil.copytree(base, folder / "pocket-copy"))
    shutil.copy(tuned / "chat_template.jinja", copy / "chat_template.jinja")
    (copy / "README.md").write_text("---\nlicense: llama3.1\n---\n", encoding="utf-8")
    torn = Path(shutil.copytree(copy, folder / "torn")) / "model.safetensors"
    torn.write_bytes(torn.read_bytes()[: torn.stat().st_size // 2])
    shutil.copytree(tuned, folder / "renamed-Base")
    _adapter(folder / "tickets-lora")
    _odd(folder / "odd-Chat")
    _broken(folder)
    turns = [{"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "A cat."}]
    rows = (json.dumps({"messages": turns, "images": [f"{n}.png"]}) for n in range(4))
    (folder / "photos.jsonl").write_text("\n".join(rows))
    make_gguf(folder / "Tiny-1B-Instruct-Q4_K_M.gguf")
    layer = "model.layers.0.mlp.up_proj"
    make_checkpoint(
        folder / "tiny-Chat-GPTQ-Int4",
        config={"quantization_config": {"quant_method": "gptq", "bits": 4}},
        tensors={
            "model.embed_tokens.weight": ("BF16", (616, 16)),
            f"{layer}.qweight": ("I32", (4, 64)), f"{layer}.qzeros": ("I32", (1, 8)),
            f"{layer}.scales": ("F16", (1, 64)), f"{layer}.g_idx": ("I32", (32,)),
        },
        card="---\nlicense: cc-by-nc-4.0\nbase_model: acme/tiny-Chat\n"
        "base_model_relation: quantized\n---\n",
    )  # fmt: skip


def _adapter(folder: Path) -> None:
    """A LoRA adapter alone."""
    folder.mkdir()
    described = {"peft_type": "LORA", "base_model_name_or_path": "pocket-base", "r": 16}
    (folder / "adapter_config.json").write_text(json.dumps(described))
    name = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
    write_safetensors(folder / "adapter_model.safetensors", {name: ("F32", (16, 128))})


def _odd(folder: Path) -> None:
    """A tuned checkpoint with every trouble that is caught from its files."""
    adds_bos = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}},
                   {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [], "special_tokens": {},
    }  # fmt: skip
    make_checkpoint(
        folder, template=ODD_TEMPLATE, pad="<|im_end|>", card="---\nlicense: openrail\n---\n",
        tokenizer=tokenizer_json(post_processor=adds_bos),
        tokenizer_config={"bos_token": "<|endoftext|>", "add_bos_token": True},
        tensors={"model.embed_tokens.weight": ("BF16", (600, 16))},
    )  # fmt: skip


def _broken(folder: Path) -> None:
    """Checkpoints that are refused."""
    shards = make_checkpoint(folder / "two-shards")
    (shards / "model.safetensors").rename(shards / "model-00001-of-00002.safetensors")
    files = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    places = dict(zip("ab", files, strict=True))
    write_json(shards / "model.safetensors.index.json", {"weight_map": places})
    pickled = make_checkpoint(folder / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    absurd = make_checkpoint(folder / "absurd")
    (absurd / "model.safetensors").write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    circle = make_checkpoint(folder / "circle")
    (circle / "a.json").symlink_to(circle / "b.json")
    (circle / "b.json").symlink_to(circle / "a.json")
