"""A recipe for torchtune, for the networks that it has builders for; rows come as tokens."""

import math
from pathlib import Path
from typing import Any

from forkpoint.export.recipe import Kit, Recipe, StageName
from forkpoint.export.tool import (
    Onward,
    headline,
    start_of,
    tokens_of,
    write_lines,
    write_pairs,
    write_yaml,
)
from forkpoint.export.torchtune_networks import builder_of
from forkpoint.ledger import write_whole

CHECKED = "0.6.1"
ONWARD: Onward = "whole"  # its checkpointer merges the adapter as it saves
TEXTS: tuple[StageName, ...] = ()
SCHEDULES = {
    "linear": "transformers.get_linear_schedule_with_warmup",
    "constant": "forkpoint_rows.constant",
    "cosine": "torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup",
}
MODULE = '''"""Rows and pairs as tokens, a tokenizer that only knows its padding, and a loss."""

import json
from pathlib import Path

from torch import nn
from torch.nn.functional import logsigmoid
from torch.utils.data import Dataset
from transformers import get_constant_schedule_with_warmup


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


class Pairs(Rows):
    """Both answers to a prompt, with loss on the answers only."""

    def __getitem__(self, place):
        pair = self.rows[place]
        prompt, found = pair["prompt_ids"], {}
        for side in ("chosen", "rejected"):
            answer = pair[f"{side}_ids"]
            found[f"{side}_input_ids"] = prompt + answer
            found[f"{side}_labels"] = [-100] * len(prompt) + answer
        return found


class Preference(nn.Module):
    """DPO, with a share of the chosen answer's own likelihood over the usual answer's tokens."""

    def __init__(self, beta, imitation, answer_tokens):
        super().__init__()
        self.beta, self.imitation, self.answer_tokens = beta, imitation, answer_tokens

    def forward(self, chosen, rejected, reference_chosen, reference_rejected):
        gained = self.beta * (chosen - reference_chosen)
        lost = self.beta * (rejected - reference_rejected)
        own = -chosen / self.answer_tokens
        loss = -logsigmoid(gained - lost) + self.imitation * own
        return loss, gained.detach(), lost.detach()


def constant(optimizer, num_warmup_steps, num_training_steps, last_epoch):
    """A rate that stays where it is; the number of steps is what torchtune tells every schedule."""
    return get_constant_schedule_with_warmup(optimizer, num_warmup_steps, last_epoch)
'''


def write(kit: Kit, folder: Path) -> tuple[str, ...]:
    """recipe.yaml, the module it loads rows with, and data/; raises BadInput."""
    recipe, values = kit.recipe, settings(kit)
    pairs = recipe.stage == "pairs"
    if pairs:
        write_pairs(kit, folder)
    else:
        write_lines(folder / "data" / "train.jsonl", [tokens_of(row) for row in kit.train])
    write_whole(folder / "forkpoint_rows.py", MODULE.encode())
    write_yaml(folder / "recipe.yaml", headline(kit), values)
    found = {
        "export.gap_order": True,
        "export.gap_torchtune_validation": True,
        "export.gap_passes": recipe.passes != int(recipe.passes),
        "export.gap_torchtune_rest": len(kit.pairs or kit.train) % recipe.rows_per_step > 0,
        "export.gap_torchtune_imitation": pairs,
        "export.gap_torchtune_norm": pairs and recipe.adapters,
    }
    return tuple(key for key, is_so in found.items() if is_so)


def command(recipe: Recipe) -> str:
    """What to type in the folder."""
    if recipe.stage == "pairs" and not recipe.adapters:  # there is no other one of whole weights
        return "tune run --nproc_per_node 1 full_dpo_distributed --config recipe.yaml"
    kind = "lora" if recipe.adapters else "full"
    what = "dpo" if recipe.stage == "pairs" else "finetune"
    return f"tune run {kind}_{what}_single_device --config recipe.yaml"


def result(recipe: Recipe) -> str:
    """Where what was tuned is left: the folder of the last pass."""
    return _after(recipe.passes)


def _after(passes: float) -> str:
    return f"tuned/epoch_{math.ceil(passes) - 1}"


def settings(kit: Kit) -> dict[str, Any]:
    """The configuration's values; raises BadInput for a network without a builder."""
    recipe = kit.recipe
    builder, kind = builder_of(recipe)
    pairs = recipe.stage == "pairs"
    checkpointer = _checkpointer(recipe, kind)
    values: dict[str, Any] = {
        "output_dir": "./tuned",
        "model": _model(recipe, builder),
        "tokenizer": {"_component_": "forkpoint_rows.Padding", "pad_id": recipe.pad_id},
        "checkpointer": checkpointer,
        "resume_from_checkpoint": False,
        "dataset": {
            "_component_": f"forkpoint_rows.{'Pairs' if pairs else 'Rows'}",
            "source": "data/train.jsonl",
        },
        "loss": _loss(kit),
        **_training(recipe),
        **_machine(recipe),
    }
    if pairs and not recipe.adapters:
        values["ref_checkpointer"] = checkpointer
    return values


def _model(recipe: Recipe, builder: str) -> dict[str, Any]:
    package, name = builder.split(".")
    if not recipe.adapters:
        return {"_component_": f"torchtune.models.{package}.{name}"}
    model: dict[str, Any] = {
        "_component_": f"torchtune.models.{package}.lora_{name}",
        "lora_attn_modules": ["q_proj", "k_proj", "v_proj", "output_proj"],
        "apply_lora_to_mlp": True,
        "lora_rank": recipe.rank,
        "lora_alpha": recipe.alpha,
        "lora_dropout": 0.0,
    }
    if recipe.quantised:
        model["quantize_base"] = True
    return model


def _checkpointer(recipe: Recipe, kind: str) -> dict[str, Any]:
    files = sorted(path.name for path in Path(recipe.model).glob("*.safetensors"))
    if recipe.before is not None:  # under the names that it saves them by
        count = len(files)
        files = [f"model-{n:05d}-of-{count:05d}.safetensors" for n in range(1, count + 1)]
    return {
        "_component_": "torchtune.training.FullModelHFCheckpointer",
        "checkpoint_dir": start_of(recipe, ONWARD, _after(recipe.passes_before or 1.0)),
        "checkpoint_files": files,
        "recipe_checkpoint": None,
        "output_dir": "${output_dir}",
        "model_type": kind,
    }


def _loss(kit: Kit) -> dict[str, Any]:
    if kit.recipe.stage != "pairs":
        return {"_component_": "torchtune.modules.loss.CEWithChunkedOutputLoss"}
    tokens = sum(len(pair.chosen_ids) for pair in kit.pairs) / len(kit.pairs)
    return {
        "_component_": "forkpoint_rows.Preference",
        "beta": kit.recipe.beta,
        "imitation": kit.recipe.imitation,
        "answer_tokens": tokens,
    }


def _training(recipe: Recipe) -> dict[str, Any]:
    return {
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
        "lr_scheduler": {
            "_component_": SCHEDULES[recipe.schedule],
            "num_warmup_steps": recipe.warmup_steps,
        },
        "optimizer_in_bwd": False,
        "clip_grad_norm": recipe.gradient_norm,
    }


def _machine(recipe: Recipe) -> dict[str, Any]:
    return {
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
