"""Mutated files never give a traceback, never hang, never lose a good row."""

import csv
import io
import json
import random
import time

import pytest

from forkpoint.data import Row, RowFault, fault_sentence, load, read_rows
from forkpoint.data.cleaning import clean
from forkpoint.data.converting import convert
from forkpoint.errors import ForkpointError

SEED = 20_260_601
FILES = 400  # benchmarks/data.py does ten thousand
ROWS = 12
SLOWEST_SECONDS = 10.0  # of processor time for one small file
BOMBS = (b"[" * 3000, b'{"a":' * 3000, b"\0" * 50, b'"' * 99, b"\\u" * 40, b"\xff\xfe" * 9,
         b"\xed\xa0\x80", b"=cmd|' /C calc'!A0", b"NaN", b"1e999", b"}" * 9, b",,,", b"\r",
         b"\xef\xbb\xbf", "“”，".encode("gbk"))  # fmt: skip


def good_row(draw: random.Random, place: int) -> dict[str, object]:
    asked, answer = f"question {place} {draw.random()} 在哪里", f"answer {draw.random()} 这里"
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
    return draw.choice((
        {"messages": turns},
        {"instruction": asked, "input": "", "output": answer},
        {"conversations": [{"from": "human", "value": asked}, {"from": "gpt", "value": answer}]},
        {"prompt": asked, "completion": answer},
    ))  # fmt: skip


def mutated(draw: random.Random, line: bytes) -> bytes:
    """A line with one thing wrong: cut, doubled, spoilt bytes, a bomb, other types."""
    place = draw.randrange(len(line))
    kind = draw.randrange(6)
    if kind == 0:
        return line[:place]
    if kind == 1:
        return line[:place] + bytes([draw.randrange(256)]) + line[place + 1 :]
    if kind == 2:
        return line[:place] + draw.choice(BOMBS) + line[place:]
    if kind == 3:
        other = draw.randrange(len(line))
        return line[min(place, other) :] + line[: max(place, other)]
    if kind == 4:
        return draw.choice(BOMBS)
    if line[:1] != b"{":
        return line.replace(b'"', b"", 1)
    value = json.loads(line)
    field = draw.choice(list(value))
    value[field] = draw.choice((None, 3, True, [], {}, [[]], [{}], [None], {"a": {}}, "", " "))
    return json.dumps(value).encode()


def table(draw: random.Random, kind: str, spoilt: set[int]) -> tuple[str, bytes, list[bytes]]:
    """A CSV or TSV file, its cells quoted or not, some lines spoilt, and the rows to survive."""
    out = io.StringIO()
    quoting = draw.choice((csv.QUOTE_ALL, csv.QUOTE_MINIMAL))
    writer = csv.writer(out, delimiter={"csv": ",", "tsv": "\t"}[kind], quoting=quoting)
    rows = [(f"question {n}, {draw.random()} 在哪里", f'answer "{draw.random()}"')
            for n in range(ROWS)]  # fmt: skip
    writer.writerows([("prompt", "answer"), *rows])
    head, *lines = out.getvalue().encode().split(b"\r\n")[:-1]
    text = [mutated(draw, x).replace(b"\n", b" ") if i in spoilt else x
            for i, x in enumerate(lines)]  # fmt: skip
    kept = [json.dumps(dict(zip(("prompt", "answer"), row, strict=True))).encode()
            for i, row in enumerate(rows) if i not in spoilt]  # fmt: skip
    return f"a.{kind}", b"\r\n".join((head, *text)), kept


def files(seed: int, count: int):
    """Name, content and the rows that must survive, for each mutated file."""
    for number in range(count):
        draw = random.Random(f"{seed}:{number}")
        lines = [json.dumps(good_row(draw, i), ensure_ascii=False).encode() for i in range(ROWS)]
        spoilt = set(draw.sample(range(ROWS), draw.randint(1, 4)))
        kind = draw.choice(("jsonl", "jsonl", "json", "csv", "tsv", "txt", "bytes"))
        text = [mutated(draw, x).replace(b"\n", b" ") if i in spoilt else x
                for i, x in enumerate(lines)]  # fmt: skip
        if kind == "jsonl":
            kept = [x for i, x in enumerate(lines) if i not in spoilt]
            yield "a.jsonl", b"\n".join(text), kept
        elif kind == "json":
            kept = [x for i, x in enumerate(lines) if i not in spoilt]
            yield "a.json", b"[" + b",\n".join(text) + b"]", kept
        elif kind == "bytes":
            data = bytearray(b"\n".join(lines))
            for _ in range(draw.randint(1, 60)):
                data[draw.randrange(len(data))] = draw.randrange(256)
            yield "a.jsonl", bytes(data[draw.randrange(3) :]), []
        elif kind == "txt":
            yield "a.txt", b"\n".join(text), []
        else:
            yield table(draw, kind, spoilt)


@pytest.mark.parametrize("part", range(4))
def test_mutated_files(part, tmp_path):
    """Rows come out or are named as faults with a sentence; untouched lines are all there."""
    for number, (name, content, kept) in enumerate(files(SEED + part, FILES // 4)):
        path = tmp_path / name
        path.write_bytes(content)
        begin = time.process_time()
        ids, said = set(), 0
        try:
            for item in read_rows(path):
                if isinstance(item, Row):
                    ids.add(item.id)
                else:
                    assert isinstance(item, RowFault)
                    assert fault_sentence(item, "en") and fault_sentence(item, "zh")
                    said += 1
        except ForkpointError as error:
            assert error.message("en") and error.message("zh")
            assert not kept, (number, error)
        assert time.process_time() - begin < SLOWEST_SECONDS, (number, name)
        if kept:
            good = tmp_path / "good.jsonl"
            good.write_bytes(b"\n".join(kept))
            lost = {row.id for row in load(good).rows} - ids
            assert set() == lost, (number, name)
            assert name != "a.jsonl" or said <= ROWS - len(kept)


def test_mutated_files_cleaned_and_converted(tmp_path):
    """The mended and the converted copy hold every untouched row; the source stays as it was."""
    for number, (name, content, kept) in enumerate(files(SEED + 9, FILES // 8)):
        path, good = tmp_path / name, tmp_path / "good.jsonl"
        path.write_bytes(content)
        good.write_bytes(b"\n".join(kept))
        wanted = {row.id for row in load(good).rows} if kept else set()
        mended, other = tmp_path / f"{number}{path.suffix}", tmp_path / f"{number}.messages.jsonl"
        for out in (mended, other):
            try:
                clean(path, out) if out is mended else convert(path, "messages", out)
                found = {row.id for row in load(out).rows}
            except ForkpointError as error:
                assert error.message("en") and error.message("zh")
                found = set()
            assert set() == wanted - found, (number, name, out.name)
        assert content == path.read_bytes()
