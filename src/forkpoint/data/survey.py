"""A data file's profile in one pass, and what looking at all of it would take."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from forkpoint.data.built_row import named
from forkpoint.data.checks import HeldOut, OnCheck, checked_rows
from forkpoint.data.checks.flag import texts
from forkpoint.data.profile_record import CheckName, DataProfile
from forkpoint.data.profiling import counted, recorded
from forkpoint.data.reader import RowStream, no_collection
from forkpoint.data.sampling import SAMPLE_ROWS, Compared, Sample

PREDICTED_ROWS = 1_000  # rows checked to say what all will take
WARMING_ROWS = 20  # checked before: what is loaded only once must not count for every row
ROW_MEMORY_BYTES = 2_500  # of one row beside its text: objects 700, signature 770, buckets [ruled]


def survey(
    stream: RowStream,
    tokenizers: Mapping[str, str | Path] | None = None,
    seed: int = 0,
    *,
    sample_rows: int | None = SAMPLE_ROWS,
    held: Mapping[CheckName, HeldOut] | None = None,
    on_check: OnCheck = lambda _: None,
) -> DataProfile:
    """What a data file is, in one pass that keeps only a sample; of all rows with None.

    Rows are compared with held questions (a test, a benchmark) without exception.
    """
    sample = Sample(sample_rows, seed)
    compared = {name: Compared(name, held_out) for name, held_out in (held or {}).items()}
    rows = sample.passing(stream.bare())
    for one in compared.values():
        rows = one.passing(rows)
    with ThreadPoolExecutor(1) as beside:  # hashing leaves the interpreter free
        digest = beside.submit(stream.digest)
        with no_collection():
            seen = counted(rows)
    dataset = stream.dataset(sha256=digest.result())
    kept = [named(row) for row in sample.rows]
    looked = checked_rows(kept, seen.labels(), all_rows=seen.rows, on_check=on_check)
    leaks = tuple(one.check(seen.rows) for one in compared.values())
    return recorded(dataset, seen, kept, tokenizers or {}, (*leaks, *looked))


class Prediction(NamedTuple):
    """What looking at the contents of all rows will take, from a few of them."""

    rows: int
    sample_rows: int
    seconds: float  # of processor time
    memory_bytes: float


def predicted(path: str, reading: Mapping[str, Any]) -> Prediction | None:
    """The cost of checking all rows of a JSONL file; None for other and for small files."""
    stream = RowStream(path, **reading)
    one = stream.containers[0]
    if len(stream.containers) > 1 or one.kind != "jsonl" or one.path.suffix == ".gz":
        return None
    checked_rows(list(islice(stream, WARMING_ROWS)), {}, all_rows=WARMING_ROWS)
    begun = time.process_time()
    rows = list(islice(RowStream(path, **reading), PREDICTED_ROWS))
    if len(rows) < PREDICTED_ROWS:
        return None
    checked_rows(rows, counted(rows).labels(), all_rows=len(rows))
    seconds = time.process_time() - begun
    size = sum(len(text.encode("utf-8", "replace")) for row in rows for text in texts(row))
    lines = rows[-1].line * one.path.stat().st_size / max(_bytes_until(one.path, rows[-1].line), 1)
    return Prediction(
        rows=round(lines),
        sample_rows=len(rows),
        seconds=seconds * lines / len(rows),
        memory_bytes=(size / len(rows) + ROW_MEMORY_BYTES) * lines,
    )


def _bytes_until(path: Path, line: int) -> int:
    with path.open("rb") as file:
        return sum(len(one) for one in islice(file, line))
