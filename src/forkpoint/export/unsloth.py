"""A recipe for Unsloth: a short script, since its configuration knows no rendered rows."""

import json
from pathlib import Path

from forkpoint.export.recipe import Kit, Recipe, StageName
from forkpoint.export.tool import (
    SCHEDULES,
    Onward,
    start_of,
    tokens_of,
    write_lines,
    write_pairs,
)
from forkpoint.ledger import write_whole

CHECKED = "2026.10.9"
ONWARD: Onward = "merged"
TEXTS: tuple[StageName, ...] = ()
LOAD = '''"""Train {arm} as forkpoint did, with Unsloth: python train.py"""

from unsloth import FastLanguageModel  # first: it replaces parts of the libraries below

from datasets import load_dataset
from trl import {kind}Config, {kind}Trainer

model, tokenizer = FastLanguageModel.from_pretrained(
    model_name={model!r},
    max_seq_length={context},
    dtype=None,
    load_in_4bit={quantised},
    full_finetuning={full},
)
{adapter}rows = load_dataset("json", data_files={files})
'''
ADAPTER = """model = FastLanguageModel.get_peft_model(
    model,
    r={rank},
    lora_alpha={alpha},
    lora_dropout=0.0,
    bias="none",
    target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    use_gradient_checkpointing=False,
    random_state={seed},
)
"""
TOKENS = '''

class TokenTrainer(DPOTrainer):
    """Takes prompt_ids, chosen_ids and rejected_ids as they are (TRL 0.29 or newer)."""

    def _prepare_dataset(self, dataset, *args, **kwargs):
        return dataset


'''
TRAIN = """trainer = {trainer}(
    model=model,{reference}
    processing_class=tokenizer,
    train_dataset=rows["train"],  # tokens: nothing is rendered, encoded or masked again
    eval_dataset=rows.get("validation"),
    args={kind}Config(
        output_dir="tuned",
        learning_rate={rate!r},
        lr_scheduler_type={schedule!r},
        warmup_steps={warmup},
        weight_decay=0.0,
        max_grad_norm={norm!r},
        optim="adamw_torch_fused",
        num_train_epochs={passes!r},
        per_device_train_batch_size={at_once},
        gradient_accumulation_steps={accumulation},
        max_length={context},{more}
        seed={seed},
        data_seed={seed},
        eval_strategy="epoch" if "validation" in rows else "no",
        save_strategy="epoch",
        report_to="none",
    ),
)
trainer.train()
model.generation_config.eos_token_id = {ends}  # where answers end
model.save_pretrained("tuned")
tokenizer.save_pretrained("tuned")
"""
PREFERENCES = """
        beta={beta!r},
        loss_type=["sigmoid", "sft"],
        loss_weights=[1.0, {imitation!r}],"""
ROWS = """
        packing=False,"""
REFERENCE = """
    ref_model=None,  # TRL takes {what}"""


def write(kit: Kit, folder: Path) -> tuple[str, ...]:
    """train.py, and data/ as tokens and labels, or as pairs of tokens."""
    if kit.recipe.stage == "pairs":
        write_pairs(kit, folder)
    else:
        write_lines(folder / "data" / "train.jsonl", [tokens_of(row) for row in kit.train])
        held = [tokens_of(row) for row in kit.validation]
        write_lines(folder / "data" / "validation.jsonl", held)
    write_whole(folder / "train.py", script(kit).encode())
    return ("export.gap_order", "export.gap_unsloth")


def command(recipe: Recipe) -> str:
    """What to type in the folder."""
    return "python train.py"


def result(recipe: Recipe) -> str:
    """Where what was tuned is left."""
    return "tuned"


def script(kit: Kit) -> str:
    """The training script."""
    recipe = kit.recipe
    values = {
        "arm": recipe.arm.replace("\\", " ").replace('"', "'"),
        "model": start_of(recipe, ONWARD, result(recipe)),
        "quantised": recipe.quantised,
        "context": recipe.context_tokens,
        "full": not recipe.adapters,
        "files": _files(kit),
        "rank": recipe.rank,
        "alpha": recipe.alpha,
        "rate": recipe.rate,
        "schedule": SCHEDULES[recipe.schedule],
        "warmup": recipe.warmup_steps,
        "norm": recipe.gradient_norm,
        "passes": recipe.passes,
        "at_once": recipe.rows_at_once,
        "accumulation": recipe.accumulation,
        "seed": recipe.seed,
        "ends": list(recipe.end_ids),
    }
    adapter = ADAPTER.format(**values) if recipe.adapters else ""
    if recipe.stage != "pairs":
        rows = {"kind": "SFT", "trainer": "SFTTrainer", "reference": "", "more": ROWS}
        return LOAD.format(**values, **rows, adapter=adapter) + TRAIN.format(**values, **rows)
    what = "the model without its adapter" if recipe.adapters else "model_name once more"
    pairs = {
        "kind": "DPO",
        "trainer": "TokenTrainer",
        "reference": REFERENCE.format(what=what),
        "more": PREFERENCES.format(beta=recipe.beta, imitation=recipe.imitation),
    }
    loading = LOAD.format(**values, **pairs, adapter=adapter)
    return loading + TOKENS + TRAIN.format(**values, **pairs)


def _files(kit: Kit) -> str:
    files = {"train": "data/train.jsonl"}
    if kit.validation or kit.validation_pairs:
        files["validation"] = "data/validation.jsonl"
    return json.dumps(files)
