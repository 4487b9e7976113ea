"""Read a data file row by row, whatever its format; keep the good rows, name the bad ones."""

import gc
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple, cast

from forkpoint.data.bad_row import BadRow, BrokenRow, shown
from forkpoint.data.built_row import built
from forkpoint.data.bundled_sets import BUNDLED, bundled
from forkpoint.data.columns import Columns, columns_to_rename, with_names
from forkpoint.data.container import containers, raw_rows
from forkpoint.data.json_file import OnBytes, Raw, silent
from forkpoint.data.notices import Ids, encoding_notices, mixed_notice
from forkpoint.data.profile_record import Format, RowFault
from forkpoint.data.row import Row
from forkpoint.data.shape import BUILDERS, FAMILY, FORMATS, format_of, unknown
from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import Notice

PEEK_ROWS = 200  # rows looked at before the first is built, to know the family of the file
FAULTS_KEPT = 10_000  # faults held in memory; all are counted


class Seen:
    """The formats met so far, how many rows of each, the fields that told it; clashing ids."""

    def __init__(self) -> None:
        self.rows: Counter[Format] = Counter()
        self.fields: dict[Format, str] = {}
        self.ids = Ids()

    def evidence(self) -> str:
        """Rows and fields of each format, the most common first; free of language."""
        return ", ".join(f"{k}={n}: {self.fields[k]}" for k, n in self.rows.most_common())


class Reading(NamedTuple):
    """How a file is to be read, as far as the user said so."""

    format: Format | None
    columns: Columns
    strict: bool


@dataclass(frozen=True)
class Dataset:
    """All usable rows of a data file, and what is known of those that are not."""

    rows: tuple[Row, ...]
    files: tuple[str, ...]
    file_format: str
    format: Format
    format_evidence: str
    sha256: str  # of the file's bytes; of the files' hashes in order where there are several
    faults: tuple[RowFault, ...] = ()
    fault_count: int = 0
    notices: tuple[Notice, ...] = field(default=())


class RowStream:
    """The usable rows of a data file, one after the other; what is known of the others besides."""

    def __init__(
        self,
        path: str | Path,
        *,
        format: Format | None = None,
        columns: Columns | None = None,
        strict: bool = False,
        on_bytes: OnBytes = silent,
    ) -> None:
        self.path = path
        self.containers = containers(found_at(path))
        self.reading = Reading(format, columns or {}, strict)
        self.on_bytes = on_bytes
        self.seen = Seen()
        self.faults: list[RowFault] = []
        self.fault_count = 0

    def __iter__(self) -> Iterator[Row]:
        return self._read(bare=False)

    def bare(self) -> Iterator[Row]:
        """The rows without their ids, which `built_row.named` adds to those that need one."""
        return self._read(bare=True)

    def _read(self, bare: bool) -> Iterator[Row]:
        rows = chain.from_iterable(
            rows_from(raw_rows(one, self.on_bytes), str(one.path), self.reading, self.seen,
                      bare=bare, on_fault=self._note)
            for one in self.containers
        )  # fmt: skip
        return cast("Iterator[Row]", rows)  # faults went to `_note`

    def _note(self, fault: RowFault) -> None:
        self.fault_count += 1
        if self.fault_count <= FAULTS_KEPT:
            self.faults.append(fault)

    def digest(self) -> str:
        """The SHA-256 of the file's bytes; of the files' hashes where there are several."""
        return _sha256([c.path for c in self.containers])

    def dataset(self, rows: Iterable[Row] = (), sha256: str = "") -> Dataset:
        """What is known once all rows were read; raises BadInput when none could be used."""
        if not self.seen.rows:
            raise _nothing(str(self.path), self.faults)
        found = self.containers
        return Dataset(
            rows=tuple(rows),
            files=tuple(str(c.path) for c in found),
            file_format=found[0].kind,
            format=self.seen.rows.most_common(1)[0][0],
            format_evidence=self.seen.evidence(),
            sha256=sha256 or self.digest(),
            faults=tuple(self.faults),
            fault_count=self.fault_count,
            notices=(*encoding_notices(found), *mixed_notice(self.seen.rows),
                     *self.seen.ids.notices()),
        )  # fmt: skip


def read_rows(
    path: str | Path,
    *,
    format: Format | None = None,
    columns: Columns | None = None,
    strict: bool = False,
) -> Iterator[Row | RowFault]:
    """Rows and faults in the order of the file; with `strict` the first fault is raised."""
    seen = Seen()
    for container in containers(found_at(path)):
        reading = Reading(format, columns or {}, strict)
        yield from rows_from(raw_rows(container), str(container.path), reading, seen)


def load(
    path: str | Path,
    *,
    format: Format | None = None,
    columns: Columns | None = None,
    strict: bool = False,
    on_bytes: OnBytes = silent,
) -> Dataset:
    """All rows of a data file; raises BadInput when there is none that can be used.

    `on_bytes` is told now and then how many bytes of a JSONL file were read.
    """
    stream = RowStream(path, format=format, columns=columns, strict=strict, on_bytes=on_bytes)
    with no_collection():
        rows = list(stream)
    return stream.dataset(rows)


@contextmanager
def no_collection() -> Iterator[None]:
    """Spare the search for cycles while millions of objects are made that hold none."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def found_at(path: str | Path) -> Path:
    """The path itself, a bundled data set's, or where a data set of the Hub was fetched to."""
    local = Path(path)
    if local.exists() or not isinstance(path, str):
        return local
    from forkpoint.data.hub import HUB_DATA, fetched, is_hub_name

    if path in BUNDLED:
        return bundled(path)
    name = path.removeprefix(HUB_DATA)
    return fetched(name) if is_hub_name(name) else local


def rows_from(
    raw: Iterator[Raw],
    file: str,
    reading: Reading,
    seen: Seen,
    *,
    bare: bool = False,
    on_fault: Callable[[RowFault], None] | None = None,
) -> Iterator[Row | RowFault]:
    """One row or fault for each raw value, in order.

    `bare` rows have an empty id: making it is a sixth of the reading, and only some rows need it.
    With `on_fault` the faults go there instead.
    """
    format, columns, strict = reading
    renamed = columns_to_rename(columns)
    peeked = list(islice(raw, PEEK_ROWS))
    family = FAMILY[format] if format else _family(peeked, renamed)
    counts, fields = seen.rows, seen.fields
    known: Format | None = None  # of the row before
    for line, value in chain(peeked, raw):
        try:
            if type(value) is not dict:
                raise (
                    value
                    if isinstance(value, BadRow)
                    else BadRow("data.fault_not_object", found=shown(value))
                )
            if renamed:
                value = with_names(value, renamed)
            kind = format or format_of(value)
            if kind is None:  # a table may head its columns Question and Answer
                value = {str(name).lower(): item for name, item in value.items()}
                kind = format_of(value)
            if kind is None:
                raise unknown(value)
            if kind is not known:
                if FAMILY[kind] != family:
                    raise BadRow("data.fault_mixed", found=kind, family=family)
                known, build = kind, BUILDERS[kind]
            row = built(build(value), value, file, line, bare)
        except BadRow as bad:
            if strict:
                raise BrokenRow(
                    bad.key, note="data.strict", file=file, line=line, **bad.values
                ) from None
            fault = RowFault(file=file, line=line, key=bad.key, values=bad.values)
            if on_fault is None:
                yield fault
            else:
                on_fault(fault)
            continue
        counts[kind] += 1
        if kind not in fields:
            fields[kind] = fields_told(value)
        if row.extra:
            seen.ids.add(row)
        yield row


def row_of(value: Mapping[str, Any], format: Format) -> Row | None:
    """The row of one value in a format, or None when it cannot be used."""
    try:
        return built(BUILDERS[format](value), value, "", 0)
    except BadRow:
        return None


def _family(peeked: list[Raw], renamed: Columns) -> str:
    """The family that most of the first rows belong to; dialogue when none says anything."""
    families: Counter[str] = Counter()
    for _, value in peeked:
        if type(value) is dict:
            named = {renamed.get(k, k): v for k, v in value.items()}
            kind = format_of(named) or format_of({str(k).lower(): v for k, v in named.items()})
            if kind:
                families[FAMILY[kind]] += 1
    return families.most_common(1)[0][0] if families else "dialogue"


def format_named(name: str) -> Format:
    """The format of a name given by the user; raises BadInput."""
    for known in FORMATS:
        if known == name.replace("-", "_").lower():
            return known
    raise BadInput("data.format_unknown", name=name, known=", ".join(FORMATS))


def fields_told(value: Mapping[str, Any]) -> str:
    """The fields of a row, and those of the messages in them, as evidence of its format."""
    told = []
    for name, item in islice(value.items(), 12):
        inner = item[0] if isinstance(item, list) and item else None
        told.append(f"{name}[{', '.join(inner)}]" if isinstance(inner, dict) else name)
    return shown(", ".join(told))


def _sha256(paths: Iterable[Path]) -> str:
    hashes = []
    for path in paths:
        with path.open("rb") as file:
            hashes.append(hashlib.file_digest(file, "sha256").hexdigest())
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def _nothing(path: str, faults: list[RowFault]) -> BadInput:
    """No row can be used: the most common reason, with the first place where it stands."""
    if not faults:
        return BadInput("data.empty_file", file=path)
    key = Counter(fault.key for fault in faults).most_common(1)[0][0]
    first = next(fault for fault in faults if fault.key == key)
    if key == "data.fault_format":
        return BadInput("data.unknown_format", file=path, **first.values)
    return BrokenRow(key, note="data.no_rows", file=first.file, line=first.line, **first.values)
