"""`forkpoint export`: an arm's training as a ready configuration for another trainer."""

from pathlib import Path

from forkpoint.errors import BadInput
from forkpoint.export.finished_arm import FinishedArm
from forkpoint.export.model_card import model_card
from forkpoint.export.recipe import kit_of, learned
from forkpoint.export.tool import tool_named, write_lines
from forkpoint.ledger import write_whole
from forkpoint.record import Record

CARD = "README.md"
ENDS = "generation_config.json"
READABLE = "rendered.jsonl"  # what is trained, for people to look at
TEMPLATE = "chat_template.jinja"
RECIPE = "recipe.json"


class Exported(Record):
    """What was written, and what the trainer cannot be told."""

    tool: str
    checked: str  # the trainer's version that the form was held against
    folder: str
    command: str
    arm: str
    train_rows: int
    validation_rows: int
    learned_tokens: int
    retokenised: int  # rows whose tokens depend on where text is cut
    gaps: tuple[str, ...]  # catalogue keys
    token_rows: tuple[str, ...] = ()  # tokens whose rows were set and trained in the race


def export_arm(arm: FinishedArm, tool_name: str, folder: Path, lang: str = "en") -> Exported:
    """Write configuration, data, end tokens, template and card; raises BadInput."""
    tool = tool_named(tool_name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput("merge.target_not_empty", folder=folder)
    kit = kit_of(arm)
    recipe = kit.recipe
    gaps = list(tool.write(kit, folder))
    if tool_name != "unsloth" and not set(recipe.end_tokens) <= set(arm.facts.generation_eos):
        gaps.append("export.gap_ends")  # the script for unsloth sets them itself
    texts = tool_name in ("llamafactory", "axolotl", "ms-swift")
    if kit.retokenised and texts:
        gaps.append("export.gap_tokens")
    if recipe.token_rows:
        gaps.append("export.gap_rows")
    shown = [{"row_id": row.row_id, "stretches": row.stretches} for row in kit.train]
    write_lines(folder / READABLE, shown)
    write_whole(folder / RECIPE, recipe.to_json(indent=1).encode() + b"\n")
    ends = f'{{"eos_token_id": {list(recipe.end_ids)}}}\n'
    write_whole(folder / ENDS, ends.encode())
    if recipe.chat_template is not None:
        write_whole(folder / TEMPLATE, recipe.chat_template.encode())
        gaps.append("export.gap_template")
    write_whole(folder / CARD, model_card(arm, None, lang).encode())
    return Exported(
        tool=tool_name,
        checked=tool.CHECKED,
        folder=str(folder),
        command=tool.command(recipe),
        arm=recipe.arm,
        train_rows=len(kit.train),
        validation_rows=len(kit.validation),
        learned_tokens=sum(learned(row) for row in kit.train),
        retokenised=kit.retokenised if texts else 0,
        gaps=tuple(gaps),
        token_rows=recipe.token_rows,
    )
