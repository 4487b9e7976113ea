"""Rows as an untrained arm is asked them: rendered like all others, with what its kind adds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from forkpoint.data.row import Row, Turn
from forkpoint.ledger import Agreement, Setup, UntrainedArm, write_whole
from forkpoint.measure.arm import ScoringRow
from forkpoint.models.generation import ANSWER_BATCH
from forkpoint.models.rendering import Rendered, Renderer, Rendering
from forkpoint.race.arm_rows import ArmRows
from forkpoint.untrained import kind
from forkpoint.untrained.documents import read_passages
from forkpoint.untrained.sources import Sources

BATCH_TOKENS = 16_384  # of the prompts answered together: long prompts in smaller batches


@dataclass(frozen=True)
class Asked:
    """A row with its prompt."""

    row: ScoringRow
    pieces: int  # in the prompt
    wanted: int  # that the kind found


class AskedRows:
    """The rows of one untrained arm in one setup."""

    def __init__(self, folder: Path, agreement: Agreement, arm: UntrainedArm, setup: Setup) -> None:
        self.agreement = agreement
        self.arm = arm.name
        self.setup = setup
        self.kind = kind(arm.approach)
        self.rows = ArmRows(folder, arm.checkpoint, setup.rendering)
        self.folder = folder
        chosen = Rendering.model_validate({"kind": setup.rendering})
        self.renderer = Renderer(self.rows.tokenizer, chosen, agreement.settings.system_prompt)

    @cached_property
    def _passages(self) -> Any:
        return read_passages(self.folder)

    def to_score(self, row_ids: Sequence[str], split: str) -> list[Asked]:
        """Rows to be answered, in their order; examples come from training rows only.

        Where every row is tested once, those of the fold that tests it.
        """
        plan = self.agreement
        homes = dict.fromkeys(row_ids, 0)
        if split == "test":
            homes |= {row: at for at, fold in enumerate(plan.folds) for row in fold.test_ids}
        sources = {at: self._sources(at) for at in sorted(set(homes.values()))}
        return [self._asked(self.rows.rows[key], sources[homes[key]]) for key in row_ids]

    def _sources(self, fold: int) -> Sources:
        train = [self.rows.rows[key] for key in self.agreement.sides(fold).train_ids]
        return Sources(train, self._passages, self.agreement.settings.seed)

    def _asked(self, row: Row, sources: Sources) -> Asked:
        """The row with as many pieces as the context takes beside the longest answer."""
        bare = self.rows.rendered(row.id)
        if row.text is not None:
            return Asked(ScoringRow(row, bare), 0, 0)
        chosen = self.kind.pieces(row, self.setup, sources)
        room = self.agreement.settings.context_tokens
        room -= self.rows.limits.max_new_tokens
        for count in range(len(chosen), -1, -1):
            turns = self.kind.conversation(row, chosen[:count])
            rendered = self.renderer.turns(turns, row.tools)  # not where the template refuses it
            if isinstance(rendered, Rendered) and (not count or len(rendered.prompt_ids) <= room):
                return Asked(self._scoring(row, rendered, turns), count, len(chosen))
        return Asked(self._scoring(row, bare, row.turns), 0, len(chosen))

    def _scoring(self, row: Row, rendered: Rendered, turns: Sequence[Turn]) -> ScoringRow:
        """The row beside its rejected answer after the same prompt, where it is a pair."""
        worse = None
        if row.rejected is not None:
            worse = self.renderer.turns((*turns[:-1], Turn("assistant", row.rejected)), row.tools)
        return ScoringRow(row, rendered, worse if isinstance(worse, Rendered) else None)

    def batch_size(self, asked: Sequence[Asked]) -> int:
        """Prompts answered together."""
        longest = max((len(one.row.rendered.prompt_ids) for one in asked), default=1)
        return max(1, min(ANSWER_BATCH, BATCH_TOKENS // longest))

    def show(self, asked: Sequence[Asked]) -> str:
        """Write one prompt as the checkpoint reads it, the first with most pieces; its path."""
        one = max(asked, key=lambda found: found.pieces)
        text = self.rows.tokenizer.decode(
            one.row.rendered.prompt_ids,
            skip_special_tokens=False,
            clean_up_tokenization_spaces=False,
        )
        path = Path("prompts") / f"{self.arm}.json"
        shown = {
            "arm": self.arm,
            "setup": self.setup.name,
            "row_id": one.row.row.id,
            "pieces": one.pieces,
            "text": text,
        }
        write_whole(self.folder / path, orjson.dumps(shown))
        return str(path)
