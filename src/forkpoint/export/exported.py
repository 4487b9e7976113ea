"""`forkpoint export`: an arm's training as a ready configuration for another trainer."""

from pathlib import Path

import orjson

from forkpoint.errors import BadInput
from forkpoint.export.finished_arm import FinishedArm
from forkpoint.export.model_card import model_card
from forkpoint.export.recipe import Kit, kits_of, learned, stage_folder
from forkpoint.export.running import write_running
from forkpoint.export.tool import Tool, tool_named, write_lines
from forkpoint.ledger import write_whole
from forkpoint.record import Record
from forkpoint.train.approach import approach as train_approach

CARD = "README.md"
ENDS = "generation_config.json"
READABLE = "rendered.jsonl"  # what is trained, for people to look at
TEMPLATE = "chat_template.jinja"
RECIPE = "recipe.json"
OURS = "forkpoint.train.approach."


class Exported(Record):
    """What was written, and what the trainer cannot be told."""

    tool: str
    checked: str  # the trainer's version that the form was held against
    folder: str
    command: str
    arm: str
    stages: tuple[str, ...]  # "text", "rows", "pairs", as far as the arm has them
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
    kits = kits_of(arm)
    _check(arm)
    gaps: list[str] = []
    for number, kit in enumerate(kits, start=1):
        place = folder / stage_folder(kit.recipe, number) if len(kits) > 1 else folder
        gaps += tool.write(kit, place)
    recipe = kits[-1].recipe
    command = write_running(folder, tool, [kit.recipe for kit in kits])
    retokenised = sum(kit.retokenised for kit in kits if kit.recipe.stage in tool.TEXTS)
    gaps += _gaps(arm, kits, tool_name, tool)
    if retokenised:
        gaps.append("export.gap_tokens")
    _write_beside(folder, arm, kits, lang)
    rows = next(kit for kit in kits if kit.recipe.stage == "rows")
    return Exported(
        tool=tool_name,
        checked=tool.CHECKED,
        folder=str(folder),
        command=command,
        arm=recipe.arm,
        stages=tuple(kit.recipe.stage for kit in kits),
        train_rows=len(rows.train),
        validation_rows=len(rows.validation),
        learned_tokens=learned(kits),
        retokenised=retokenised,
        gaps=tuple(dict.fromkeys(gaps)),
        token_rows=recipe.token_rows,
    )


def _check(arm: FinishedArm) -> None:
    """Raises BadInput where no recipe would train what the arm was trained on."""
    kind = train_approach(arm.plan.approach)
    where = getattr(kind, "__name__", type(kind).__module__)
    if not where.startswith(OURS):
        raise BadInput("export.approach", arm=arm.plan.name, approach=arm.plan.approach)


def _gaps(arm: FinishedArm, kits: tuple[Kit, ...], tool_name: str, tool: Tool) -> list[str]:
    """What this arm's training has that no trainer, or not this one, can be told."""
    recipe = kits[-1].recipe
    ends = set(recipe.end_tokens) <= set(arm.facts.generation_eos)
    later = len(kits) > 1 and recipe.adapters
    found = {
        # The script for unsloth sets them itself.
        "export.gap_ends": tool_name != "unsloth" and not ends,
        "export.gap_rows": bool(recipe.token_rows),
        "export.gap_template": recipe.chat_template is not None,
        "export.gap_merged": later and tool.ONWARD == "merged",
        "export.gap_whole": later and tool.ONWARD == "whole",
        "export.gap_delta": recipe.joined_to is not None,
        "export.gap_replay": arm.plan.replay is not None and arm.plan.replay > 0,
        "export.gap_four_bits": recipe.quantised and tool_name == "torchtune",
    }
    return [key for key, is_so in found.items() if is_so]


def _write_beside(folder: Path, arm: FinishedArm, kits: tuple[Kit, ...], lang: str) -> None:
    shown: list[object] = [
        {"row_id": row.row_id, "stage": kit.recipe.stage, "stretches": row.stretches}
        for kit in kits
        for row in kit.train
    ]
    shown += [
        {"row_id": one.row_id, "stage": kit.recipe.stage, "prompt": one.prompt,
         "chosen": one.chosen, "rejected": one.rejected}
        for kit in kits
        for one in kit.pairs
    ]  # fmt: skip
    write_lines(folder / READABLE, shown)
    dials = [kit.recipe.to_json() for kit in kits]
    whole = orjson.dumps([orjson.loads(one) for one in dials], option=orjson.OPT_INDENT_2)
    write_whole(folder / RECIPE, whole + b"\n")
    recipe = kits[-1].recipe
    ends = f'{{"eos_token_id": {list(recipe.end_ids)}}}\n'
    write_whole(folder / ENDS, ends.encode())
    if recipe.chat_template is not None:
        write_whole(folder / TEMPLATE, recipe.chat_template.encode())
    write_whole(folder / CARD, model_card(arm, None, lang).encode())
