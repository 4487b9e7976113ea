"""RAG: what is nearest to the question, from the documents or the training rows, in the prompt."""

from collections.abc import Sequence
from typing import Any

from forkpoint.data.language import language_shares
from forkpoint.data.row import Row, Turn
from forkpoint.errors import BadInput
from forkpoint.ledger import Setup
from forkpoint.untrained.documents import Passage
from forkpoint.untrained.sources import Sources, Usual, Wish, question
from forkpoint.words import say

NAME = "rag"
PASSAGES = (1, 3, 5)  # retrieved pieces tried


def setups(wish: Wish) -> tuple[Setup, ...]:
    """Every number of pieces, from the documents where there are some; raises BadInput."""
    origin, held = ("documents", wish.passages) if wish.passages else ("rows", wish.rows)
    if not held:
        raise BadInput("untrained.nothing_to_retrieve")
    numbers = [count for count in PASSAGES if count <= held]
    return tuple(
        Setup(name=f"{count}-{origin}", values={"pieces": count, "from": origin})
        for count in numbers
    )


def pieces(row: Row, setup: Setup, sources: Sources) -> Sequence[str]:
    """Texts of the nearest pieces, nearest first; none where nothing shares a word."""
    count = int(setup.values["pieces"])
    if setup.values["from"] == "documents":
        found = sources.passage_index.nearest(question(row), count)
        return [passage_text(sources.passages[at]) for at in found]
    near = [sources.rows[at] for at in sources.row_index.nearest(question(row), count + 1)]
    return [example_text(one) for one in near if one.id != row.id][:count]


def passage_text(passage: Passage) -> str:
    """A passage under the name of its file."""
    return f"{passage.file}\n{passage.text}"


def example_text(row: Row) -> str:
    """A training row as material: what was asked and what was answered."""
    return f"{question(row).replace(chr(0x1E), chr(10))}\n→ {row.answer}"


def conversation(row: Row, chosen: Sequence[Any]) -> tuple[Turn, ...]:
    """The row with the pieces in front of the last thing the user says, in its language."""
    last = max((at for at, turn in enumerate(row.turns[:-1]) if turn.role == "user"), default=None)
    if not chosen or last is None:
        return row.turns
    asked = row.turns[last].content
    lang = "zh" if next(iter(language_shares([asked])), "") == "zh" else "en"
    shown = "\n\n".join(f"[{place}] {text}" for place, text in enumerate(chosen, start=1))
    framed = say("untrained.rag_prompt", lang, pieces=shown, question=asked)
    return (*row.turns[:last], Turn("user", framed), *row.turns[last + 1 :])


def prompt_tokens(setup: Setup, usual: Usual) -> float:
    """The row's own and so many pieces more."""
    each = usual.passage_tokens if setup.values["from"] == "documents" else usual.row_tokens
    return usual.prompt_tokens + int(setup.values["pieces"]) * each
