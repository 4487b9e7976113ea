"""What a trainer has to do to train an arm as the race did, in no tool's words."""

from collections.abc import Sequence
from typing import Any

from forkpoint.errors import BadInput
from forkpoint.export.finished_arm import FinishedArm
from forkpoint.export.model_card import parent_name
from forkpoint.models.rendering import IGNORED, Rendered
from forkpoint.record import Record
from forkpoint.train.job import GRADIENT_NORM

MOST_ROWS_AT_ONCE = 8  # rows of one pass in an exported recipe; the rest is accumulated
TRAINABLE = ("lora", "full")  # approaches that a supervised trainer elsewhere can repeat


class RecipeRow(Record):
    """One row as it is trained: its tokens, and the same as text in stretches."""

    row_id: str
    input_ids: tuple[int, ...]
    labels: tuple[int, ...]
    stretches: tuple[tuple[str, bool], ...]  # text, and whether it carries loss


class Recipe(Record):
    """Every dial of one arm's training."""

    arm: str
    approach: str
    model: str  # what a trainer loads: a Hub id or a folder
    model_name: str  # what others may read: no folder of this machine
    revision: str | None
    rate: float
    schedule: str
    warmup_steps: int
    passes: float
    steps: int
    rows_per_step: int
    rows_at_once: int
    accumulation: int
    seed: int
    rank: int
    alpha: int
    gradient_norm: float
    dtype: str
    context_tokens: int  # longest row, so that nothing is cut
    eos: str | None
    end_tokens: tuple[str, ...]  # at which answers end when the model is used
    end_ids: tuple[int, ...]
    chat_template: str | None  # in place of the checkpoint's own
    rendering: str
    loss_turns: str
    system_prompt: str | None
    model_type: str
    hidden_size: int | None
    layers: int | None
    vocabulary: int | None
    pad_id: int
    token_rows: tuple[str, ...] = ()  # tokens whose rows were set before training


class Kit(Record):
    """A recipe with its rows."""

    recipe: Recipe
    train: tuple[RecipeRow, ...]
    validation: tuple[RecipeRow, ...]
    retokenised: int  # rows whose text, encoded stretch by stretch, gives other tokens


def kit_of(arm: FinishedArm) -> Kit:
    """The recipe of an arm; raises BadInput for an approach that trains nothing elsewhere."""
    if arm.plan.approach not in TRAINABLE:
        known = ", ".join(TRAINABLE)
        raise BadInput(
            "export.approach", arm=arm.plan.name, approach=arm.plan.approach, known=known
        )
    visited = dict.fromkeys(row for step in arm.steps for row in step)
    train = tuple(_row(arm, row) for row in visited)
    validation = tuple(_row(arm, row) for row in arm.run.agreement.validation_ids)
    encode = arm.rows.tokenizer
    other = sum(_encoded(encode, row.stretches) != row.input_ids for row in train)
    return Kit(
        recipe=_recipe(arm, train + validation), train=train, validation=validation,
        retokenised=other,
    )  # fmt: skip


def _recipe(arm: FinishedArm, rows: Sequence[RecipeRow]) -> Recipe:
    settings, facts = arm.run.agreement.settings, arm.facts
    at_once = max(
        size for size in range(1, min(MOST_ROWS_AT_ONCE, settings.rows_per_step) + 1)
        if settings.rows_per_step % size == 0
    )  # fmt: skip
    tokenizer, renderer = arm.rows.tokenizer, arm.rows.renderer
    return Recipe(
        arm=arm.plan.name,
        approach=arm.plan.approach,
        model=arm.rows.path,
        model_name=parent_name(arm),
        revision=facts.revision,
        rate=arm.trial.rate,
        schedule=settings.schedule,
        warmup_steps=max(1, round(settings.warmup_share * len(arm.steps))),
        passes=arm.rung.passes,
        steps=len(arm.steps),
        rows_per_step=settings.rows_per_step,
        rows_at_once=at_once,
        accumulation=settings.rows_per_step // at_once,
        seed=arm.trial.seed,
        rank=settings.lora_rank,
        alpha=settings.lora_alpha,
        gradient_norm=GRADIENT_NORM,
        dtype=settings.dtype,
        context_tokens=max(len(row.input_ids) for row in rows),
        eos=tokenizer.eos_token,
        end_tokens=tuple(tokenizer.convert_ids_to_tokens(list(renderer.end_ids))),
        end_ids=renderer.end_ids,
        chat_template=arm.chat_template,
        rendering=arm.trial.rendering,
        loss_turns=settings.loss_turns,
        system_prompt=settings.system_prompt,
        model_type=facts.shape.model_type,
        hidden_size=facts.shape.hidden_size,
        layers=facts.shape.layers,
        vocabulary=facts.shape.vocabulary,
        pad_id=int(tokenizer.pad_token_id or 0),
        token_rows=tuple(row.token for row in arm.run.agreement.token_rows(arm.plan.checkpoint)),
    )


def _row(arm: FinishedArm, row_id: str) -> RecipeRow:
    rendered = arm.rows.rendered(row_id)
    return RecipeRow(
        row_id=row_id,
        input_ids=rendered.input_ids,
        labels=rendered.labels,
        stretches=_stretches(arm, rendered),
    )


def _stretches(arm: FinishedArm, rendered: Rendered) -> tuple[tuple[str, bool], ...]:
    """Text without loss, text with loss, and so on in turn; the first may be empty."""
    found = arm.rows.renderer.mask(rendered)
    return tuple(found if not found[0][1] else [("", False), *found])


def _encoded(tokenizer: Any, stretches: Sequence[tuple[str, bool]]) -> tuple[int, ...]:
    """The tokens that a trainer gets from the text, stretch by stretch."""
    return tuple(
        token
        for text, _ in stretches if text
        for token in tokenizer(text, add_special_tokens=False).input_ids
    )  # fmt: skip


def learned(row: RecipeRow) -> int:
    """Tokens that carry loss."""
    return sum(label != IGNORED for label in row.labels)
