"""A recipe for TRL: `trl sft --config sft.yaml`, rows as tokens and labels."""

from pathlib import Path
from typing import Any

from forkpoint.export.recipe import Kit, Recipe
from forkpoint.export.tool import headline, tokens_of, write_lines, write_yaml

CHECKED = "1.16.0"
SCHEDULES = {"linear": "linear", "constant": "constant_with_warmup", "cosine": "cosine"}


def write(kit: Kit, folder: Path) -> tuple[str, ...]:
    """sft.yaml, and data/ as `datasets` reads it."""
    write_lines(folder / "data" / "train.jsonl", [tokens_of(row) for row in kit.train])
    write_lines(folder / "data" / "validation.jsonl", [tokens_of(row) for row in kit.validation])
    write_yaml(folder / "sft.yaml", headline(kit), settings(kit))
    return ("export.gap_order",)


def command(recipe: Recipe) -> str:
    """What to type in the folder."""
    return "trl sft --config sft.yaml"


def settings(kit: Kit) -> dict[str, Any]:
    """The configuration's values."""
    recipe = kit.recipe
    values: dict[str, Any] = {
        "model_name_or_path": recipe.model,
        "dtype": "float32" if recipe.approach == "full" else recipe.dtype,
        "dataset_name": "./data",
        "dataset_train_split": "train",
        "dataset_test_split": "validation",
        "output_dir": "./tuned",
        "learning_rate": recipe.rate,
        "lr_scheduler_type": SCHEDULES[recipe.schedule],
        "warmup_steps": recipe.warmup_steps,
        "weight_decay": 0.0,
        "max_grad_norm": recipe.gradient_norm,
        "optim": "adamw_torch_fused",
        "num_train_epochs": recipe.passes,
        "per_device_train_batch_size": recipe.rows_at_once,
        "gradient_accumulation_steps": recipe.accumulation,
        "max_length": None,  # rows are never cut
        "packing": False,
        "bf16": recipe.dtype == "bfloat16",
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "report_to": "none",
    }
    if recipe.approach == "lora":
        values |= {
            "use_peft": True,
            "lora_r": recipe.rank,
            "lora_alpha": recipe.alpha,
            "lora_dropout": 0.0,
            "lora_target_modules": ["all-linear"],
            "lora_task_type": "CAUSAL_LM",
        }
    return values
