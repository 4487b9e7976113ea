"""Raw text that an arm reads before its rows: read, cut into pieces, kept apart from the test."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from forkpoint.data import load
from forkpoint.data.row import Row
from forkpoint.data.splits import Splits, leak_key
from forkpoint.errors import BadInput

PLAIN_SUFFIXES = (".txt", ".md")
BYTES_A_TOKEN = 2  # of a piece: prose has 3 to 4 bytes a token, so that a piece fits the context
MOST_PIECE_BYTES = 8_192  # further context costs memory and teaches a short run little
HELD_CHARACTERS = 24  # of a prompt; a shorter one stands in many texts by chance
BREAKS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?。！？])\s*"),
          re.compile(r"\s+"))  # fmt: skip


def read_corpus(file: str, splits: Splits, context_tokens: int) -> tuple[list[Row], int]:
    """The pieces of a file of raw text, and how many texts were left out for a held-out prompt.

    Plain text and Markdown are one text; any other data file gives the text of each row. Raises
    BadInput for a file without a single usable text.
    """
    held: dict[str, set[str]] = {}
    for row in (*splits.validation, *splits.test):
        if len(key := leak_key(row)) >= HELD_CHARACTERS:
            held.setdefault(key[:HELD_CHARACTERS], set()).add(key)
    limit = min(MOST_PIECE_BYTES, context_tokens * BYTES_A_TOKEN)
    rows: dict[str, Row] = {}
    left_out = 0
    for number, text in enumerate(_texts(file), start=1):
        for piece in pieces(text, limit):
            row = Row(_identity(piece), file, number, text=piece)
            if held and _holds(leak_key(row), held):
                left_out += 1
            else:
                rows.setdefault(row.id, row)
    if not rows:
        raise BadInput("race.corpus_empty", file=file, left_out=left_out)
    return list(rows.values()), left_out


def pieces(text: str, limit_bytes: int) -> Iterator[str]:
    """The text in stretches of at most so many bytes, cut where it breaks most naturally.

    >>> list(pieces("One. Two. Three.", 10))
    ['One. Two.', 'Three.']
    """
    text = text.strip()
    while len(text.encode()) > limit_bytes:
        room = len(text.encode()[:limit_bytes].decode(errors="ignore"))
        cut = next((end for pattern in BREAKS if (end := _last(pattern, text, room))), room)
        yield text[:cut].strip()
        text = text[cut:].strip()
    if text:
        yield text


def _last(pattern: re.Pattern[str], text: str, room: int) -> int:
    """Where the last match in the second half of the room ends; 0 where there is none."""
    return max((m.end() for m in pattern.finditer(text, room // 2, room)), default=0)


def _texts(file: str) -> Iterable[str]:
    path = Path(file)
    if path.suffix.lower() in PLAIN_SUFFIXES:
        try:
            return [path.read_text(encoding="utf-8-sig")]
        except UnicodeDecodeError as error:
            raise BadInput("race.corpus_not_text", file=file, place=error.start) from None
        except OSError as error:
            raise BadInput("race.corpus_unreadable", file=file, error=error.strerror) from None
    return _row_texts(load(file).rows)


def _row_texts(rows: Sequence[Row]) -> Iterator[str]:
    """Raw text as it is; of a conversation only what was said, one turn after the other."""
    for row in rows:
        if row.text is not None:
            yield row.text
        else:
            yield "\n\n".join(turn.content for turn in row.turns)


def _holds(text: str, held: Mapping[str, set[str]]) -> bool:
    """Whether one of the prompts stands in the text; they are known by how they begin."""
    for place in range(len(text) - HELD_CHARACTERS + 1):
        for prompt in held.get(text[place : place + HELD_CHARACTERS], ()):
            if text.startswith(prompt, place):
                return True
    return False


def _identity(piece: str) -> str:
    return hashlib.sha256(f"corpus\x1e{piece}".encode()).hexdigest()[:16]
