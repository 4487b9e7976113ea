"""A recipe for TRL: `trl sft --config sft.yaml`, rows as tokens and labels; pairs as tokens."""

from pathlib import Path
from typing import Any

from forkpoint.export.recipe import Kit, Recipe, StageName
from forkpoint.export.tool import (
    SCHEDULES,
    Onward,
    headline,
    start_of,
    tokens_of,
    write_lines,
    write_pairs,
    write_yaml,
)
from forkpoint.ledger import write_whole

CHECKED = "1.16.0"
ONWARD: Onward = "merged"
TEXTS: tuple[StageName, ...] = ()
SCRIPT = '''"""DPO on pairs that are tokens already: python pairs.py --config dpo.yaml

`trl dpo` would encode them again from text; nothing else here differs from it.
"""

from datasets import load_dataset
from trl import DPOConfig, DPOTrainer, ModelConfig, ScriptArguments, TrlParser, get_peft_config


class TokenTrainer(DPOTrainer):
    """Takes prompt_ids, chosen_ids and rejected_ids as they are."""

    def _prepare_dataset(self, dataset, *args, **kwargs):
        return dataset


def trainer_of(script, config, model):
    config.model_init_kwargs = {"dtype": model.dtype}
    rows = load_dataset(script.dataset_name)
    held = rows.get(script.dataset_test_split)
    return TokenTrainer(
        model=model.model_name_or_path,
        args=config,
        train_dataset=rows[script.dataset_train_split],
        eval_dataset=held if config.eval_strategy != "no" else None,
        peft_config=get_peft_config(model),
    )


if __name__ == "__main__":
    parser = TrlParser((ScriptArguments, DPOConfig, ModelConfig))
    trainer = trainer_of(*parser.parse_args_and_config())
    trainer.train()
    trainer.save_model(trainer.args.output_dir)
'''


def write(kit: Kit, folder: Path) -> tuple[str, ...]:
    """sft.yaml or dpo.yaml, and data/ as `datasets` reads it."""
    if kit.recipe.stage == "pairs":
        write_pairs(kit, folder)
        write_whole(folder / "pairs.py", SCRIPT.encode())
        write_yaml(folder / "dpo.yaml", headline(kit), settings(kit))
        return ("export.gap_order",)
    write_lines(folder / "data" / "train.jsonl", [tokens_of(row) for row in kit.train])
    write_lines(folder / "data" / "validation.jsonl", [tokens_of(row) for row in kit.validation])
    write_yaml(folder / "sft.yaml", headline(kit), settings(kit))
    return ("export.gap_order",)


def command(recipe: Recipe) -> str:
    """What to type in the folder."""
    if recipe.stage == "pairs":
        return "python pairs.py --config dpo.yaml"
    return "trl sft --config sft.yaml"


def result(recipe: Recipe) -> str:
    """Where what was tuned is left."""
    return "tuned"


def settings(kit: Kit) -> dict[str, Any]:
    """The configuration's values."""
    recipe = kit.recipe
    values: dict[str, Any] = {
        "model_name_or_path": start_of(recipe, ONWARD, result(recipe)),
        "dtype": recipe.dtype if recipe.adapters else "float32",
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
        "bf16": recipe.dtype == "bfloat16",
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "eval_strategy": "epoch" if kit.validation or kit.validation_pairs else "no",
        "save_strategy": "epoch",
        "report_to": "none",
    }
    if recipe.stage == "pairs":
        values |= {
            "beta": recipe.beta,
            "loss_type": ["sigmoid", "sft"],
            "loss_weights": [1.0, recipe.imitation],
        }
    else:
        values["packing"] = False
    return values | (_adapter(recipe) if recipe.adapters else {})


def _adapter(recipe: Recipe) -> dict[str, Any]:
    values: dict[str, Any] = {
        "use_peft": True,
        "lora_r": recipe.rank,
        "lora_alpha": recipe.alpha,
        "lora_dropout": 0.0,
        "lora_target_modules": ["all-linear"],
        "lora_task_type": "CAUSAL_LM",
    }
    if recipe.quantised:
        values |= {
            "load_in_4bit": True,
            "bnb_4bit_quant_type": "nf4",
            "use_bnb_nested_quant": True,
        }
    return values
