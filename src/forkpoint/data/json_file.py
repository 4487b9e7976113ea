"""JSON and JSONL: one value a row, a broken one named by its line, the good ones kept."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from forkpoint.data.bad_row import BadRow, shown
from forkpoint.data.encoding import Encoding

BLOCK_BYTES = 1 << 22  # bytes read at once
MAX_LINE_BYTES = 64 << 20  # a longer line is a broken file; it is skipped, not held in memory
MAX_ATTEMPTS = 2_000  # places tried in a broken array before the rest of it is given up
LIST_FIELDS = ("data", "rows", "train", "examples", "instances")

Raw = tuple[int, Any]  # line and what stood there; a BadRow where it cannot be read
OnBytes = Callable[[int], None]  # is told how many bytes were read since the last call


def silent(_: int) -> None:
    """Nobody wants to know how far the reading is."""


def json_lines(path: Path, encoding: Encoding, on_bytes: OnBytes = silent) -> Iterator[Raw]:
    """The values of a JSONL file with their lines, read in blocks."""
    loads = orjson.loads
    lines = _lines(path, on_bytes) if encoding.plain else _decoded_lines(path, encoding)
    for number, line in lines:
        try:
            value = loads(line)
        except orjson.JSONDecodeError as error:
            if line and not line.isspace():
                yield number, why_not_json(line, error)
            continue
        yield number, value


def _lines(path: Path, on_bytes: OnBytes) -> Iterator[tuple[int, bytes]]:
    """Each line without its end; one beyond MAX_LINE_BYTES is cut to its first bytes."""
    number, carry, skipping = 1, b"", False
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            on_bytes(len(block))
            pieces = (carry + block).split(b"\n")
            carry = pieces.pop()
            for piece in pieces:
                if not skipping:
                    yield number, piece
                skipping = False
                number += 1
            if skipping:
                carry = b""
            elif len(carry) > MAX_LINE_BYTES:
                yield number, carry[:MAX_LINE_BYTES]
                carry, skipping = b"", True
    if carry and not skipping:
        yield number, carry


def _decoded_lines(path: Path, encoding: Encoding) -> Iterator[tuple[int, bytes]]:
    with path.open(encoding=encoding.codec, errors="replace", newline="\n") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES):
            number += 1
            yield number, line.encode("utf-8", "replace")
            while line and not line.endswith("\n"):
                line = file.readline(MAX_LINE_BYTES)


def why_not_json(line: bytes, error: orjson.JSONDecodeError) -> BadRow:
    """The reason, in words, why a piece of text is not JSON."""
    if len(line) >= MAX_LINE_BYTES:
        return BadRow("data.fault_long_line", limit=MAX_LINE_BYTES >> 20)
    try:
        line.decode()
    except UnicodeDecodeError as bad:
        return BadRow("data.fault_encoding", place=bad.start + 1, byte=f"0x{line[bad.start]:02x}")
    if b"\0" in line:
        return BadRow("data.fault_nul", place=line.index(b"\0") + 1)
    if "ecursion" in error.msg:
        return BadRow("data.fault_nesting")
    text = line.strip()
    if re.match(rb"\{\s*'", text):
        return BadRow("data.fault_quotes")
    if error.pos >= len(line.decode().rstrip()) or not text.endswith((b"}", b"]", b",")):
        return BadRow("data.fault_cut", found=shown(text[-30:].decode("utf-8", "replace")))
    if text.endswith(b","):
        return BadRow("data.fault_comma")
    return BadRow("data.fault_json", column=error.colno, reason=error.msg.split(":")[0])


def is_lines(sample: bytes) -> bool:
    """Whether a sample of a JSON file holds one value a line, not one array or pretty print."""
    first, _, rest = sample.lstrip().partition(b"\n")
    first = first.strip()
    if first.startswith(b"["):
        return False
    if not first.startswith(b"{"):
        return True
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        # a broken first line of JSONL, unless what follows is the inside of a pretty print
        return rest.lstrip(b" \t").startswith(b"{")
    return True


def json_document(path: Path, encoding: Encoding) -> Iterator[Raw]:
    """The rows of one JSON document with their place in it, counted from 1.

    When the document is broken, rows are read one by one instead and carry their line.
    """
    data = path.read_bytes()
    if not encoding.plain:
        data = data.decode(encoding.codec, "replace").encode("utf-8", "replace")
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        yield from _recovered(data.decode("utf-8", "replace"))
        return
    yield from enumerate(_rows_in(value), 1)


def _rows_in(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        for field in LIST_FIELDS:
            inner = value.get(field)
            if isinstance(inner, list) and (not inner or isinstance(inner[0], dict)):
                return inner
    return [value]


def _recovered(text: str) -> Iterator[Raw]:
    """The rows of a broken document: each is parsed alone, a broken one is a fault by its line.

    After a fault reading goes on at the next place where a row may begin: an object that has
    a field of the first good row, so that the inside of a broken row is not taken for rows.
    """
    decoder = json.JSONDecoder()
    start = re.compile(r"(?:(?<=[\[}\]])|(?<=[\[}\]],)|^)\s*(?=\{)", re.MULTILINE)
    opening = re.compile(r"[\s\[]*(?=\{)").match(text)
    place = opening.end() if opening else 0
    counted, line, attempts = 0, 1, 0
    fields: frozenset[str] = frozenset()
    faulty = False
    while place < len(text):
        line += text.count("\n", counted, place)
        counted = place
        try:
            value, end = decoder.raw_decode(text, place)
        except (json.JSONDecodeError, RecursionError) as error:
            value, end = None, place + 1
            if not faulty:
                yield line, _why_not_document(text, place, error)
            faulty, attempts = True, attempts + 1
        else:
            known = isinstance(value, dict) and (not fields or not fields.isdisjoint(value))
            if known or not faulty:
                yield line, value
                faulty = False
                fields = fields or frozenset(value if isinstance(value, dict) else ())
            end = max(end, place + 1) if known or not faulty else place + 1
        if attempts > MAX_ATTEMPTS:
            yield line, BadRow("data.fault_rest")
            return
        place = _next_place(text, end, start, faulty)


def _next_place(text: str, end: int, start: "re.Pattern[str]", faulty: bool) -> int:
    """Where the next row may begin: after the comma, or after a fault where `start` says."""
    if not faulty:
        after = re.compile(r"[\s,]*").match(text, end)
        place = after.end() if after else end
        if place >= len(text) or text.startswith("]", place):
            rest = text[place + 1 :].lstrip() if place < len(text) else ""
            return len(text) if not rest else place + 1
        return place
    found = start.search(text, end)
    while found and found.end() <= end - 1:
        found = start.search(text, found.end() + 1)
    return found.end() if found else len(text)


def _why_not_document(text: str, place: int, error: Exception) -> BadRow:
    if isinstance(error, RecursionError):
        return BadRow("data.fault_nesting")
    assert_pos = getattr(error, "pos", place)
    if assert_pos >= len(text.rstrip()):
        return BadRow("data.fault_cut", found=shown(text[-30:]))
    if text.startswith("'", place + 1):
        return BadRow("data.fault_quotes")
    return BadRow(
        "data.fault_json",
        column=getattr(error, "colno", 1),
        reason=str(getattr(error, "msg", error)).lower(),
    )
