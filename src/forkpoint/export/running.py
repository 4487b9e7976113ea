"""The stages of an exported recipe one after the other: run.sh, and what joins their weights."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from forkpoint.export.recipe import Recipe, stage_folder
from forkpoint.export.tool import MERGED, Tool
from forkpoint.ledger import write_whole

RUN = "run.sh"
JOIN = "join.py"
JOINED = "finished"  # folder of the checkpoint with what its Base twin learned
SCRIPT = '''"""Put what was tuned into whole weights: python join.py BASE TUNED OUT [TWIN]

An adapter is merged into BASE. Of whole weights the difference to TWIN, which they were trained
from, is added to BASE.
"""

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def weights_of(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def join(base, tuned, out, twin=None):
    model = weights_of(base)
    if (Path(tuned) / "adapter_config.json").is_file():
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, tuned).merge_and_unload()
    else:
        before = dict(weights_of(twin).named_parameters())
        after = dict(weights_of(tuned).named_parameters())
        with torch.no_grad():
            for name, weight in model.named_parameters():
                weight += after[name] - before[name]
    model.save_pretrained(out, safe_serialization=True)
    AutoTokenizer.from_pretrained(base).save_pretrained(out)


if __name__ == "__main__":
    join(*sys.argv[1:5])
'''


def write_running(folder: Path, tool: Tool, recipes: Sequence[Recipe]) -> str:
    """Write run.sh and join.py where they are needed; the one command to type in the folder."""
    last = recipes[-1]
    if len(recipes) == 1 and last.joined_to is None:
        return tool.command(last)
    lines = ["#!/bin/sh", "# Every stage of the training, one after the other.", "set -e"]
    places = ["."]
    if len(recipes) > 1:
        places = [stage_folder(recipe, number) for number, recipe in enumerate(recipes, start=1)]
    base = last.model
    for number, (place, recipe) in enumerate(zip(places, recipes, strict=True), start=1):
        lines.append(f"(cd {place} && {tool.command(recipe)})")
        tuned = f"{place}/{tool.result(recipe)}"
        if number < len(recipes) and recipe.adapters and tool.ONWARD == "merged":
            lines.append(_join(base, tuned, f"{place}/{MERGED}"))
            base = f"{place}/{MERGED}"
    joins = any(line.startswith("python ") for line in lines)
    if last.joined_to is not None:
        tuned = f"{places[-1]}/{tool.result(last)}"
        lines.append(_join(last.joined_to, tuned, JOINED, last.model))
        joins = True
    write_whole(folder / RUN, ("\n".join(lines) + "\n").encode())
    if joins:
        write_whole(folder / JOIN, SCRIPT.encode())
    return f"sh {RUN}"


def _join(*words: str) -> str:
    return shlex.join(["python", JOIN, *words])
