"""How much an instruction helps a model to find the answer: loss with it over loss without it.

Instruction-following difficulty, IFD [Li and others 2024, "From Quantity to Quality", arXiv
2308.12032]: near 0 the instruction gives the answer away, near 1 it does not help, above 1 the
answer would be likelier without it, which speaks for a pair that does not belong together.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from forkpoint.measure.likelihood import span_bits
from forkpoint.models.rendering import Rendered


class Difficulty(NamedTuple):
    """Bits of one answer with its instruction and alone."""

    with_prompt_bits: float
    alone_bits: float

    @property
    def ratio(self) -> float | None:
        """The difficulty; None for an answer that costs nothing alone."""
        return self.with_prompt_bits / self.alone_bits if self.alone_bits > 0 else None


def start_id(tokenizer: Any) -> int | None:
    """The token that an answer without any instruction follows: BOS, else EOS."""
    found = tokenizer.bos_token_id
    found = found if found is not None else tokenizer.eos_token_id
    return None if found is None else int(found)


def difficulties(model: Any, rows: Sequence[Rendered], start: int) -> list[Difficulty]:
    """The difficulty of every row, on the same answer tokens both times."""
    both: list[tuple[Sequence[int], int]] = []
    for row in rows:
        both.append(((*row.prompt_ids, *row.answer_ids), len(row.prompt_ids)))
        both.append(((start, *row.answer_ids), 1))
    bits = [sum(values) for values in span_bits(model, both)]
    return [Difficulty(*pair) for pair in zip(bits[::2], bits[1::2], strict=True)]
