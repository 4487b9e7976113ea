"""A recipe for ms-swift: a template that adds nothing, registered by a plugin beside it."""

from pathlib import Path
from typing import Any

from forkpoint.export.recipe import Kit, Recipe, StageName
from forkpoint.export.recipe_rows import RecipePair, RecipeRow
from forkpoint.export.tool import (
    SCHEDULES,
    Onward,
    headline,
    start_of,
    turns_of,
    write_lines,
    write_yaml,
)
from forkpoint.ledger import write_whole

CHECKED = "4.6.0"
ONWARD: Onward = "merged"
TEXTS: tuple[StageName, ...] = ("text", "rows", "pairs")
PLUGIN = '''"""Registers a template that writes a row's text as it is."""

from swift.template import TemplateMeta, register_template

register_template(
    TemplateMeta("forkpoint_rendered", prefix=[], prompt=["{{QUERY}}"], chat_sep=[], suffix=[])
)
'''


def write(kit: Kit, folder: Path) -> tuple[str, ...]:
    """sft.yaml, the plugin, and data/ as messages of rendered text."""
    train = [_messages(row) for row in kit.train] + [_pair(one) for one in kit.pairs]
    held = [_messages(row) for row in kit.validation]
    held += [_pair(one) for one in kit.validation_pairs]
    write_lines(folder / "data" / "train.jsonl", train)
    if held:
        write_lines(folder / "data" / "validation.jsonl", held)
    write_whole(folder / "rendered_template.py", PLUGIN.encode())
    write_yaml(folder / _file(kit.recipe), headline(kit), settings(kit))
    return ("export.gap_order",)


def _file(recipe: Recipe) -> str:
    return "dpo.yaml" if recipe.stage == "pairs" else "sft.yaml"


def command(recipe: Recipe) -> str:
    """What to type in the folder."""
    kind = "rlhf" if recipe.stage == "pairs" else "sft"
    return f"swift {kind} {_file(recipe)}"


def result(recipe: Recipe) -> str:
    """Where what was tuned is left."""
    return "tuned/last"


def _messages(row: RecipeRow) -> dict[str, list[dict[str, str]]]:
    messages = []
    for before, answer in turns_of(row):
        messages.append({"role": "user", "content": before})
        messages.append({"role": "assistant", "content": answer})
    return {"messages": messages}


def _pair(pair: RecipePair) -> dict[str, Any]:
    messages = [
        {"role": "user", "content": pair.prompt},
        {"role": "assistant", "content": pair.chosen},
    ]
    return {"messages": messages, "rejected_response": pair.rejected}


def settings(kit: Kit) -> dict[str, Any]:
    """The configuration's values."""
    recipe = kit.recipe
    values: dict[str, Any] = {
        "model": start_of(recipe, ONWARD, result(recipe)),
        "external_plugins": ["rendered_template.py"],
        "template": "forkpoint_rendered",
        "dataset": ["./data/train.jsonl"],
        "tuner_type": "lora" if recipe.adapters else "full",
        "loss_scale": "default",  # every assistant stretch carries loss, and nothing else
        "max_length": recipe.context_tokens,  # the longest row: nothing is deleted
        "truncation_strategy": "delete",
        "output_dir": "./tuned",
        "add_version": False,
        "create_checkpoint_symlink": True,  # tuned/last is where the training ended
        "learning_rate": recipe.rate,
        "lr_scheduler_type": SCHEDULES[recipe.schedule],
        "warmup_steps": recipe.warmup_steps,
        "weight_decay": 0.0,
        "max_grad_norm": recipe.gradient_norm,
        "optim": "adamw_torch_fused",
        "num_train_epochs": recipe.passes,
        "per_device_train_batch_size": recipe.rows_at_once,
        "gradient_accumulation_steps": recipe.accumulation,
        "torch_dtype": recipe.dtype if recipe.adapters else "float32",
        "bf16": recipe.dtype == "bfloat16",
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "packing": False,
        "eval_strategy": "no",
        "save_strategy": "epoch",
        "report_to": ["none"],
    }
    if kit.validation or kit.validation_pairs:
        values |= {"val_dataset": ["./data/validation.jsonl"], "eval_strategy": "epoch"}
    if recipe.stage == "pairs":
        values |= {
            "rlhf_type": "dpo",
            "beta": recipe.beta,
            "loss_type": ["sigmoid"],
            "rpo_alpha": recipe.imitation,  # of the chosen answer's own likelihood, by token
        }
        if not recipe.adapters:  # with adapters it is the model without them
            values["ref_model"] = values["model"]
    if recipe.quantised:
        values |= {
            "quant_method": "bnb",
            "quant_bits": 4,
            "bnb_4bit_quant_type": "nf4",
            "bnb_4bit_use_double_quant": True,
        }
    if recipe.adapters:
        values |= {
            "lora_rank": recipe.rank,
            "lora_alpha": recipe.alpha,
            "lora_dropout": 0.0,
            "target_modules": ["all-linear"],
        }
    return values
