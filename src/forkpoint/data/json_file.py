"""JSON and JSONL: one value a row, a broken one named by its line, the good ones kept."""

import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson

from forkpoint.data.bad_row import BadRow, shown
from forkpoint.data.encoding import Encoding, opened, opened_text

BLOCK_BYTES = 1 << 17  # bytes read at once; more would leave the processor's cache
MAX_LINE_BYTES = 64 << 20  # a longer line is a broken file; it is skipped, not held in memory
MAX_ATTEMPTS = 2_000  # places tried in a broken array before the rest of it is given up
MARGIN_CHARACTERS = 40  # of what stands before a row in its line
LOOKED_AT_LINES = 50  # of a sample, to know whether each is a row
LIST_FIELDS = ("data", "rows", "train", "examples", "instances")

BREAKS = (EOFError, OSError, zlib.error)  # a cut archive, a failing disk

Raw = tuple[int, Any]  # line and what stood there; a BadRow where it cannot be read
OnBytes = Callable[[int], None]  # is told how many bytes were read since the last call


def silent(_: int) -> None:
    """Nobody wants to know how far the reading is."""


def broken_off(error: Exception) -> BadRow:
    """The fault behind the last row of a file that cannot be read to its end."""
    return BadRow("data.fault_broken_off", reason=shown(str(error)))


def json_lines(path: Path, encoding: Encoding, on_bytes: OnBytes = silent) -> Iterator[Raw]:
    """The values of a JSONL file with their lines, read in blocks."""
    loads = orjson.loads
    blocks = _blocks_of(path, on_bytes) if encoding.plain else [_decoded_lines(path, encoding)]
    number = 0
    try:
        for block in blocks:
            for number, line in block:
                try:
                    value = loads(line)
                except orjson.JSONDecodeError as error:
                    if line and not line.isspace():
                        yield number, why_not_json(line, error)
                    continue
                yield number, value
    except BREAKS as error:
        yield number + 1, broken_off(error)


def lines_of(path: Path, on_bytes: OnBytes = silent) -> Iterator[tuple[int, bytes]]:
    """Each line without its end; one beyond MAX_LINE_BYTES is cut to its first bytes."""
    return chain.from_iterable(_blocks_of(path, on_bytes))


def _blocks_of(path: Path, on_bytes: OnBytes) -> Iterator[Iterable[tuple[int, bytes]]]:
    number, size, skipping = 1, 0, False
    held: list[bytes] = []  # of a line whose end was not read yet
    with opened(path) as file:
        while block := file.read1(BLOCK_BYTES):  # what a cut archive still gives
            on_bytes(len(block))
            pieces = block.split(b"\n")
            if not skipping:
                held.append(pieces[0])
                size += len(pieces[0])
            if len(pieces) > 1:
                pieces[0], held = b"".join(held), [pieces.pop()]
                size = len(held[0])
                yield islice(enumerate(pieces, number), int(skipping), None)
                number, skipping = number + len(pieces), False
            if size > MAX_LINE_BYTES:
                yield [(number, b"".join(held)[:MAX_LINE_BYTES])]
                held, size, skipping = [], 0, True
    if size:
        yield [(number, b"".join(held))]


def _decoded_lines(path: Path, encoding: Encoding) -> Iterator[tuple[int, bytes]]:
    with opened_text(path, encoding.codec, "replace", "\n") as file:
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
    if "ecursion" in error.msg or "depth" in error.msg:
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
    """Whether a sample of a JSON file holds one value a line, not one array or pretty print.

    Lines that are JSON by themselves say so, lines that are once their comma is gone deny it.
    """
    text = sample.strip()
    lines = text.split(b"\n")
    if len(lines) == 1:
        value = _parsed(text)
        return not text.startswith(b"[") and value is not None and len(_rows_in(value)) == 1
    if lines[0].strip() == b"[":
        return False
    alone = inside = 0
    for line in lines[:LOOKED_AT_LINES]:
        line = line.strip()
        if line.startswith(b"{"):
            alone += _parsed(line) is not None
            inside += line.endswith(b",") and _parsed(line[:-1]) is not None
    if not alone and not inside:  # all broken, or a pretty print, or an array in one line
        objects = sum(line[:1] == b"{" != line.strip() for line in lines[:LOOKED_AT_LINES])
        return not text.startswith(b"[") and objects > 1
    return alone > inside


def _parsed(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def json_document(path: Path, encoding: Encoding) -> Iterator[Raw]:
    """The rows of one JSON document with their place in it, counted from 1.

    When the document is broken, rows are read one by one instead and carry their line.
    """
    with opened(path) as file:
        data = file.read()
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

    After a fault reading goes on where the next row may begin: at the indentation of the first
    one in a document with a row a line, else behind a comma. What parses there is the inside of
    the broken row when it is only a message, or has no field of the good rows and stands where
    none of them begins a line.
    """
    decoder = json.JSONDecoder()
    opening = re.compile(r"[\s\[]*").match(text)
    place = opening.end() if opening else 0
    indent = text[text.rfind("\n", 0, place) + 1 : place]
    after_newline = "\n" in text[:place] and not indent.strip()
    start = re.compile(rf"\n{re.escape(indent)}(?=\{{)" if after_newline else r"[,\n\]}]\s*(?=\{)")
    counted, line, attempts, faulty = 0, 1, 0, False
    fields: set[str] = set()  # of the good rows
    margins = set() if after_newline else {""}  # what stands before a row that begins a line
    while place < len(text):
        line += text.count("\n", counted, place)
        counted = place
        try:
            value, end = decoder.raw_decode(text, place)
        except (json.JSONDecodeError, RecursionError) as error:
            if not faulty:
                yield line, _why_not_document(text, place, error)
            faulty, attempts = True, attempts + 1
            if attempts > MAX_ATTEMPTS:
                yield line, BadRow("data.fault_rest")
                return
            place = _next_start(text, place, start)
            continue
        before = text[max(0, place - MARGIN_CHARACTERS) : place].rpartition("\n")
        margin = before[2] if before[1] and not before[2].strip() else None
        if faulty and not _is_row(value, fields, margin in margins):
            place = _next_start(text, place, start)
            continue
        yield line, value
        faulty = False
        if isinstance(value, dict):
            fields.update(value)
        if margin is not None:
            margins.add(margin)
        place = _behind(text, end)


def _is_row(value: Any, fields: set[str], begins_line: bool) -> bool:
    """Whether a value found after a fault is a row, not the inside of the broken one."""
    if not isinstance(value, dict) or "role" in value or "from" in value:
        return False
    return begins_line or not fields or not fields.isdisjoint(value)


def _next_start(text: str, place: int, start: "re.Pattern[str]") -> int:
    found = start.search(text, place)
    return found.end() if found and found.end() > place else len(text)


def _behind(text: str, end: int) -> int:
    """The place behind a row's comma, or behind the bracket that ends the document."""
    place = end
    while place < len(text) and (text[place].isspace() or text[place] in ",]"):
        place += 1
    return place


def _why_not_document(text: str, place: int, error: Exception) -> BadRow:
    if isinstance(error, RecursionError):
        return BadRow("data.fault_nesting")
    wrong = getattr(error, "pos", place)
    reason = str(getattr(error, "msg", error)).lower().removesuffix(" at")
    if wrong >= len(text.rstrip()) or ("unterminated" in reason and "\n" not in text[wrong:]):
        return BadRow("data.fault_cut", found=shown(text[-30:]))
    if text.startswith("'", place + 1):
        return BadRow("data.fault_quotes")
    return BadRow("data.fault_json", column=getattr(error, "colno", 1), reason=reason)
