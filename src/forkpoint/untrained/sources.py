"""What the untrained kinds of arm may look at: training rows and documents, never a test row."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from forkpoint.data.near import asked_text
from forkpoint.data.row import Row
from forkpoint.record import Record
from forkpoint.untrained.bm25 import Bm25
from forkpoint.untrained.documents import Passage


class Wish(Record):
    """What the user asked of the untrained arms, and what there is to draw on."""

    rows: int  # training rows
    passages: int = 0  # of the documents; 0: there are none
    passage_characters: float = 0.0  # mean
    shots: tuple[int, ...] = ()  # numbers of examples to try; none: the usual ones


class Usual(Record):
    """Usual lengths, in tokens of one checkpoint."""

    prompt_tokens: float  # of a row
    row_tokens: float  # of a row with its answer
    passage_tokens: float


class Sources:
    """Training rows and passages with their indices; an index is built when it is first used."""

    def __init__(self, rows: Sequence[Row], passages: Sequence[Passage], seed: int) -> None:
        self.rows = [row for row in rows if row.text is None]
        self.passages = passages
        self.seed = seed
        self.orders: dict[str, list[Row]] = {}  # training rows in orders by chance, as drawn

    @cached_property
    def row_index(self) -> Bm25:
        """The training rows by what was asked, system turns left aside."""
        return Bm25([question(row) for row in self.rows])

    @cached_property
    def passage_index(self) -> Bm25:
        """The passages by their text."""
        return Bm25([passage.text for passage in self.passages])

    @cached_property
    def row_vectors(self) -> Any:
        """The training rows by what was asked, as vectors of length 1; shape (rows, width)."""
        return _vectors([question(row) for row in self.rows])

    @cached_property
    def passage_vectors(self) -> Any:
        """The passages as vectors of length 1; shape (passages, width)."""
        return _vectors([passage.text for passage in self.passages])

    def by_likeness(self, vectors_N_D: Any, text: str) -> list[int]:
        """Places of the vectors, the most alike to the text's first."""
        import numpy as np

        likeness_N = vectors_N_D @ _vectors([text])[0]
        return [int(place) for place in np.argsort(-likeness_N, kind="stable")]


def _vectors(texts: Sequence[str]) -> Any:
    from forkpoint.models.embedding import embeddings

    return embeddings(texts)


def question(row: Row) -> str:
    """What a row asks, without what is the same in all rows."""
    kept = tuple(turn for turn in row.turns if turn.role != "system")
    return asked_text(row._replace(turns=kept))
