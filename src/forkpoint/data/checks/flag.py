"""What a check says of one row, and the texts that checks look at."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from forkpoint.data.row import Row

QUOTED_CHARACTERS = 70  # characters shown of the place that gave a row away
_CODE_SPAN = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)


class Flag(NamedTuple):
    """A row that a check stopped at."""

    place: int  # of the row among those looked at
    quote: str  # what gave it away
    other: int | None = None  # place of the row it clashes with
    kind: str = ""  # which of several kinds, where a check knows several


Labels = Mapping[str, int]  # label -> rows; empty where answers are no labels
Look = Callable[[Sequence[Row], Labels], Iterator[Flag]]


def question(row: Row) -> str:
    """The last thing that a user said before the answer; empty for raw text."""
    for turn in reversed(row.prompt):
        if turn.role == "user":
            return turn.content
    return ""


def texts(row: Row) -> Iterator[str]:
    """Every text of a row that a model may read or learn."""
    for turn in row.turns:
        yield turn.content
    if row.text is not None:
        yield row.text
    if row.rejected is not None:
        yield row.rejected


def without_code(text: str) -> str:
    """The text with code spans and fences blanked: what is quoted there is quoted on purpose."""
    return _CODE_SPAN.sub(" ", text) if "`" in text else text


def around(text: str, start: int, end: int) -> str:
    """A stretch of a text with what stands beside it, one line, at most QUOTED_CHARACTERS."""
    room = max(QUOTED_CHARACTERS - (end - start), 0) // 2
    left, right = max(start - room, 0), min(max(end, start) + room, len(text))
    right = min(right, left + QUOTED_CHARACTERS)
    piece = " ".join(text[left:right].split())
    return f"{'…' if left else ''}{piece}{'…' if right < len(text) else ''}"
