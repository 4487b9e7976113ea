"""The trainers that a recipe can be written for: one file each, found by its name."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

import orjson

from forkpoint.errors import BadInput
from forkpoint.export.recipe import Kit, Recipe, StageName
from forkpoint.export.recipe_rows import RecipePair, RecipeRow
from forkpoint.ledger import write_whole

TOOLS = ("trl", "llamafactory", "axolotl", "unsloth", "ms-swift", "torchtune")
SCHEDULES = {"linear": "linear", "constant": "constant_with_warmup", "cosine": "cosine"}
MERGED = "merged"  # folder of a stage: its adapter in the weights, for the next one

Onward = Literal["merged", "adapter", "whole"]  # what a stage goes on from: the adapter merged, the
# adapter itself, or what the trainer has merged already


class Tool(Protocol):
    """One trainer's way to be told."""

    CHECKED: str  # the version whose parser, schema or source the recipe was held against
    ONWARD: Onward
    TEXTS: tuple[StageName, ...]  # of which it is given text, which it encodes itself

    def write(self, kit: Kit, folder: Path) -> tuple[str, ...]:
        """Write configuration and data; returns catalogue keys of what cannot be expressed."""
        ...

    def command(self, recipe: Recipe) -> str:
        """What to type in the folder."""
        ...

    def result(self, recipe: Recipe) -> str:
        """The folder below this one in which the training leaves what it tuned."""
        ...


def tool_named(name: str) -> Tool:
    """The trainer of this name; raises BadInput."""
    if name not in TOOLS:
        raise BadInput("export.unknown_tool", tool=name, known=", ".join(TOOLS))
    tool: Tool = import_module(f"forkpoint.export.{name.replace('-', '_')}")
    return tool


def start_of(recipe: Recipe, onward: Onward, result: str) -> str:
    """The weights that a stage loads: the checkpoint's, or those that the stage before left."""
    if recipe.before is None or (onward == "adapter" and recipe.adapters):
        return recipe.model
    if onward == "merged" and recipe.adapters:
        return f"{recipe.before}/{MERGED}"
    return f"{recipe.before}/{result}"


def write_lines(path: Path, lines: Sequence[object]) -> None:
    """One JSON document a line."""
    write_whole(path, b"".join(orjson.dumps(line) + b"\n" for line in lines))


def write_yaml(path: Path, comment: str, values: dict[str, Any]) -> None:
    """A configuration with a line on where it comes from."""
    import yaml

    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=1000)
    write_whole(path, f"# {comment}\n{text}".encode())


def tokens_of(row: RecipeRow) -> dict[str, list[int]]:
    """A row as tokens and labels: nothing is left to render."""
    return {"input_ids": list(row.input_ids), "labels": list(row.labels)}


def pair_tokens(pair: RecipePair) -> dict[str, list[int]]:
    """A pair as tokens, under the names that TRL's trainer feeds on."""
    return {
        "prompt_ids": list(pair.prompt_ids),
        "chosen_ids": list(pair.chosen_ids),
        "rejected_ids": list(pair.rejected_ids),
    }


def write_pairs(kit: Kit, folder: Path) -> None:
    """data/ with the pairs as tokens; validation.jsonl where there are any."""
    write_lines(folder / "data" / "train.jsonl", [pair_tokens(one) for one in kit.pairs])
    if kit.validation_pairs:
        held = [pair_tokens(one) for one in kit.validation_pairs]
        write_lines(folder / "data" / "validation.jsonl", held)


def turns_of(row: RecipeRow) -> list[tuple[str, str]]:
    """A row as (text without loss, text with loss) in turn."""
    texts = [text for text, _ in row.stretches]
    return list(zip(texts[::2], texts[1::2], strict=True))


def headline(kit: Kit) -> str:
    """Where a configuration comes from."""
    recipe = kit.recipe
    return (
        f"{recipe.arm} as forkpoint trained it ({recipe.stage}): {recipe.rows_per_step} rows a "
        f"step, {recipe.passes:g} passes; rows are rendered, nothing else may template them"
    )
