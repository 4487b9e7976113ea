"""Inspecting is light: quick, small, and without the heavy libraries."""

import json
import subprocess
import sys
from pathlib import Path

from made_checkpoint import make_checkpoint, tokenizer_json, write_json, write_safetensors

SCRIPT = """
import json, sys, time
from pathlib import Path
from forkpoint.facts import read_checkpoint
facts = read_checkpoint(sys.argv[1])
status = Path('/proc/self/status').read_text()  # getrusage keeps the parent's peak over exec
print(json.dumps({
    "seconds": time.process_time(),
    "megabytes": int(status.split("VmHWM:")[1].split()[0]) / 1024,
    "heavy": sorted({"torch", "transformers"} & set(sys.modules)),
    "parameters": facts.shape.parameters, "kind": facts.sold_as.value,
}))
"""
SECONDS_LIMIT = 2.0  # seconds of processor time, imports included; other work does not count
MEGABYTES_LIMIT = 300.0


def big_checkpoint(folder: Path) -> Path:
    """The files of a 70B checkpoint: 30 shards, 723 tensors, a vocabulary of 128,256 (sparse)."""
    words = {f"w{n}": n for n in range(128_000)}
    merges = [[f"w{n}", f"w{n + 1}"] for n in range(280_000)]
    model = {"type": "BPE", "vocab": words, "merges": merges}
    added = [
        {"id": 128_000 + n, "content": f"<|reserved_special_token_{n}|>", "special": True}
        for n in range(256)
    ]
    make_checkpoint(
        folder,
        tokenizer=tokenizer_json(model=model, added_tokens=added),
        template=None,
        eos="<|reserved_special_token_0|>",
        ends=128_000,
        config={"hidden_size": 8192, "vocab_size": 128_256},
    )
    (folder / "model.safetensors").unlink()
    layer = {
        "self_attn.q_proj": (8192, 8192), "self_attn.k_proj": (1024, 8192),
        "self_attn.v_proj": (1024, 8192), "self_attn.o_proj": (8192, 8192),
        "mlp.gate_proj": (28_672, 8192), "mlp.up_proj": (28_672, 8192),
        "mlp.down_proj": (8192, 28_672), "input_layernorm": (8192,),
        "post_attention_layernorm": (8192,),
    }  # fmt: skip
    names = {
        f"model.layers.{n}.{name}.weight": ("BF16", shape)
        for n in range(80)
        for name, shape in layer.items()
    }
    names |= {
        "model.embed_tokens.weight": ("BF16", (128_256, 8192)),
        "lm_head.weight": ("BF16", (128_256, 8192)), "model.norm.weight": ("BF16", (8192,)),
    }  # fmt: skip
    listed = list(names.items())
    weight_map = {}
    for shard in range(30):
        file = f"model-{shard + 1:05}-of-00030.safetensors"
        part = dict(listed[shard::30])
        write_safetensors(folder / file, part)
        weight_map |= dict.fromkeys(part, file)
    write_json(folder / "model.safetensors.index.json", {"weight_map": weight_map})
    return folder


def test_a_70b_folder_takes_under_two_seconds_and_300_mb(tmp_path: Path) -> None:
    """Headers, single rows and samples are read; 141 GB of weights are not."""
    folder = big_checkpoint(tmp_path / "Big-70B")
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)], capture_output=True, text=True, check=True
    )
    found = json.loads(run.stdout)
    assert 70_553_706_496 == found["parameters"]
    assert [] == found["heavy"]
    assert found["seconds"] < SECONDS_LIMIT
    assert found["megabytes"] < MEGABYTES_LIMIT
