"""A recipe for Axolotl: `input_output` rows, which no template touches."""

from pathlib import Path
from typing import Any

from forkpoint.export.recipe import Kit, Recipe
from forkpoint.export.recipe_rows import RecipeRow
from forkpoint.export.tool import SCHEDULES, Onward, headline, start_of, write_lines, write_yaml

CHECKED = "0.19.0"
STAGES = ("text", "rows")
ONWARD: Onward = "merged"
TEXTS = True


def write(kit: Kit, folder: Path) -> tuple[str, ...]:
    """axolotl.yaml, and data/ with the masked stretches of each row."""
    write_lines(folder / "data" / "train.jsonl", [_segments(row) for row in kit.train])
    write_lines(folder / "data" / "validation.jsonl", [_segments(row) for row in kit.validation])
    write_yaml(folder / "axolotl.yaml", headline(kit), settings(kit))
    return ("export.gap_order",)


def command(recipe: Recipe) -> str:
    """What to type in the folder."""
    return "axolotl train axolotl.yaml"


def result(recipe: Recipe) -> str:
    """Where what was tuned is left."""
    return "tuned"


def _segments(row: RecipeRow) -> dict[str, list[dict[str, Any]]]:
    return {"segments": [{"label": trained, "text": text} for text, trained in row.stretches]}


def settings(kit: Kit) -> dict[str, Any]:
    """The configuration's values."""
    recipe = kit.recipe
    values: dict[str, Any] = {
        "base_model": start_of(recipe, ONWARD, result(recipe)),
        "trust_remote_code": False,
        "datasets": [{"path": "./data/train.jsonl", "ds_type": "json", "type": "input_output"}],
        "test_datasets": [
            {
                "path": "./data/validation.jsonl",
                "ds_type": "json",
                "type": "input_output",
                "split": "train",
            }
        ],
        "dataset_prepared_path": "./prepared",
        "output_dir": "./tuned",
        "sequence_len": recipe.context_tokens,
        "train_on_inputs": False,
        "sample_packing": False,
        "eval_sample_packing": False,
        "pad_to_sequence_len": False,
        "learning_rate": recipe.rate,
        "lr_scheduler": SCHEDULES[recipe.schedule],
        "warmup_steps": recipe.warmup_steps,
        "weight_decay": 0.0,
        "max_grad_norm": recipe.gradient_norm,
        "optimizer": "adamw_torch_fused",
        "num_epochs": recipe.passes,
        "micro_batch_size": recipe.rows_at_once,
        "gradient_accumulation_steps": recipe.accumulation,
        "bf16": recipe.dtype == "bfloat16",
        "seed": recipe.seed,
        "evals_per_epoch": 1,
        "saves_per_epoch": 1,
    }
    if recipe.quantised:
        values["load_in_4bit"] = True  # NF4 with scales quantised again is what it does then
    if recipe.adapters:
        values |= {
            "adapter": "qlora" if recipe.quantised else "lora",
            "lora_r": recipe.rank,
            "lora_alpha": recipe.alpha,
            "lora_dropout": 0.0,
            "lora_target_linear": True,
        }
    return values
