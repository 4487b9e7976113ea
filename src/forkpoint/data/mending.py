"""What a file's mending is made of: a log of changes, marks trimmed, secrets blotted out."""

import ast
import re
from collections.abc import Callable
from typing import Any, Literal

import orjson

from forkpoint.data.checks import masked
from forkpoint.data.checks.template_tokens import MARKS
from forkpoint.record import Record

Done = Literal["removed", "changed", "listed"]

_ROLE_MARK = (  # a mark that opens a turn, with the role behind it
    r"<\|im_start\|>(?:system|user|assistant|tool)?\s*|"
    r"<\|start_header_id\|>\w+<\|end_header_id\|>\s*|<start_of_turn>(?:user|model)?\s*"
)
_HEAD = re.compile(rf"\s*(?:{_ROLE_MARK}|{MARKS}|</?s>)\s*")
_TAIL = re.compile(rf"\s*(?:{MARKS}|</?s>)\s*\Z")


class Change(Record):
    """One change to a data file, or one row that somebody should look at."""

    line: int  # 1-based line, or place in a table; 0 for the whole file
    what: str  # "broken", "copy", "encoding", or the name of a check
    done: Done
    before_sha256: str  # of the row's bytes, or of its JSON where it stood in a table
    reason: str = ""  # catalogue key of a fault
    quote: str = ""  # what gave it away; secrets are blotted out
    other_line: int | None = None  # the row it repeats or clashes with


class Cleaned(Record):
    """What was done to a data file."""

    file: str
    out: str
    log: str
    rows_before: int  # usable and broken
    rows_after: int
    removed: dict[str, int]  # what -> rows
    changed: dict[str, int]
    listed: dict[str, int]


def without_edge_marks(text: str) -> str:
    """The text without the marks of a chat template at its beginning and end."""
    while True:
        head = _HEAD.match(text)
        shorter = text[head.end() :] if head else text
        tail = _TAIL.search(shorter)
        shorter = shorter[: tail.start()] if tail else shorter
        if shorter == text:
            return text
        text = shorter


def blotted(text: str) -> str:
    """The text with personal data and secrets blotted out."""
    return masked(text)


def changed_texts(value: Any, change: Callable[[str], str]) -> Any:
    """A row's value with every text in it changed; names of fields stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [changed_texts(item, change) for item in value]
    if isinstance(value, dict):
        return {name: changed_texts(item, change) for name, item in value.items()}
    return value


def mended_line(line: bytes, fault: str) -> Any:
    """The value of a broken line where there is only one way to read it, else None.

    A comma behind the row, or a Python dict with single quotation marks.
    """
    if fault == "data.fault_comma":
        try:
            return orjson.loads(line.strip().rstrip(b","))
        except orjson.JSONDecodeError:
            return None
    if fault == "data.fault_quotes" and len(line) < 1_000_000:
        try:
            value = ast.literal_eval(line.decode().strip().rstrip(","))
            orjson.dumps(value)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return None
        return value
    return None
