"""Write rows back in the kind of file they were read from."""

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson

from forkpoint.data.container import Container
from forkpoint.data.encoding import opened_text
from forkpoint.data.json_file import LIST_FIELDS, Raw
from forkpoint.data.table_file import DELIMITERS

PARAGRAPHS = "\n\n"


def opened_out(path: Path) -> gzip.GzipFile | io.BufferedWriter:
    """A file to write bytes to, packed where its name ends in .gz."""
    return gzip.open(path, "wb") if path.suffix == ".gz" else path.open("wb")


def write_like(container: Container, out: Path, rows: Sequence[Raw | None]) -> None:
    """Write the rows that are not None; `rows` has an entry for each value of the source.

    Text comes out as UTF-8. JSONL is not written here, for its lines are copied as they are.
    """
    kept = [row[1] for row in rows if row is not None]
    if container.kind == "json":
        with opened_out(out) as file:
            file.write(orjson.dumps(_document(container, kept), option=orjson.OPT_INDENT_2) + b"\n")
    elif container.kind in ("csv", "tsv"):
        _write_table(container, out, kept)
    elif container.kind in ("parquet", "arrow"):
        _write_columns(container, out, rows)
    else:
        texts = [row["text"] for row in kept]
        joint = PARAGRAPHS if _has_paragraphs(container) else "\n"
        with opened_out(out) as file:
            file.write((joint.join(texts) + "\n").encode("utf-8", "replace"))


def write_json_lines(out: Path, values: Iterable[Any]) -> int:
    """Write one JSON value a line and give their number."""
    count = 0
    with opened_out(out) as file:
        for value in values:
            file.write(orjson.dumps(value, default=str) + b"\n")
            count += 1
    return count


def _document(container: Container, rows: list[Any]) -> Any:
    """The rows in the list or the object that held them."""
    try:
        with opened_text(container.path, container.encoding.codec, "replace") as file:
            whole = orjson.loads(file.read())
    except orjson.JSONDecodeError:
        return rows
    if isinstance(whole, dict):
        for field in LIST_FIELDS:
            inner = whole.get(field)
            if isinstance(inner, list) and (not inner or isinstance(inner[0], dict)):
                return {**whole, field: rows}
    return rows


def _write_table(container: Container, out: Path, rows: list[dict[str, str]]) -> None:
    with opened_text(container.path, container.encoding.codec, "replace", "") as file:
        first = file.readline()
    delimiter = "\t" if container.kind == "tsv" else max(DELIMITERS, key=first.count)
    end = "\r\n" if first.endswith("\r\n") else "\n"
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    if rows:
        writer.writerow(rows[0])
        writer.writerows(row.values() for row in rows)
    with opened_out(out) as file:
        file.write(text.getvalue().encode("utf-8", "replace"))


def _write_columns(container: Container, out: Path, rows: Sequence[Raw | None]) -> None:
    """The rows of a column file with its schema; only columns with a change are made anew."""
    import pyarrow
    import pyarrow.parquet

    table = _table(container)
    places = [place for place, row in enumerate(rows) if row is not None]
    kept = table.take(places)
    values = [row[1] for row in rows if row is not None]
    for number, field in enumerate(kept.schema):
        now = [value[field.name] for value in values]
        if now != kept.column(number).to_pylist():
            column = pyarrow.array(now, type=field.type)
            kept = kept.set_column(number, field, column)
    if container.kind == "parquet":
        pyarrow.parquet.write_table(kept, out)
        return
    with pyarrow.OSFile(str(out), "wb") as sink, pyarrow.ipc.new_file(sink, kept.schema) as writer:
        writer.write_table(kept)


def _table(container: Container) -> Any:
    import pyarrow
    import pyarrow.parquet

    if container.kind == "parquet":
        return pyarrow.parquet.ParquetFile(container.path).read()
    with pyarrow.memory_map(str(container.path)) as source:
        try:
            return pyarrow.ipc.open_stream(source).read_all()
        except pyarrow.ArrowInvalid:
            source.seek(0)
            return pyarrow.ipc.open_file(source).read_all()


def _has_paragraphs(container: Container) -> bool:
    from forkpoint.data.encoding import SAMPLE_BYTES

    with opened_text(container.path, container.encoding.codec, "replace") as file:
        return PARAGRAPHS in file.read(SAMPLE_BYTES)
