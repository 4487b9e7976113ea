"""A recipe for LLaMA-Factory: the template `empty`, so that rows stay as they were rendered."""

from pathlib import Path
from typing import Any

import orjson

from forkpoint.export.recipe import Kit, Recipe, RecipeRow
from forkpoint.export.tool import headline, turns_of, write_yaml
from forkpoint.export.trl import SCHEDULES
from forkpoint.ledger import write_whole

CHECKED = "0.9.5"
TRAIN, VALIDATION = "forkpoint_train", "forkpoint_validation"


def write(kit: Kit, folder: Path) -> tuple[str, ...]:
    """sft.yaml, and data/ with its dataset_info.json."""
    files = {TRAIN: ("train.json", kit.train), VALIDATION: ("validation.json", kit.validation)}
    info = {}
    for name, (file, rows) in files.items():
        write_whole(folder / "data" / file, orjson.dumps([_conversation(row) for row in rows]))
        info[name] = {
            "file_name": file,
            "formatting": "sharegpt",
            "columns": {"messages": "conversations"},
        }
    text = orjson.dumps(info, option=orjson.OPT_INDENT_2)
    write_whole(folder / "data" / "dataset_info.json", text)
    write_yaml(folder / "sft.yaml", headline(kit), settings(kit))
    return ("export.gap_order",)


def command(recipe: Recipe) -> str:
    """What to type in the folder."""
    return "llamafactory-cli train sft.yaml"


def _conversation(row: RecipeRow) -> dict[str, list[dict[str, str]]]:
    turns = []
    for before, answer in turns_of(row):
        turns += [{"from": "human", "value": before}, {"from": "gpt", "value": answer}]
    return {"conversations": turns}


def settings(kit: Kit) -> dict[str, Any]:
    """The configuration's values."""
    recipe = kit.recipe
    values: dict[str, Any] = {
        "model_name_or_path": recipe.model,
        "trust_remote_code": False,
        "stage": "sft",
        "do_train": True,
        "finetuning_type": recipe.approach,
        "dataset_dir": "./data",
        "dataset": TRAIN,
        "eval_dataset": VALIDATION,
        "template": "empty",
        # The loader drops what reaches this length, so it stands above the longest row.
        "cutoff_len": recipe.context_tokens + 8,
        "train_on_prompt": False,
        "mask_history": False,
        "packing": False,
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
        "bf16": recipe.dtype == "bfloat16",
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "report_to": "none",
    }
    if recipe.approach == "lora":
        values |= {
            "lora_rank": recipe.rank,
            "lora_alpha": recipe.alpha,
            "lora_dropout": 0.0,
            "lora_target": "all",
        }
    return values
