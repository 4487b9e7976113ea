"""What reading data costs beside parsing it, and a long fuzz: `python benchmarks/data.py`.

Prints processor time for a row of a made-up JSONL file: orjson line by line; reading with all
checks of form; what `forkpoint inspect` does on all rows (reading, counting, drawing the sample),
which should take at most 8 times orjson's time. Then the file's hash, made beside it in a second
thread; reading with a held-out file to compare with; the seconds that the parts on a sample take,
of which 180 are allowed; and the peak of memory, of which 2 GB are. `--fuzz N` reads, cleans and
converts N mutated files and counts those that lost a good row, took long or raised.
"""

import argparse
import gc
import random
import resource
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import orjson

from forkpoint.data import Row, RowFault, RowStream, fault_sentence, load, read_rows, survey
from forkpoint.data.checks import HeldOut
from forkpoint.data.cleaning import clean
from forkpoint.data.converting import convert
from forkpoint.data.profiling import counted
from forkpoint.data.reader import no_collection
from forkpoint.data.sampling import SAMPLE_ROWS, Compared, Sample
from forkpoint.errors import ForkpointError

TARGET = 8.0  # times orjson's own time, for all that is done on every row
SAMPLE_TARGET_SECONDS = 180.0  # for all that is done on a sample
MEMORY_TARGET_GB = 2.0
HELD_ROWS = 2_000  # of a test set to compare with
ROUNDS = 3
FIELDS = {"messages": "messages", "sharegpt": "conversations", "alpaca": ""}
SLOW_SECONDS = 1.0


def write_rows(path: Path, rows: int, shape: str = "messages") -> None:
    """Conversations of one question and one answer, some 800 bytes each."""
    draw = random.Random(0)
    words = [f"{draw.getrandbits(24):x}" for _ in range(500)]
    with path.open("wb") as file:
        for _ in range(rows):
            asked, told = (" ".join(draw.choices(words, k=k)) for k in (50, 70))
            if shape == "alpaca":
                value: object = {"instruction": asked, "input": "", "output": told}
            else:
                names = ("role", "content", "user", "assistant")
                if shape == "sharegpt":
                    names = ("from", "value", "human", "gpt")
                who, what, user, model = names
                turns = [{who: user, what: asked}, {who: model, what: told}]
                value = {FIELDS[shape]: turns}
            file.write(orjson.dumps(value) + b"\n")


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
        stream = RowStream(path)
        with no_collection():
            assert rows == counted(Sample(SAMPLE_ROWS, 0).passing(stream.bare())).rows

    held = HeldOut([row for row in islice(read_rows(path), HELD_ROWS) if isinstance(row, Row)])

    def compare() -> None:
        one = Compared("test_leaks", held)
        with no_collection():
            for _ in one.passing(RowStream(path).bare()):
                pass
        assert len(one.found) >= min(rows, HELD_ROWS)

    for number in range(ROUNDS):
        gc.collect()
        base, reading, counting = (seconds_of(work) for work in (parse, read, count))
        print(
            f"round {number + 1}: orjson {base / rows * 1e6:.2f} us a row; "
            f"read {reading / rows * 1e6:.2f} ({reading / base:.1f} times); "
            f"all that inspect does on every row {counting / rows * 1e6:.2f} "
            f"({counting / base:.1f} times, at most {TARGET:g} wanted)"
        )
    hashing = seconds_of(RowStream(path).digest)
    print(f"the file's hash, beside it: {hashing / base:.1f} times")
    print(f"peak {peak_gb():.2f} GB, at most {MEMORY_TARGET_GB:g} wanted")
    comparing = seconds_of(compare)
    print(f"reading and comparing with {HELD_ROWS:,} held rows: {comparing / base:.1f} times")
    whole = seconds_of(lambda: survey(RowStream(path)))
    print(
        f"on a sample of {min(rows, SAMPLE_ROWS):,}: {whole - counting:.0f} s of processor time, "
        f"at most {SAMPLE_TARGET_SECONDS:g} wanted; peak {peak_gb():.2f} GB"
    )


def peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def fuzz(count: int, seed: int, folder: Path) -> int:
    """How many of `count` mutated files did harm when read, cleaned or converted."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "data"))
    from test_fuzz import files

    harm = 0
    for number, (name, content, kept) in enumerate(files(seed, count)):
        path = folder / name
        path.write_bytes(content)
        wanted = good_ids(folder / "good.jsonl", kept)
        for deed in (read_ids, cleaned_ids, converted_ids):
            start = time.process_time()
            try:
                found = deed(path, folder)
            except ForkpointError as error:
                error.message("zh")
                found = set()
            slow = time.process_time() - start > SLOW_SECONDS
            if slow or not wanted <= found:
                harm += 1
                told = "slow" if slow else "lost rows"
                print(f"file {number} of seed {seed}, {deed.__name__}: {told}")
    print(f"{count} mutated files read, cleaned and converted, {harm} harmful (seed {seed})")
    return harm


def good_ids(path: Path, kept: list[bytes]) -> set[str]:
    if not kept:
        return set()
    path.write_bytes(b"\n".join(kept))
    return {row.id for row in load(path).rows}


def read_ids(path: Path, folder: Path) -> set[str]:
    found = set()
    for item in read_rows(path):
        if isinstance(item, RowFault):
            fault_sentence(item, "en")
        else:
            found.add(item.id)
    return found


def cleaned_ids(path: Path, folder: Path) -> set[str]:
    out = fresh(folder / f"clean{path.suffix}")
    fresh(Path(f"{out}.log.jsonl"))
    clean(path, out)
    return {row.id for row in load(out).rows}


def converted_ids(path: Path, folder: Path) -> set[str]:
    out = fresh(folder / "converted.jsonl")
    convert(path, "messages", out)
    return {row.id for row in load(out).rows}


def fresh(path: Path) -> Path:
    path.unlink(missing_ok=True)
    return path


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--rows", type=int, default=100_000)
    asked.add_argument("--fuzz", type=int, default=0)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--shape", choices=tuple(FIELDS), default="messages")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.fuzz:
            raise SystemExit(fuzz(options.fuzz, options.seed, Path(folder)) > 0)
        path = Path(folder) / "rows.jsonl"
        write_rows(path, options.rows, options.shape)
        ratios(path, options.rows)


if __name__ == "__main__":
    main()
