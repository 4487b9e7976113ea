"""A row built of its parts, with the id it is known by: a hash of all that makes it what it is."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson

from forkpoint.data.bad_row import BadRow
from forkpoint.data.conversation import Parts
from forkpoint.data.row import NOTHING_ELSE, Row, Turn
from forkpoint.data.shape import OWN_FIELDS


def built(parts: Parts, value: Mapping[str, Any], file: str, line: int, bare: bool = False) -> Row:
    """The row of some parts, with an empty id when `bare`; raises BadRow for half characters."""
    turns, rejected, text, images = parts
    if len(value) == 1:  # nothing beside the conversation
        tools, extra = None, NOTHING_ELSE
    else:
        tools = value.get("tools") or None
        if tools is not None and type(tools) is not str:
            tools = orjson.dumps(tools).decode()
        extra = _extra(value)
    if images:
        extra = {**extra, "images": str(images)}
    name = ""
    if not (bare and _sound(parts)) or tools:
        whole = canonical(turns, rejected, text, tools)
        if "\0" in whole:
            raise BadRow("data.fault_nul", place=whole.index("\0") + 1)
        try:
            name = identity(whole)
        except UnicodeEncodeError:
            raise BadRow("data.fault_surrogate") from None
    made: Row = tuple.__new__(Row, (name, file, line, turns, rejected, text, tools, extra))
    return made


def _sound(parts: Parts) -> bool:
    """Whether these are one question and one answer, surely without NUL and half characters."""
    turns, rejected, _, _ = parts
    if len(turns) != 2 or rejected is not None:
        return False
    (_, asked), (_, told) = turns
    if "\0" in asked or "\0" in told:
        return False
    return (asked.isascii() or _whole(asked)) and (told.isascii() or _whole(told))


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _extra(value: Mapping[str, Any]) -> Mapping[str, str]:
    if value.keys() <= OWN_FIELDS:
        return NOTHING_ELSE
    return {
        name: item if type(item) is str else str(item)
        for name, item in value.items()
        if name not in OWN_FIELDS and isinstance(item, (str, int, float))
    }


def canonical(
    turns: tuple[Turn, ...], rejected: str | None, text: str | None, tools: str | None
) -> str:
    """All that makes a row what it is, as one text."""
    if len(turns) == 2 and rejected is None and not tools:  # nearly all rows
        (asker, asked), (teller, told) = turns
        return f"{asker}\x1f{asked}\x1e{teller}\x1f{told}"
    pieces = [f"{role}\x1f{content}" for role, content in turns]
    if text is not None:
        pieces.append(text)
    if rejected is not None:
        pieces += ("\x1frejected", rejected)
    if tools:
        pieces += ("\x1ftools", tools)
    return "\x1e".join(pieces)


def identity(whole: str) -> str:
    """The id of a row with this canonical text; raises UnicodeEncodeError for half characters."""
    return sha256(whole.encode()).digest()[:8].hex()


def named(row: Row) -> Row:
    """A row that was read without its id, with it."""
    _, file, line, turns, rejected, text, tools, extra = row
    name = identity(canonical(turns, rejected, text, tools))
    return Row(name, file, line, turns, rejected, text, tools, extra)
