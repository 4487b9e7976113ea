"""What kind of file or folder the data lie in, and its raw values."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from forkpoint.data.bad_row import BadRow, shown
from forkpoint.data.encoding import (
    SAMPLE_BYTES,
    UTF_8,
    Encoding,
    encoding_of_bytes,
    opened,
    opened_text,
    undecoded,
)
from forkpoint.data.json_file import (
    BREAKS,
    OnBytes,
    Raw,
    broken_off,
    is_lines,
    json_document,
    json_lines,
    silent,
)
from forkpoint.data.table_file import arrow, delimited, parquet
from forkpoint.errors import BadInput, Unreadable

SUFFIXES = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "tsv",
    ".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow", ".txt": "txt", ".text": "txt",
    ".md": "txt",
}  # fmt: skip
SPLITS = ("train", "training", "default")  # which part of a saved data set is trained on


class Container(NamedTuple):
    """One file of data: what it is, in which encoding."""

    path: Path
    kind: str  # "jsonl", "json", "csv", "tsv", "parquet", "arrow", "txt"
    encoding: Encoding


def containers(path: Path) -> list[Container]:
    """The files of data at a path: one file, or all of a folder; raises BadInput."""
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise BadInput("data.missing_file", file=str(path))
    if not path.is_file():
        raise BadInput("data.not_a_file", file=str(path))
    return [_file(path)]


def _file(path: Path) -> Container:
    try:
        if path.stat().st_size == 0:
            raise BadInput("data.empty_file", file=str(path))
        with opened(path) as file:
            sample = file.read(SAMPLE_BYTES)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Unreadable("data.not_gzip", file=str(path), reason=shown(str(error))) from None
    except OSError as error:
        raise Unreadable("data.cannot_open", file=str(path), reason=error.strerror or "") from None
    named = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    kind = SUFFIXES.get(named.suffix.lower()) or _kind_of(sample)
    if sample.startswith(b"PAR1"):
        kind = "parquet"
    elif sample.startswith(b"ARROW1"):
        kind = "arrow"
    if kind in ("parquet", "arrow"):
        return Container(path, kind, UTF_8)
    if kind == "unknown":
        raise Unreadable("data.unknown_file", file=str(path))
    encoding = encoding_of_bytes(sample)
    if not sample.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
        raise BadInput("data.empty_file", file=str(path))
    if kind in ("json", "jsonl"):
        text = sample.decode(encoding.codec, "replace").encode("utf-8", "replace")
        kind = "jsonl" if is_lines(text) else "json"
    return Container(path, kind, encoding)


def _kind_of(sample: bytes) -> str:
    """The kind of a file whose name says nothing."""
    start = sample.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in (b"{", b"["):
        return "json"
    if sample.startswith((b"PAR1", b"ARROW1")):
        return "parquet"
    return "unknown" if b"\0" in sample[:4096] else "txt"


def _folder(path: Path) -> list[Container]:
    """The files of a saved data set or of a folder of data files, in order of name."""
    if (path / "dataset_dict.json").exists():
        parts = sorted(p for p in path.iterdir() if (p / "dataset_info.json").exists())
        named = [p for p in parts if p.name in SPLITS] or parts
        if not named:
            raise BadInput("data.empty_folder", folder=str(path))
        return _folder(named[0])
    if (path / "dataset_info.json").exists() or (path / "state.json").exists():
        found = sorted(path.glob("*.arrow"))
    else:
        found = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES
                       and p.suffix.lower() not in (".md", ".txt"))  # fmt: skip
    if not found:
        raise BadInput("data.empty_folder", folder=str(path))
    return [_file(p) for p in found]


def raw_rows(container: Container, on_bytes: OnBytes = silent) -> Iterator[Raw]:
    """The raw values of a file with their lines (or their place in a table).

    A file that breaks off (a cut archive, a failing disk) ends in a fault behind its good rows.
    """
    if container.kind == "jsonl":
        return json_lines(container.path, container.encoding, on_bytes)
    readers: dict[str, Callable[[], Iterator[Raw]]] = {
        "json": lambda: json_document(container.path, container.encoding),
        "csv": lambda: delimited(container.path, container.encoding, None),
        "tsv": lambda: delimited(container.path, container.encoding, "\t"),
        "parquet": lambda: parquet(container.path),
        "arrow": lambda: arrow(container.path),
        "txt": lambda: _text(container.path, container.encoding),
    }
    return _to_where_it_breaks_off(readers[container.kind]())


def _to_where_it_breaks_off(raws: Iterator[Raw]) -> Iterator[Raw]:
    line = 0
    try:
        for raw in raws:
            yield raw
            line = raw[0]
    except BREAKS as error:
        yield line + 1, broken_off(error)


def _text(path: Path, encoding: Encoding) -> Iterator[Raw]:
    """Paragraphs where blank lines part them, else lines, each as {"text": ...}."""
    errors = "surrogateescape" if encoding.plain else "replace"
    with opened_text(path, encoding.codec, errors) as file:
        paragraphs = "\n\n" in file.read(SAMPLE_BYTES)
        file.seek(0)
        kept: list[str] = []
        begin = 1
        for number, line in enumerate(file, 1):
            if line.strip() and paragraphs:
                begin = begin if kept else number
                kept.append(line)
            elif line.strip():
                yield number, _whole(line)
            elif kept:
                yield begin, _whole("".join(kept))
                kept = []
        if kept:
            yield begin, _whole("".join(kept))


def _whole(text: str) -> dict[str, str] | BadRow:
    if undecoded(text):
        return BadRow("data.fault_cell_encoding", field="text")
    return {"text": text.rstrip("\n")}
