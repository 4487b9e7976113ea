"""A recipe for Unsloth: a short script, since its configuration knows no rendered rows."""

from pathlib import Path

from forkpoint.export.recipe import Kit, Recipe
from forkpoint.export.tool import SCHEDULES, Onward, start_of, tokens_of, write_lines
from forkpoint.ledger import write_whole

CHECKED = "2026.10.9"
STAGES = ("text", "rows")
ONWARD: Onward = "merged"
TEXTS = False
SCRIPT = '''"""Train {arm} as forkpoint did, with Unsloth: python train.py"""

from unsloth import FastLanguageModel  # first: it replaces parts of the libraries below

from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

model, tokenizer = FastLanguageModel.from_pretrained(
    model_name={model!r},
    max_seq_length={context},
    dtype=None,
    load_in_4bit={quantised},
    full_finetuning={full},
)
{adapter}rows = load_dataset("json", data_files={{"train": "data/train.jsonl",
                                         "validation": "data/validation.jsonl"}})
trainer = SFTTrainer(
    model=model,
    processing_class=tokenizer,
    train_dataset=rows["train"],  # tokens and labels: nothing is rendered or masked again
    eval_dataset=rows["validation"],
    args=SFTConfig(
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
        max_length={context},
        packing=False,
        seed={seed},
        data_seed={seed},
        eval_strategy="epoch",
        save_strategy="epoch",
        report_to="none",
    ),
)
trainer.train()
model.generation_config.eos_token_id = {ends}  # where answers end
model.save_pretrained("tuned")
tokenizer.save_pretrained("tuned")
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


def write(kit: Kit, folder: Path) -> tuple[str, ...]:
    """train.py, and data/ as tokens and labels."""
    write_lines(folder / "data" / "train.jsonl", [tokens_of(row) for row in kit.train])
    write_lines(folder / "data" / "validation.jsonl", [tokens_of(row) for row in kit.validation])
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
    values = {"rank": recipe.rank, "alpha": recipe.alpha, "seed": recipe.seed}
    adapter = ADAPTER.format(**values) if recipe.adapters else ""
    return SCRIPT.format(
        arm=recipe.arm.replace("\\", " ").replace('"', "'"),
        model=start_of(recipe, ONWARD, result(recipe)),
        quantised=recipe.quantised,
        context=recipe.context_tokens,
        full=not recipe.adapters,
        adapter=adapter,
        rate=recipe.rate,
        schedule=SCHEDULES[recipe.schedule],
        warmup=recipe.warmup_steps,
        norm=recipe.gradient_norm,
        passes=recipe.passes,
        at_once=recipe.rows_at_once,
        accumulation=recipe.accumulation,
        seed=recipe.seed,
        ends=list(recipe.end_ids),
    )
