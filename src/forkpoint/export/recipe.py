"""What a trainer has to do to train an arm as the race did, in no tool's words."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mode
from typing import Literal

from forkpoint.export.finished_arm import FinishedArm
from forkpoint.export.model_card import parent_name
from forkpoint.export.recipe_rows import (
    RecipePair,
    RecipeRow,
    pair_of_row,
    pair_recut,
    row_of,
    row_recut,
)
from forkpoint.race.diet import Steps, arm_stages
from forkpoint.record import Record
from forkpoint.train.approach import Method
from forkpoint.train.approach import approach as train_approach
from forkpoint.train.job import GRADIENT_NORM
from forkpoint.train.preference import BETA, IMITATION, RATE_SHARE

MOST_ROWS_AT_ONCE = 8  # rows of one pass in an exported recipe; the rest is accumulated
StageName = Literal["text", "rows", "pairs"]  # raw text, the rows, preferences over the rows


class Recipe(Record):
    """Every dial of one stage of an arm's training."""

    arm: str
    approach: str
    method: Method
    stage: StageName = "rows"
    before: str | None = None  # folder of the stage before, seen from this one's; None: the first
    passes_before: float | None = None  # of the stage before
    model: str  # what a trainer loads first: a Hub id or a folder
    model_name: str  # what others may read: no folder of this machine
    revision: str | None
    joined_to: str | None = None  # the checkpoint that what a Base twin learned is added to
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
    beta: float = BETA  # of preferences: how hard the reference holds
    imitation: float = IMITATION  # of preferences: weight of the chosen answer's own likelihood

    @property
    def adapters(self) -> bool:
        """Whether weights stay frozen beside LoRA's."""
        return self.method != "full"

    @property
    def quantised(self) -> bool:
        """Whether the frozen weights are held in four bits."""
        return self.method == "qlora"


class Kit(Record):
    """A stage's recipe with its rows, or its pairs."""

    recipe: Recipe
    train: tuple[RecipeRow, ...] = ()
    validation: tuple[RecipeRow, ...] = ()
    pairs: tuple[RecipePair, ...] = ()
    validation_pairs: tuple[RecipePair, ...] = ()
    retokenised: int  # rows whose text, encoded stretch by stretch, gives other tokens


def kits_of(arm: FinishedArm) -> tuple[Kit, ...]:
    """The stages of an arm's training, first to last."""
    plan = arm_stages(arm.run.agreement, arm.trial)
    parts: dict[StageName, Steps] = {"text": plan.texts, "rows": plan.rows, "pairs": plan.pairs}
    kits: list[Kit] = []
    for stage, steps in parts.items():
        if steps:
            kits.append(_kit(arm, stage, steps, tuple(kits)))
    return tuple(kits)


def stage_folder(recipe: Recipe, number: int) -> str:
    """The folder of one stage of several, counted from 1."""
    return f"{number}-{recipe.stage}"


def _kit(arm: FinishedArm, stage: StageName, steps: Steps, earlier: tuple[Kit, ...]) -> Kit:
    visited = list(dict.fromkeys(row for step in steps for row in step))
    held = arm.run.agreement.validation_ids
    encode = arm.rows.tokenizer
    if stage == "pairs":
        known = set(arm.run.agreement.pair_ids)
        pairs = tuple(pair_of_row(arm, row) for row in visited)
        held_pairs = tuple(pair_of_row(arm, row) for row in held if row in known)
        longest = max(pair.longest for pair in (*pairs, *held_pairs))
        return Kit(
            recipe=_recipe(arm, stage, steps, longest, earlier), pairs=pairs,
            validation_pairs=held_pairs, retokenised=sum(pair_recut(encode, one) for one in pairs),
        )  # fmt: skip
    train = tuple(row_of(arm, row) for row in visited)
    validation = tuple(row_of(arm, row) for row in held)
    longest = max(len(row.input_ids) for row in (*train, *validation))
    return Kit(
        recipe=_recipe(arm, stage, steps, longest, earlier), train=train, validation=validation,
        retokenised=sum(row_recut(encode, row) for row in train),
    )  # fmt: skip


def _recipe(
    arm: FinishedArm, stage: StageName, steps: Steps, longest: int, earlier: tuple[Kit, ...]
) -> Recipe:
    settings, facts = arm.run.agreement.settings, arm.facts
    a_step = mode(len(step) for step in steps)  # the last one of a pass may be smaller
    at_once = max(
        size for size in range(1, min(MOST_ROWS_AT_ONCE, a_step) + 1) if a_step % size == 0
    )
    tokenizer, renderer = arm.rows.tokenizer, arm.rows.renderer
    kind = train_approach(arm.plan.approach)
    twin = arm.run.agreement.twins.get(arm.plan.checkpoint) if "twin" in kind.NEEDS else None
    whole = max(1, round(settings.warmup_share * len(arm.steps)))
    return Recipe(
        arm=arm.plan.name,
        approach=arm.plan.approach,
        method=kind.METHOD,
        stage=stage,
        before=f"../{stage_folder(earlier[-1].recipe, len(earlier))}" if earlier else None,
        passes_before=earlier[-1].recipe.passes if earlier else None,
        model=_place(str(twin.path) if twin else arm.rows.path),
        model_name=twin.name if twin else parent_name(arm),
        revision=twin.revision if twin else facts.revision,
        joined_to=_place(arm.rows.path) if twin else None,
        rate=arm.run.agreement.run_rate(arm.trial) * (RATE_SHARE if stage == "pairs" else 1.0),
        schedule=settings.schedule,
        # As the race does it: each stage warms up over the same share of its own steps.
        warmup_steps=max(1, round(whole * len(steps) / len(arm.steps))),
        passes=arm.rung.passes if stage == "rows" else 1.0,
        steps=len(steps),
        rows_per_step=a_step,
        rows_at_once=at_once,
        accumulation=a_step // at_once,
        seed=arm.trial.seed,
        rank=settings.lora_rank,
        alpha=settings.lora_alpha,
        gradient_norm=GRADIENT_NORM,
        dtype=settings.dtype,
        context_tokens=longest,
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


def _place(path: str) -> str:
    """A folder from anywhere: the recipe's own is another one than the race's."""
    return str(Path(path).resolve()) if Path(path).is_dir() else path


def learned(kits: Sequence[Kit]) -> int:
    """Tokens that carry loss, in all stages."""
    rows = sum(row.learned for kit in kits for row in kit.train)
    pairs = (pair for kit in kits for pair in kit.pairs)
    return rows + sum(len(one.chosen_ids) + len(one.rejected_ids) for one in pairs)
