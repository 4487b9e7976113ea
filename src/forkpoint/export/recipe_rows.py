"""Rows and pairs as an arm is trained on them: tokens, and the same as text."""

from collections.abc import Sequence
from typing import Any

from forkpoint.export.finished_arm import FinishedArm
from forkpoint.models.rendering import IGNORED, Rendered
from forkpoint.record import Record


class RecipeRow(Record):
    """One row as it is trained: its tokens, and the same as text in stretches."""

    row_id: str
    input_ids: tuple[int, ...]
    labels: tuple[int, ...]
    stretches: tuple[tuple[str, bool], ...]  # text, and whether it carries loss

    @property
    def learned(self) -> int:
        """Tokens that carry loss."""
        return sum(label != IGNORED for label in self.labels)


class RecipePair(Record):
    """A prompt with the answer that is preferred and the other one, as tokens and as text."""

    row_id: str
    prompt_ids: tuple[int, ...]
    chosen_ids: tuple[int, ...]
    rejected_ids: tuple[int, ...]
    prompt: str
    chosen: str
    rejected: str

    @property
    def longest(self) -> int:
        """Tokens of the prompt with the longer answer."""
        return len(self.prompt_ids) + max(len(self.chosen_ids), len(self.rejected_ids))


def row_of(arm: FinishedArm, row_id: str) -> RecipeRow:
    """A row as the arm was trained on it."""
    rendered = arm.rows.to_train(row_id)
    return RecipeRow(
        row_id=row_id,
        input_ids=rendered.input_ids,
        labels=rendered.labels,
        stretches=_stretches(arm, rendered),
    )


def pair_of_row(arm: FinishedArm, row_id: str) -> RecipePair:
    """Both answers to a row's prompt as the arm was trained on them."""
    pair = arm.rows.pair(row_id)
    texts = (
        arm.rows.tokenizer.decode(
            list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        for ids in (pair.prompt_ids, pair.chosen_ids, pair.rejected_ids)
    )
    prompt, chosen, rejected = texts
    return RecipePair(
        row_id=row_id, prompt_ids=pair.prompt_ids, chosen_ids=pair.chosen_ids,
        rejected_ids=pair.rejected_ids, prompt=prompt, chosen=chosen, rejected=rejected,
    )  # fmt: skip


def row_recut(tokenizer: Any, row: RecipeRow) -> bool:
    """Whether a trainer that encodes the text stretch by stretch gets other tokens."""
    return _encoded(tokenizer, [text for text, _ in row.stretches]) != row.input_ids


def pair_recut(tokenizer: Any, pair: RecipePair) -> bool:
    """The same for a pair."""
    sides = ((pair.prompt, pair.prompt_ids), (pair.chosen, pair.chosen_ids),
             (pair.rejected, pair.rejected_ids))  # fmt: skip
    return any(_encoded(tokenizer, [text]) != ids for text, ids in sides)


def _stretches(arm: FinishedArm, rendered: Rendered) -> tuple[tuple[str, bool], ...]:
    """Text without loss, text with loss, and so on in turn; the first may be empty."""
    found = arm.rows.renderer.mask(rendered)
    return tuple(found if not found[0][1] else [("", False), *found])


def _encoded(tokenizer: Any, texts: Sequence[str]) -> tuple[int, ...]:
    return tuple(
        token
        for text in texts if text
        for token in tokenizer(text, add_special_tokens=False).input_ids
    )  # fmt: skip
