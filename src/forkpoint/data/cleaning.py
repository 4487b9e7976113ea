"""Mend a data file into another: broken rows and copies go, marks are trimmed, all is logged.

Done without asking: what cannot be used is left out, a broken line that can be read in one way
only is written rightly, exact copies go, marks of a chat template at the ends of a text are
trimmed, text becomes UTF-8. On request: rows that a check flags go, secrets are blotted out.
Everything else that a check flags is listed in the log and stays. The source is never touched,
and a row without a change is written as it stood.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import orjson

from forkpoint.data.checks import CHECKS, Flag, masked
from forkpoint.data.columns import Columns
from forkpoint.data.container import Container, containers, raw_rows
from forkpoint.data.json_file import Raw, lines_of
from forkpoint.data.mending import (
    Change,
    Cleaned,
    Done,
    blotted,
    changed_texts,
    mended_line,
    without_edge_marks,
)
from forkpoint.data.profile_record import CheckName, Format, RowFault
from forkpoint.data.profiling import counted
from forkpoint.data.reader import Reading, Seen, found_at, rows_from
from forkpoint.data.row import Row
from forkpoint.data.writing import opened_out, write_json_lines, write_like
from forkpoint.errors import BadInput

DROPPABLE: tuple[CheckName, ...] = (
    "near_duplicates", "empty_answers", "echoes", "refusals", "cut_offs", "wrong_language",
    "template_tokens", "private", "length_outliers",
)  # fmt: skip


class _Work:
    """The rows of one file with what is to become of each."""

    def __init__(self, container: Container, reading: Reading) -> None:
        self.container, self.reading = container, reading
        self.raws: list[Raw] = []
        self.items: list[Row | RowFault] = list(
            rows_from(self._noted(), str(container.path), reading, Seen())
        )
        self.kept: list[Raw | None] = list(self.raws)
        self.changes: list[Change] = []
        self.places = [p for p, item in enumerate(self.items) if isinstance(item, Row)]
        self.bytes_of: dict[int, bytes] = {}

    def _noted(self) -> Iterator[Raw]:
        for raw in raw_rows(self.container):
            self.raws.append(raw)
            yield raw

    @property
    def copied(self) -> bool:
        """Whether lines without a change are written byte for byte."""
        return self.container.kind == "jsonl" and self.container.encoding.plain

    def row(self, place: int) -> Row:
        """A usable row by its place."""
        item = self.items[place]
        assert isinstance(item, Row)
        return item

    def note(self, place: int, what: str, done: Done, **more: Any) -> None:
        """Log what was done with a row."""
        line, value = self.raws[place]
        source = self.bytes_of.get(line)
        if source is None:
            source = orjson.dumps(value, default=str)
        self.changes.append(
            Change(line=line, what=what, done=done,
                   before_sha256=hashlib.sha256(source).hexdigest(), **more)
        )  # fmt: skip

    def remove(self, place: int, what: str, **more: Any) -> None:
        """Leave a row out."""
        self.kept[place] = None
        self.note(place, what, "removed", **more)

    def change(self, place: int, what: str, change: Callable[[str], str], quote: str) -> bool:
        """Change the texts of a row; False, and nothing changed, when it would become unusable."""
        raw = self.kept[place]
        if raw is None:
            return True
        value = changed_texts(raw[1], change)
        if value == raw[1] or self.read_again(raw[0], value) is None:
            return False
        self.kept[place] = raw[0], value
        self.note(place, what, "changed", quote=quote)
        return True

    def mend(self, place: int, fault: RowFault) -> bool:
        """Write a broken line rightly where there is one way only; False where not."""
        source = self.bytes_of.get(fault.line)
        value = None if source is None else mended_line(source, fault.key)
        row = None if value is None else self.read_again(fault.line, value)
        if row is None:
            return False
        self.kept[place] = fault.line, value
        self.items[place] = row
        self.note(place, "broken", "changed", reason=fault.key)
        return True

    def read_again(self, line: int, value: Any) -> Row | None:
        """The row of a value, or None when it cannot be used."""
        read = rows_from(iter([(line, value)]), str(self.container.path), self.reading, Seen())
        item = next(read)
        return item if isinstance(item, Row) else None


def clean(
    path: str | Path,
    out: Path,
    *,
    drop: Collection[CheckName] = (),
    mask: bool = False,
    format: Format | None = None,
    columns: Columns | None = None,
) -> Cleaned:
    """Write the mended file to `out` and every change to `out`.log.jsonl.

    Raises BadInput for a folder of several files, for an `out` that exists, and when no row
    would be left.
    """
    container, log = _one_file(path), Path(f"{out}.log.jsonl")
    check_free(container.path, out, log)
    work = _Work(container, Reading(format, columns or {}, False))
    if work.copied:
        work.bytes_of = dict(lines_of(container.path))
    _leave_out_broken(work)
    _leave_out_copies(work)
    _mend_flagged(work, frozenset(drop), mask)
    rows_after = sum(row is not None for row in work.kept)
    if not rows_after:
        raise BadInput("clean.nothing_left", file=str(path))
    if container.encoding.codec not in ("utf-8", "utf-8-sig") and container.kind != "parquet":
        with container.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        work.changes.append(
            Change(line=0, what="encoding", done="changed", before_sha256=digest,
                   quote=container.encoding.codec)
        )  # fmt: skip
    _write(work, out)
    work.changes.sort(key=lambda change: change.line)
    write_json_lines(log, (change.model_dump(exclude_defaults=True) for change in work.changes))
    return _cleaned(work, str(path), out, log, rows_after)


def droppable(name: str) -> CheckName:
    """The check of a name given by the user; raises BadInput."""
    for known in DROPPABLE:
        if known == name.replace("-", "_"):
            return known
    raise BadInput("clean.unknown_check", name=name, known=", ".join(DROPPABLE))


def _one_file(path: str | Path) -> Container:
    found = containers(found_at(path))
    if len(found) > 1:
        raise BadInput("clean.one_file", folder=str(path), count=len(found))
    return found[0]


def check_free(source: Path, *targets: Path) -> None:
    """Raise BadInput unless the targets can be written without writing over anything."""
    for target in targets:
        if target.exists() and target.samefile(source):
            raise BadInput("clean.out_is_source", file=str(target))
        if target.exists():
            raise BadInput("clean.out_exists", file=str(target))
        if not target.parent.is_dir():
            raise BadInput("clean.no_folder", folder=str(target.parent))


def _leave_out_broken(work: _Work) -> None:
    for place, item in enumerate(work.items):
        if isinstance(item, RowFault) and not work.mend(place, item):
            work.remove(place, "broken", reason=item.key)
    work.places = [p for p, item in enumerate(work.items) if isinstance(item, Row)]


def _leave_out_copies(work: _Work) -> None:
    first: dict[str, int] = {}
    for place in work.places:
        row = work.row(place)
        if row.id in first:
            work.remove(place, "copy", other_line=work.raws[first[row.id]][0])
        else:
            first[row.id] = place
    work.places = [place for place in work.places if work.kept[place] is not None]


def _mend_flagged(work: _Work, drop: frozenset[CheckName], mask: bool) -> None:
    """What each check flags is dropped, mended or listed."""
    rows = [work.row(place) for place in work.places]
    labels = counted(rows).labels()
    for name, look in CHECKS.items():
        for flag in sorted(look(rows, labels), key=lambda one: one.place):
            place = work.places[flag.place]
            if work.kept[place] is None:
                continue
            quote = masked(flag.quote)
            other = None if flag.other is None else rows[flag.other].line
            if name in drop:
                work.remove(place, name, quote=quote, other_line=other)
            elif not _mended(work, place, name, flag, mask):
                work.note(place, name, "listed", quote=quote, other_line=other)


def _mended(work: _Work, place: int, name: CheckName, flag: Flag, mask: bool) -> bool:
    if name == "template_tokens":
        if not work.change(place, name, without_edge_marks, masked(flag.quote)):
            return False
        kept = work.kept[place]
        row = work.read_again(*kept) if kept else None
        return row is None or not list(CHECKS[name]([row], {}))  # marks inside are listed too
    if name == "private" and mask:
        return work.change(place, name, blotted, masked(flag.quote))
    return False


def _write(work: _Work, out: Path) -> None:
    """Write beside the target first, so that a broken-off run leaves no half file."""
    half = out.with_name(f".{out.name}.part{out.suffix}")
    try:
        if work.copied:
            _copy_lines(work, half)
        elif work.container.kind == "jsonl":
            write_json_lines(half, (row[1] for row in work.kept if row is not None))
        else:
            write_like(work.container, half, work.kept)
        half.replace(out)
    finally:
        half.unlink(missing_ok=True)


def _copy_lines(work: _Work, out: Path) -> None:
    with opened_out(out) as file:
        for raw, kept in zip(work.raws, work.kept, strict=True):
            if kept is None:
                continue
            same = kept[1] is raw[1]
            line = work.bytes_of[raw[0]] if same else orjson.dumps(kept[1], default=str)
            file.write(line.rstrip(b"\r\n") + b"\n")


def _cleaned(work: _Work, path: str, out: Path, log: Path, rows_after: int) -> Cleaned:
    counts: dict[Done, Counter[str]] = {"removed": Counter(), "changed": Counter(),
                                        "listed": Counter()}  # fmt: skip
    for change in work.changes:
        counts[change.done][change.what] += 1
    return Cleaned(
        file=path, out=str(out), log=str(log), rows_before=len(work.raws), rows_after=rows_after,
        removed=dict(counts["removed"].most_common()),
        changed=dict(counts["changed"].most_common()),
        listed=dict(counts["listed"].most_common()),
    )  # fmt: skip
