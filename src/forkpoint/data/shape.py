"""Which of the known formats a row is in, and how to build it."""

from collections.abc import Callable, Mapping
from typing import Any

from forkpoint.data.bad_row import BadRow, json_type, shown
from forkpoint.data.conversation import (
    ANSWER_FIELDS,
    CHAT_FIELDS,
    PROMPT_FIELDS,
    Parts,
    alpaca,
    alpaca_prompt,
    chat,
    check_prompt,
    field_in,
    images_in,
    messages_of,
    pair,
    spoken,
    with_system,
)
from forkpoint.data.profile_record import Format
from forkpoint.data.row import Turn

FORMATS: tuple[Format, ...] = (
    "alpaca", "sharegpt", "messages", "prompt_completion", "preference", "text",
)  # fmt: skip
TEXT_FIELDS = ("text", "content", "document")
FAMILY: dict[Format, str] = {
    "alpaca": "dialogue", "sharegpt": "dialogue", "messages": "dialogue",
    "prompt_completion": "dialogue", "preference": "preference", "text": "text",
}  # fmt: skip
CHOSEN, REJECTED = "chosen", "rejected"
# Fields that are the row itself; every other one is kept in `Row.extra`.
OWN_FIELDS = frozenset(
    (*CHAT_FIELDS, *PROMPT_FIELDS, *ANSWER_FIELDS, *TEXT_FIELDS, CHOSEN, REJECTED,
     "system", "history", "tools", "context", "images", "image")
)  # fmt: skip


def format_of(row: Mapping[str, Any]) -> Format | None:
    """The format that a row's fields say, or None."""
    if "messages" in row and CHOSEN not in row:
        return "messages"
    if REJECTED in row and CHOSEN in row:
        return "preference"
    if "instruction" in row:
        if "output" in row:
            two = type(row["output"]) is not str and _two_answers(row["output"])
            return "preference" if two else "alpaca"
        if any(field in row for field in ANSWER_FIELDS):
            return "alpaca"
    for field in CHAT_FIELDS:
        turns = row.get(field)
        if isinstance(turns, list):
            first = turns[0] if turns else None
            return "sharegpt" if isinstance(first, dict) and "from" in first else "messages"
    return _plain_format(row)


def _plain_format(row: Mapping[str, Any]) -> Format | None:
    for field in PROMPT_FIELDS:
        if field in row and field_in(row, ANSWER_FIELDS, field):
            return "prompt_completion"
    if any(isinstance(row.get(field), str) for field in TEXT_FIELDS):
        return "text"
    return None


def _two_answers(output: Any) -> bool:
    return isinstance(output, list) and len(output) == 2 and all(type(o) is str for o in output)


def preference(row: Mapping[str, Any]) -> Parts:
    """A row with a better and a worse answer, in any of the shapes that are in use."""
    chosen, rejected = row.get(CHOSEN), row.get(REJECTED)
    if chosen is None and _two_answers(row.get("output")):
        chosen, rejected = row["output"]
    if chosen is None or rejected is None:
        raise BadRow("data.fault_missing", field=CHOSEN if chosen is None else REJECTED)
    turns, images = _preference_prompt(row)
    better, worse = _side(chosen, CHOSEN), _side(rejected, REJECTED)
    if not turns:  # the prompt stands inside both sides
        turns, better, worse = _shared(better, worse)
    for side, field in ((better, CHOSEN), (worse, REJECTED)):
        if len(side) > 1 and side[: len(turns)] == turns:
            del side[: len(turns)]
        if len(side) != 1 or side[0].role != "assistant":
            raise BadRow("data.fault_side", field=field)
        if not side[0].content.strip():
            raise BadRow("data.fault_empty_side", field=field)
    if better[0].content == worse[0].content:
        raise BadRow("data.fault_same_sides")
    turns = with_system(row, turns)
    check_prompt(turns, images)
    return Parts((*turns, better[0]), worse[0].content, images=images)


def _preference_prompt(row: Mapping[str, Any]) -> tuple[list[Turn], int]:
    images = images_in(row)
    for field in CHAT_FIELDS:
        if field in row:
            turns, seen = messages_of(row[field], field)
            return turns, images + seen
    if "instruction" in row:
        return alpaca_prompt(row), images
    for field in PROMPT_FIELDS:
        value = row.get(field)
        if isinstance(value, list):
            turns, seen = messages_of(value, field)
            return turns, images + seen
        if value is not None:
            return [Turn("user", spoken(value, field))], images
    return [], images


def _side(value: Any, field: str) -> list[Turn]:
    if isinstance(value, dict):
        value = [value]
    if isinstance(value, list):
        return messages_of(value, field)[0]
    text = spoken(value, field)
    return _human_assistant(text) if "\n\nAssistant:" in text else [Turn("assistant", text)]


def _human_assistant(text: str) -> list[Turn]:
    """A transcript written as "\\n\\nHuman: ... \\n\\nAssistant: ..." as turns."""
    turns = []
    for piece in text.replace("\n\nHuman:", "\0u").replace("\n\nAssistant:", "\0a").split("\0"):
        if piece[:1] == "u":
            turns.append(Turn("user", piece[1:].strip()))
        elif piece[:1] == "a":
            turns.append(Turn("assistant", piece[1:].strip()))
        elif piece.strip():
            return [Turn("assistant", text)]
    return turns


def _shared(better: list[Turn], worse: list[Turn]) -> tuple[list[Turn], list[Turn], list[Turn]]:
    same = 0
    while same < min(len(better), len(worse)) - 1 and better[same] == worse[same]:
        same += 1
    return better[:same], better[same:], worse[same:]


def raw_text(row: Mapping[str, Any]) -> Parts:
    """A row of raw text to continue."""
    for field in TEXT_FIELDS:
        if field in row:
            text = row[field]
            if not isinstance(text, str):
                raise BadRow("data.fault_type", field=field, found=json_type(text))
            if not text or text.isspace():
                raise BadRow("data.fault_empty_text")
            return Parts((), text=text)
    raise BadRow("data.fault_missing", field="text")


BUILDERS: dict[Format, Callable[[Mapping[str, Any]], Parts]] = {
    "alpaca": alpaca,
    "sharegpt": chat,
    "messages": chat,
    "prompt_completion": pair,
    "preference": preference,
    "text": raw_text,
}


def unknown(row: Mapping[str, Any]) -> BadRow:
    """The fault of a row whose fields are none of the known formats."""
    if (CHOSEN in row) != (REJECTED in row):
        return BadRow("data.fault_one_side", field=REJECTED if CHOSEN in row else CHOSEN)
    return BadRow("data.fault_format", fields=shown(", ".join(map(str, row))))
