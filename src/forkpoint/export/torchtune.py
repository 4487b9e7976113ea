"""A recipe for torchtune, for the networks that it has builders for; rows come as tokens."""

import math
from pathlib import Path
from typing import Any

from forkpoint.errors import BadInput
from forkpoint.export.recipe import Kit, Recipe
from forkpoint.export.tool import (
    Onward,
    headline,
    start_of,
    tokens_of,
    write_lines,
    write_yaml,
)
from forkpoint.ledger import write_whole

CHECKED = "0.6.1"
STAGES = ("text", "rows")
ONWARD: Onward = "whole"  # its checkpointer merges the adapter as it saves
TEXTS = False
# (model_type, hidden size, layers, vocabulary or None) -> package.builder, checkpointer's type
BUILDERS = {
    ("qwen2", 896, 24, None): ("qwen2_5.qwen2_5_0_5b", "QWEN2"),
    ("qwen2", 1536, 28, None): ("qwen2_5.qwen2_5_1_5b_base", "QWEN2"),
    ("qwen2", 2048, 36, None): ("qwen2_5.qwen2_5_3b", "QWEN2"),
    ("qwen2", 3584, 28, None): ("qwen2_5.qwen2_5_7b_base", "QWEN2"),
    ("qwen2", 5120, 48, None): ("qwen2_5.qwen2_5_14b_base", "QWEN2"),
    ("qwen2", 5120, 64, None): ("qwen2_5.qwen2_5_32b_base", "QWEN2"),
    ("qwen2", 8192, 80, None): ("qwen2_5.qwen2_5_72b_base", "QWEN2"),
    ("llama", 2048, 16, None): ("llama3_2.llama3_2_1b", "LLAMA3_2"),
    ("llama", 3072, 28, None): ("llama3_2.llama3_2_3b", "LLAMA3_2"),
    ("llama", 4096, 32, 128256): ("llama3_1.llama3_1_8b", "LLAMA3"),
    ("llama", 8192, 80, 128256): ("llama3_1.llama3_1_70b", "LLAMA3"),
    ("llama", 4096, 32, 32000): ("llama2.llama2_7b", "LLAMA2"),
    ("llama", 5120, 40, 32000): ("llama2.llama2_13b", "LLAMA2"),
}
SCHEDULES = {
    "linear": "transformers.get_linear_schedule_with_warmup",
    "constant": "transformers.get_constant_schedule_with_warmup",
    "cosine": "torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup",
}
MODULE = '''"""Rows that are tokens already, and a tokenizer that only knows its padding."""

import json
from pathlib import Path

from torch.utils.data import Dataset


class Padding:
    """What the recipe asks of a tokenizer when nothing is left to encode."""

    def __init__(self, pad_id):
        self.pad_id = pad_id


class Rows(Dataset):
    """Tokens and labels from a file of JSON lines."""

    def __init__(self, tokenizer, source):
        lines = Path(source).read_text(encoding="utf-8").splitlines()
        self.rows = [json.loads(line) for line in lines]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, place):
        row = self.rows[place]
        return {"tokens": row["input_ids"], "labels": row["labels"]}
'''


def write(kit: Kit, folder: Path) -> tuple[str, ...]:
    """recipe.yaml, the module it loads rows with, and data/; raises BadInput."""
    values = settings(kit)
    write_lines(folder / "data" / "train.jsonl", [tokens_of(row) for row in kit.train])
    write_whole(folder / "forkpoint_rows.py", MODULE.encode())
    write_yaml(folder / "recipe.yaml", headline(kit), values)
    gaps = ["export.gap_order", "export.gap_torchtune_validation"]
    if kit.recipe.passes != int(kit.recipe.passes):
        gaps.append("export.gap_passes")
    return tuple(gaps)


def command(recipe: Recipe) -> str:
    """What to type in the folder."""
    kind = "lora" if recipe.adapters else "full"
    return f"tune run {kind}_finetune_single_device --config recipe.yaml"


def result(recipe: Recipe) -> str:
    """Where what was tuned is left: the folder of the last pass."""
    return f"tuned/epoch_{math.ceil(recipe.passes) - 1}"


def _builder(recipe: Recipe) -> tuple[str, str]:
    for (kind, hidden, layers, vocabulary), found in BUILDERS.items():
        same = (kind, hidden, layers) == (recipe.model_type, recipe.hidden_size, recipe.layers)
        if same and vocabulary in (None, recipe.vocabulary):
            return found
    raise BadInput(
        "export.torchtune_network", model=recipe.model_name, kind=recipe.model_type,
        hidden=recipe.hidden_size or 0, layers=recipe.layers or 0,
    )  # fmt: skip


def settings(kit: Kit) -> dict[str, Any]:
    """The configuration's values; raises BadInput for a network without a builder."""
    recipe = kit.recipe
    builder, kind = _builder(recipe)
    package, name = builder.split(".")
    lora = recipe.adapters
    model: dict[str, Any] = {
        "_component_": f"torchtune.models.{package}.{'lora_' if lora else ''}{name}"
    }
    if lora:
        model |= {
            "lora_attn_modules": ["q_proj", "k_proj", "v_proj", "output_proj"],
            "apply_lora_to_mlp": True,
            "lora_rank": recipe.rank,
            "lora_alpha": recipe.alpha,
            "lora_dropout": 0.0,
        }
    if recipe.quantised:
        model["quantize_base"] = True
    files = sorted(path.name for path in Path(recipe.model).glob("*.safetensors"))
    schedule: dict[str, Any] = {
        "_component_": SCHEDULES[recipe.schedule],
        "num_warmup_steps": recipe.warmup_steps,
    }
    return {
        "output_dir": "./tuned",
        "model": model,
        "tokenizer": {"_component_": "forkpoint_rows.Padding", "pad_id": recipe.pad_id},
        "checkpointer": {
            "_component_": "torchtune.training.FullModelHFCheckpointer",
            "checkpoint_dir": start_of(recipe, ONWARD, "tuned/epoch_0"),
            "checkpoint_files": files,
            "recipe_checkpoint": None,
            "output_dir": "${output_dir}",
            "model_type": kind,
        },
        "resume_from_checkpoint": False,
        "dataset": {"_component_": "forkpoint_rows.Rows", "source": "data/train.jsonl"},
        "seed": recipe.seed,
        "shuffle": True,
        "batch_size": recipe.rows_at_once,
        "gradient_accumulation_steps": recipe.accumulation,
        "epochs": math.ceil(recipe.passes),
        "max_steps_per_epoch": None,
        "optimizer": {
            "_component_": "torch.optim.AdamW",
            "fused": True,
            "lr": recipe.rate,
            "weight_decay": 0.0,
        },
        "lr_scheduler": schedule,
        "optimizer_in_bwd": False,
        "loss": {"_component_": "torchtune.modules.loss.CEWithChunkedOutputLoss"},
        "clip_grad_norm": recipe.gradient_norm,
        "device": "cuda",
        "dtype": "bf16" if recipe.dtype == "bfloat16" else "fp32",
        "compile": False,
        "enable_activation_checkpointing": False,
        "enable_activation_offloading": False,
        "metric_logger": {
            "_component_": "torchtune.training.metric_logging.DiskLogger",
            "log_dir": "${output_dir}/logs",
        },
        "log_every_n_steps": 1,
        "log_peak_memory_stats": True,
        "profiler": {"_component_": "torchtune.training.setup_torch_profiler", "enabled": False},
    }
