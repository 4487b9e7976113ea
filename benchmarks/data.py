"""What reading data costs beside parsing it, and a long fuzz: `python benchmarks/data.py`.

Prints processor time for a row of a made-up JSONL file: orjson line by line, reading with all
checks, reading with all counts; and the ratios, of which the last should be at most 8. `--fuzz N`
reads N mutated files and counts those that lost a good row, took long or raised.
"""

import argparse
import gc
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

import orjson

from forkpoint.data import Row, RowFault, fault_sentence, load, read_rows
from forkpoint.data.profiling import counted
from forkpoint.errors import ForkpointError

TARGET = 8.0  # times orjson's own time, for reading with all counts
ROUNDS = 3
SLOW_SECONDS = 1.0


def write_rows(path: Path, rows: int) -> None:
    """Conversations of one question and one answer, some 800 bytes each, a few copies."""
    draw = random.Random(0)
    words = [f"{draw.getrandbits(24):x}" for _ in range(500)]
    with path.open("wb") as file:
        for _ in range(rows):
            turns = [
                {"role": "user", "content": " ".join(draw.choices(words, k=50))},
                {"role": "assistant", "content": " ".join(draw.choices(words, k=70))},
            ]
            file.write(orjson.dumps({"messages": turns}) + b"\n")


def seconds_of(work) -> float:  # type: ignore[no-untyped-def]
    start = time.process_time()
    work()
    return time.process_time() - start


def ratios(path: Path, rows: int) -> None:
    def parse() -> None:
        with path.open("rb") as file:
            for line in file:
                orjson.loads(line)

    def read() -> None:
        for _ in read_rows(path):
            pass

    def count() -> None:
        assert rows == counted(row for row in read_rows(path) if isinstance(row, Row)).rows

    for number in range(ROUNDS):
        gc.collect()
        base, reading, counting = (seconds_of(work) for work in (parse, read, count))
        print(
            f"round {number + 1}: orjson {base / rows * 1e6:.2f} us a row; "
            f"read {reading / rows * 1e6:.2f} ({reading / base:.1f} times); "
            f"read and count {counting / rows * 1e6:.2f} ({counting / base:.1f} times, "
            f"at most {TARGET:g} wanted)"
        )
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def fuzz(count: int, seed: int, folder: Path) -> int:
    """How many of `count` mutated files did harm."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "data"))
    from test_fuzz import files

    harm = 0
    for number, (name, content, kept) in enumerate(files(seed, count)):
        path, clean = folder / name, folder / "clean.jsonl"
        path.write_bytes(content)
        start, ids = time.process_time(), set()
        try:
            for item in read_rows(path):
                if isinstance(item, RowFault):
                    fault_sentence(item, "en")
                else:
                    ids.add(item.id)
        except ForkpointError as error:
            error.message("zh")
        slow = time.process_time() - start > SLOW_SECONDS
        lost = False
        if kept:
            clean.write_bytes(b"\n".join(kept))
            lost = not {row.id for row in load(clean).rows} <= ids
        if slow or lost:
            harm += 1
            print(f"file {number} of seed {seed}: {'slow' if slow else 'lost rows'}")
    print(f"{count} mutated files, {harm} harmful (seed {seed})")
    return harm


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--rows", type=int, default=100_000)
    asked.add_argument("--fuzz", type=int, default=0)
    asked.add_argument("--seed", type=int, default=1)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.fuzz:
            raise SystemExit(fuzz(options.fuzz, options.seed, Path(folder)) > 0)
        path = Path(folder) / "rows.jsonl"
        write_rows(path, options.rows)
        ratios(path, options.rows)


if __name__ == "__main__":
    main()
