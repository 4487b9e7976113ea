"""A recipe for LLaMA-Factory: the template `empty`, so that rows stay as they were rendered."""

from pathlib import Path
from typing import Any

import orjson

from forkpoint.export.recipe import Kit, Recipe, StageName
from forkpoint.export.recipe_rows import RecipePair, RecipeRow
from forkpoint.export.tool import SCHEDULES, Onward, headline, start_of, turns_of, write_yaml
from forkpoint.ledger import write_whole

CHECKED = "0.9.5"
ONWARD: Onward = "adapter"  # it goes on with the adapter of the stage before
TEXTS: tuple[StageName, ...] = ("text", "rows", "pairs")
TRAIN, VALIDATION = "forkpoint_train", "forkpoint_validation"
SIDES = ("chosen", "rejected")


def write(kit: Kit, folder: Path) -> tuple[str, ...]:
    """sft.yaml, and data/ with its dataset_info.json."""
    pairs = kit.recipe.stage == "pairs"
    files = {
        TRAIN: [_conversation(row) for row in kit.train] + [_pair(one) for one in kit.pairs],
        VALIDATION: [_conversation(row) for row in kit.validation]
        + [_pair(one) for one in kit.validation_pairs],
    }
    columns = {"messages": "conversations"}
    info: dict[str, dict[str, Any]] = {}
    for name, rows in files.items():
        if not rows:
            continue
        file = f"{name.removeprefix('forkpoint_')}.json"
        write_whole(folder / "data" / file, orjson.dumps(rows))
        info[name] = {"file_name": file, "formatting": "sharegpt", "columns": columns}
        if pairs:
            info[name] |= {"ranking": True, "columns": columns | {side: side for side in SIDES}}
    text = orjson.dumps(info, option=orjson.OPT_INDENT_2)
    write_whole(folder / "data" / "dataset_info.json", text)
    write_yaml(folder / _file(kit.recipe), headline(kit), settings(kit))
    return ("export.gap_order", "export.gap_imitation") if pairs else ("export.gap_order",)


def _file(recipe: Recipe) -> str:
    return "dpo.yaml" if recipe.stage == "pairs" else "sft.yaml"


def command(recipe: Recipe) -> str:
    """What to type in the folder."""
    return f"llamafactory-cli train {_file(recipe)}"


def result(recipe: Recipe) -> str:
    """Where what was tuned is left."""
    return "tuned"


def _conversation(row: RecipeRow) -> dict[str, list[dict[str, str]]]:
    turns = []
    for before, answer in turns_of(row):
        turns += [{"from": "human", "value": before}, {"from": "gpt", "value": answer}]
    return {"conversations": turns}


def _pair(pair: RecipePair) -> dict[str, Any]:
    return {
        "conversations": [{"from": "human", "value": pair.prompt}],
        "chosen": {"from": "gpt", "value": pair.chosen},
        "rejected": {"from": "gpt", "value": pair.rejected},
    }


def settings(kit: Kit) -> dict[str, Any]:
    """The configuration's values."""
    recipe = kit.recipe
    values: dict[str, Any] = {
        "model_name_or_path": start_of(recipe, ONWARD, result(recipe)),
        "trust_remote_code": False,
        "stage": "dpo" if recipe.stage == "pairs" else "sft",
        "do_train": True,
        "finetuning_type": "lora" if recipe.adapters else "full",
        "dataset_dir": "./data",
        "dataset": TRAIN,
        "template": "empty",
        # The loader drops what reaches this length, so it stands above the longest row.
        "cutoff_len": recipe.context_tokens + 8,
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
        "eval_strategy": "no",
        "save_strategy": "epoch",
        "report_to": "none",
    }
    if kit.validation or kit.validation_pairs:
        values |= {"eval_dataset": VALIDATION, "eval_strategy": "epoch"}
    if recipe.stage == "pairs":
        values |= _preferences(recipe)
    else:
        values["train_on_prompt"] = False
    return values | (_adapter(recipe) if recipe.adapters else {})


def _preferences(recipe: Recipe) -> dict[str, Any]:
    """The reference is what the stage before came to; of whole weights it is made by itself."""
    values: dict[str, Any] = {
        "pref_loss": "sigmoid",
        "pref_beta": recipe.beta,
        "pref_ftx": recipe.imitation,
    }
    if recipe.adapters:
        tuned = f"{recipe.before}/{result(recipe)}"
        values |= {"ref_model": recipe.model, "ref_model_adapters": tuned}
    return values


def _adapter(recipe: Recipe) -> dict[str, Any]:
    values: dict[str, Any] = {
        "lora_rank": recipe.rank,
        "lora_alpha": recipe.alpha,
        "lora_dropout": 0.0,
        "lora_target": "all",
    }
    if recipe.before is not None:
        values["adapter_name_or_path"] = f"{recipe.before}/{result(recipe)}"
    if recipe.quantised:
        values |= {
            "quantization_bit": 4,
            "quantization_method": "bnb",
            "quantization_type": "nf4",
            "double_quantization": True,
        }
    return values
