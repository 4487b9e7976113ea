"""The rows of a race as one arm sees them: rendered by its tokenizer, ready to train or answer."""

from collections.abc import Sequence
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

import orjson

from forkpoint.data.row import Row
from forkpoint.ledger import Agreement, Trial, write_whole
from forkpoint.measure.arm import AnswerLimits, ScoringRow
from forkpoint.measure.scores import ArmScores
from forkpoint.models.rendering import Rendered, Renderer, Rendering
from forkpoint.models.weights import load_tokenizer
from forkpoint.race.driver import read_agreement
from forkpoint.race.rows_file import read_rows
from forkpoint.train.job import PreferencePair


class ArmRows:
    """Rows, tokenizer and limits of one checkpoint in one rendering."""

    def __init__(self, folder: Path, checkpoint: str, rendering: str) -> None:
        self.folder = folder
        self.agreement: Agreement = read_agreement(folder)
        self.checkpoint = checkpoint
        self.path = str(self.agreement.checkpoints[checkpoint].path)
        self.tokenizer: Any = load_tokenizer(self.path)
        settings = self.agreement.settings
        chosen = Rendering.model_validate({"kind": rendering, "loss_on": settings.loss_turns})
        self.renderer = Renderer(self.tokenizer, chosen, settings.system_prompt)

    @cached_property
    def rows(self) -> dict[str, Row]:
        """The rows in use, by id."""
        return read_rows(self.folder)

    def rendered(self, row_id: str) -> Rendered:
        """A row as tokens; rows that cannot be rendered were excluded before the race."""
        rendered = self.renderer.row(self.rows[row_id])
        if not isinstance(rendered, Rendered):
            raise TypeError(f"row {row_id} was agreed on but cannot be rendered: {rendered}")
        return rendered

    def to_train(self, row_id: str) -> Rendered:
        """A row as it is trained: cut to the context where the user chose that."""
        rendered = self.rendered(row_id)
        settings = self.agreement.settings
        if settings.truncate == "no":
            return rendered
        return rendered.within(settings.context_tokens) or rendered

    def pair(self, row_id: str) -> PreferencePair:
        """Both answers of a preference row as they are trained."""
        return pair_of(self.rendered(row_id), self._worse(self.rows[row_id]))

    def to_score(self, row_ids: Sequence[str]) -> list[ScoringRow]:
        """Rows to be answered."""
        return [
            ScoringRow(
                self.rows[key],
                self.rendered(key),
                None if self.rows[key].rejected is None else self._worse(self.rows[key]),
            )
            for key in row_ids
        ]

    def _worse(self, row: Row) -> Rendered:
        rendered = self.renderer.rejected(row)
        if not isinstance(rendered, Rendered):
            raise TypeError(f"row {row.id} was agreed on but cannot be rendered: {rendered}")
        return rendered

    @property
    def limits(self) -> AnswerLimits:
        """When an answer is cut off: the same bytes for every arm."""
        settings = self.agreement.settings
        return AnswerLimits(
            stop_ids=self.renderer.end_ids,
            max_new_tokens=settings.answer_tokens[self.checkpoint],
            max_bytes=settings.answer_limit_bytes,
        )


def pair_of(better: Rendered, worse: Rendered) -> PreferencePair:
    """Two renderings of one prompt as a pair; a token may span the prompt's end in one of them."""
    sides = zip(better.prompt_ids, worse.prompt_ids, strict=False)
    prompt = tuple(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], sides))
    return PreferencePair(
        prompt_ids=prompt,
        chosen_ids=better.input_ids[len(prompt) :],
        rejected_ids=worse.input_ids[len(prompt) :],
    )


def trial_folder(folder: Path, trial: Trial) -> Path:
    """Where a trial's files lie."""
    return folder / trial.folder


def write_answers(path: Path, scores: ArmScores, split: str, trial: Trial | None) -> None:
    """One line an answer: what was said, what was expected, and how it scored."""
    lines = []
    for row in scores.rows:
        lines.append(
            orjson.dumps(
                {
                    "row_id": row.id,
                    "split": split,
                    "trial": trial.folder if trial else None,
                    "text": row.answer,
                    "stopped": row.stopped,
                    "tokens": row.answer_tokens,
                    "prompt_tokens": row.prompt_tokens,
                    "score": row.score,
                    "gold": row.gold,
                    "said": row.said,
                    "expected": row.expected,
                    "expected_bits": row.expected_bits,
                    "expected_bytes": row.expected_bytes,
                    "stop_bits": row.stop_bits,
                    "note": row.note,
                    **({} if row.preferred is None else {"preferred": row.preferred}),
                }
            )
        )
    write_whole(path, b"\n".join(lines) + b"\n")
