"""A recipe for Axolotl: `input_output` rows, which no template touches; pairs as tokens."""

from pathlib import Path
from typing import Any

from forkpoint.export.recipe import Kit, Recipe, StageName
from forkpoint.export.recipe_rows import RecipeRow
from forkpoint.export.tool import (
    SCHEDULES,
    Onward,
    headline,
    start_of,
    write_lines,
    write_pairs,
    write_yaml,
)
from forkpoint.ledger import write_whole

CHECKED = "0.19.0"
ONWARD: Onward = "merged"
TEXTS: tuple[StageName, ...] = ("text", "rows")
MODULE = "forkpoint_pairs"
SCRIPT = '''"""DPO on pairs that are tokens already; axolotl.yaml names this class as its trainer.

Axolotl's own would encode them again from text and end each answer with the tokenizer's EOS.
"""

from axolotl.core.trainers.dpo.trainer import AxolotlDPOTrainer


class TokenTrainer(AxolotlDPOTrainer):
    """Takes prompt_ids, chosen_ids and rejected_ids as they are."""

    def _prepare_dataset(self, dataset, *args, **kwargs):
        return dataset
'''


def write(kit: Kit, folder: Path) -> tuple[str, ...]:
    """axolotl.yaml, and data/ with the masked stretches of each row or the tokens of each pair."""
    if kit.recipe.stage == "pairs":
        write_pairs(kit, folder)
        write_whole(folder / f"{MODULE}.py", SCRIPT.encode())
    else:
        write_lines(folder / "data" / "train.jsonl", [_segments(row) for row in kit.train])
        held = [_segments(row) for row in kit.validation]
        write_lines(folder / "data" / "validation.jsonl", held)
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
    pairs = recipe.stage == "pairs"
    rows = {"ds_type": "json", "type": "passthrough" if pairs else "input_output"}
    values: dict[str, Any] = {
        "base_model": start_of(recipe, ONWARD, result(recipe)),
        "trust_remote_code": False,
        "datasets": [{"path": "./data/train.jsonl", **rows}],
        "dataset_prepared_path": "./prepared",
        "output_dir": "./tuned",
        "sequence_len": recipe.context_tokens,
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
        "saves_per_epoch": 1,
    }
    if kit.validation or kit.validation_pairs:
        held = {"path": "./data/validation.jsonl", **rows, "split": "train"}
        values |= {"test_datasets": [held], "evals_per_epoch": 1}
    values |= _preferences(recipe) if pairs else {"train_on_inputs": False}
    return values | (_adapter(recipe) if recipe.adapters else {})


def _preferences(recipe: Recipe) -> dict[str, Any]:
    """The reference is the model that the stage loads."""
    return {
        "rl": "dpo",
        "rl_beta": recipe.beta,
        "dpo_loss_type": ["sigmoid", "sft"],
        "dpo_loss_weights": [1.0, recipe.imitation],
        "trainer_cls": f"{MODULE}.TokenTrainer",
        "skip_prepare_dataset": True,
    }


def _adapter(recipe: Recipe) -> dict[str, Any]:
    values: dict[str, Any] = {
        "adapter": "qlora" if recipe.quantised else "lora",
        "lora_r": recipe.rank,
        "lora_alpha": recipe.alpha,
        "lora_dropout": 0.0,
        "lora_target_linear": True,
    }
    if recipe.quantised:
        values["load_in_4bit"] = True  # NF4 with scales quantised again is what it does then
    return values
