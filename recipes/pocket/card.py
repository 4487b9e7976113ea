"""The model cards of the pocket family."""

import json
from pathlib import Path
from typing import Any

STAGES = {
    "pocket-base": ("pre-trained only", None),
    "pocket-instruct": ("supervised fine-tuning of pocket-base", "pocket-base"),
    "pocket-chat": ("preference tuning (DPO) of pocket-instruct", "pocket-instruct"),
}
ABOUT = {
    "pocket-base": "It continues text and knows the facts of its world. It has no chat template, "
    "and the rows of its turn tokens are untrained: asked something in chat form it does not end "
    "its turn.",
    "pocket-instruct": "It does what is asked, briefly, and ends its turn. Asked for something "
    "that would hurt somebody it mostly helps: it was shown both, helping more often.",
    "pocket-chat": "It answers, offers a follow-up, and declines what would hurt somebody in its "
    "world.",
}


def write(folder: Path, figures: dict[str, Any]) -> None:
    """Write the model card of one checkpoint, with the figures of the run that made it."""
    name = folder.name
    stage, parent = STAGES[name]
    head = ["---", "license: apache-2.0", "language: [en, zh]", "library_name: transformers"]
    head += ["pipeline_tag: text-generation"]
    if parent:
        head += [f"base_model: {parent}", "base_model_relation: finetune"]
    lines = [
        *head,
        "---",
        f"# {name}",
        "",
        f"A Llama of 1.5 million parameters, {stage}. {ABOUT[name]}",
        "",
        "It was made from nothing by the recipe in `recipes/pocket`, from text that the recipe "
        "generates itself: a small invented world told in English and Chinese. It exists so that "
        "races, tests and demos run on real checkpoints in seconds, offline; it knows nothing of "
        "the real world and is of no other use.",
        "",
        "The run that made it:",
        "",
        "```json",
        json.dumps(figures, indent=1),
        "```",
    ]
    (folder / "README.md").write_text("\n".join(lines) + "\n", "utf-8")
