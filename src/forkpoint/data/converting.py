"""Rows from one format into another, with everything that is lost named and counted.

Every written row is read back: what a reader would make of it must be what was read before, to
the last character. Where a format has no place for something (a second answer, tool calls,
fields of messages) the loss is counted under its name; a row for which there is no way of
writing it at all is left out and named by its line.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from forkpoint.data.cleaning import check_free
from forkpoint.data.columns import Columns, columns_to_rename, with_names
from forkpoint.data.container import containers, raw_rows
from forkpoint.data.conversation import (
    ANSWER_FIELDS,
    CHAT_FIELDS,
    CONTEXT_FIELDS,
    PROMPT_FIELDS,
)
from forkpoint.data.json_file import Raw
from forkpoint.data.profile_record import Format, RowFault
from forkpoint.data.reader import Reading, Seen, found_at, row_of, rows_from
from forkpoint.data.row import Row
from forkpoint.data.shape import FAMILY, OWN_FIELDS, TEXT_FIELDS, format_of
from forkpoint.data.target_shapes import SHAPES, Draft, draft_of
from forkpoint.data.writing import opened_out
from forkpoint.errors import BadInput
from forkpoint.record import Record

TARGETS: dict[str, Format] = {
    "alpaca": "alpaca", "sharegpt": "sharegpt", "messages": "messages",
    "prompt": "prompt_completion", "preference": "preference", "text": "text",
}  # fmt: skip
LINES_KEPT = 1_000  # rows named by their line


class Converted(Record):
    """What was written, what was lost on the way, and what could not be written."""

    file: str
    out: str
    target: Format
    rows: int  # written
    broken: int  # rows that could not be read
    lost: dict[str, int]  # what -> rows in which it was lost
    left_out: dict[str, int]  # why -> rows
    left_out_lines: tuple[int, ...]  # the first 1,000


class _Told(NamedTuple):
    """One row in the new format, and what it lacks."""

    value: dict[str, Any]
    lost: tuple[str, ...]


def convert(
    path: str | Path,
    target: str,
    out: Path,
    *,
    format: Format | None = None,
    columns: Columns | None = None,
) -> Converted:
    """Write the rows of a file in another format, as JSONL, or as one JSON list for `.json`.

    Raises BadInput for an unknown format, an `out` that exists, and when no row can be written.
    """
    if target not in TARGETS:
        raise BadInput("convert.unknown_target", name=target, known=", ".join(TARGETS))
    kind = TARGETS[target]
    found = containers(found_at(path))
    for container in found:
        check_free(container.path, out)
    lost: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    lines: list[int] = []
    broken = 0
    values: list[bytes] = []
    for container in found:
        reading = Reading(format, columns or {}, False)
        for raw, row in _pairs(raw_rows(container), str(container.path), reading):
            if isinstance(row, RowFault):
                broken += 1
                continue
            told = converted_row(row, _named(raw, columns or {}), kind, format)
            if isinstance(told, str):
                left_out[told] += 1
                lines.append(row.line)
                continue
            lost.update(told.lost)
            values.append(orjson.dumps(told.value, default=str))
    if not values:
        why = ", ".join(f"{name} {count}" for name, count in left_out.items()) or "-"
        raise BadInput("convert.nothing", file=str(path), target=target, why=why)
    _write(values, out)
    return Converted(
        file=str(path), out=str(out), target=kind, rows=len(values), broken=broken,
        lost=dict(lost.most_common()), left_out=dict(left_out.most_common()),
        left_out_lines=tuple(lines[:LINES_KEPT]),
    )  # fmt: skip


def converted_row(
    row: Row, value: Mapping[str, Any], target: Format, source: Format | None = None
) -> _Told | str:
    """The row in the target format with what it lacks, or the name of why it cannot be."""
    source = source or format_of(value)
    if source == target:
        return _Told(dict(value), ())
    draft = draft_of(row, value)
    if why := _impossible(draft, target):
        return why
    extra, dropped = _other_fields(value, source)
    for shape in SHAPES[target]:
        core = shape(draft)
        if core is None:
            continue
        for carried in (extra, {n: v for n, v in extra.items() if n not in OWN_FIELDS}):
            whole = {**core, **{n: v for n, v in carried.items() if n not in core}}
            if _reads_the_same(whole, draft, target):
                said = any(item for name, item in extra.items() if name not in carried)
                lacking = (*dropped, "fields") if said else dropped
                lost = _lost(draft, core, target)
                return _Told(whole, tuple(dict.fromkeys((*lost, *lacking))))
    return "shape"


def _pairs(
    raws: Iterator[Raw], file: str, reading: Reading
) -> Iterator[tuple[Any, Row | RowFault]]:
    """Each raw value with the row or the fault that it became."""
    waiting: deque[Any] = deque()

    def noted() -> Iterator[Raw]:
        for raw in raws:
            waiting.append(raw[1])
            yield raw

    for item in rows_from(noted(), file, reading, Seen()):
        yield waiting.popleft(), item


def _impossible(draft: Draft, target: Format) -> str:
    """Why no row of this kind can be written in a format, or an empty string."""
    if FAMILY[target] == "preference" and draft.rejected is None:
        return "no_worse_answer"
    if FAMILY[target] != "text" and not draft.turns:
        return "no_question"
    return ""


def _named(raw: Any, columns: Columns) -> dict[str, Any]:
    """A raw value under the names its row was read by: the user's columns, or in small letters."""
    value = dict(raw) if isinstance(raw, dict) else {}
    if columns:
        return with_names(value, columns_to_rename(columns))
    return value if format_of(value) else {str(name).lower(): v for name, v in value.items()}


def _other_fields(
    value: Mapping[str, Any], source: Format | None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The fields beside the row itself, which are carried along, and what cannot be."""
    asked = (CHAT_FIELDS, ("instruction",), CONTEXT_FIELDS, PROMPT_FIELDS)
    groups: dict[Format | None, tuple[tuple[str, ...], ...]] = {
        "messages": (CHAT_FIELDS,),
        "sharegpt": (CHAT_FIELDS,),
        "alpaca": (("instruction",), ("history",), CONTEXT_FIELDS, ANSWER_FIELDS),
        "prompt_completion": (PROMPT_FIELDS, ANSWER_FIELDS),
        "preference": (("chosen",), ("rejected",), ("history",), *asked),
        "text": (TEXT_FIELDS,),
    }
    used = {"system", "tools", "images", "image"}
    for names in groups.get(source, ()):
        there = [name for name in names if name in value and name not in used]
        used.update(there[:1])
    if source == "preference" and "chosen" not in value:
        used.add("output")  # the two answers in one list
    if source == "alpaca" and not value.get("input"):
        used.update(("input", "context"))
    extra = {name: item for name, item in value.items() if name not in used}
    images = any(value.get(name) for name in ("images", "image"))
    return extra, ("images",) if images else ()


def _reads_the_same(whole: Mapping[str, Any], draft: Draft, target: Format) -> bool:
    """Whether a reader finds in the new row what the old one held."""
    found = row_of(whole, target)
    if found is None or format_of(whole) != target:
        return False
    if target == "text":
        return found.text is not None
    rejected = draft.rejected if target == "preference" else None
    return (
        found.turns == draft.turns
        and found.rejected == rejected
        and (found.tools or None) in (draft.tools, None)
    )


def _lost(draft: Draft, core: Mapping[str, Any], target: Format) -> tuple[str, ...]:
    """What the row held that its new form has no place for."""
    lost = []
    if target == "text" and draft.turns:
        lost.append("roles")
    if target != "preference" and draft.rejected is not None:
        lost.append("worse_answer")
    if draft.tools is not None and "tools" not in core:
        lost.append("tools")
    if any(draft.calls) and target not in ("messages", "sharegpt"):
        lost.append("tool_calls")
    if draft.message_fields and target not in ("messages", "sharegpt"):
        lost.append("message_fields")
    if draft.parts:
        lost.append("content_parts")
    if draft.split_input:
        lost.append("input_field")
    return tuple(lost)


def _write(values: list[bytes], out: Path) -> None:
    whole = out.name.removesuffix(".gz").endswith(".json")
    joined = b"[\n" + b",\n".join(values) + b"\n]\n" if whole else b"\n".join(values) + b"\n"
    half = out.with_name(f".{out.name}.part{out.suffix}")
    try:
        with opened_out(half) as file:
            file.write(joined)
        half.replace(out)
    finally:
        half.unlink(missing_ok=True)
