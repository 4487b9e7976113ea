"""A data file is mended into another; the source stays, every change is logged."""

import csv
import hashlib
import json
import random

import pytest

from forkpoint.data import load
from forkpoint.data.cleaning import clean
from forkpoint.data.mending import without_edge_marks
from forkpoint.errors import BadInput, ForkpointError

GOOD = [{"prompt": f"Where is item {n} of the list?", "answer": f"It is on shelf {n}."}
        for n in range(40)]  # fmt: skip


def log_of(path) -> list[dict]:
    return [json.loads(line) for line in path.with_name(path.name + ".log.jsonl").open()]


def lines(rows) -> list[str]:
    return [json.dumps(row, ensure_ascii=False) for row in rows]


def test_unchanged_lines_are_copied_byte_for_byte(tmp_path):
    """Odd spacing, numbers and fields of rows without a change stay as they were."""
    odd = '{ "prompt":"Where is it?",   "answer" : "Here.", "w": 1.0, "n": 12345678901234567890123}'
    text = [odd, *lines(GOOD), odd, '{"prompt": "x", "answer": ""}', "not json"]
    source, out = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    source.write_text("\r\n".join(text))
    before = source.read_bytes()
    done = clean(source, out)
    assert before == source.read_bytes()
    assert [odd, *lines(GOOD)] == out.read_text().splitlines()
    assert (44, 41) == (done.rows_before, done.rows_after)
    assert {"broken": 2, "copy": 1} == done.removed
    log = log_of(out)
    assert [(42, "copy", 1), (43, "broken", None), (44, "broken", None)] == [
        (one["line"], one["what"], one.get("other_line")) for one in log
    ]
    assert hashlib.sha256(f"{odd}\r".encode()).hexdigest() == log[0]["before_sha256"]


def test_what_can_be_read_in_one_way_only_is_mended(tmp_path):
    """A comma behind the row and a Python dict are written rightly; a cut row is not guessed."""
    source, out = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    source.write_text("\n".join([
        *lines(GOOD), '{"prompt": "comma?", "answer": "yes"},',
        "{'prompt': 'quotes?', 'answer': \"it's fine\"}", '{"prompt": "cut',
    ]))  # fmt: skip
    done = clean(source, out)
    assert {"broken": 2} == done.changed
    assert {"broken": 1} == done.removed
    last = [json.loads(line) for line in out.read_text().splitlines()[-2:]]
    assert [{"prompt": "comma?", "answer": "yes"},
            {"prompt": "quotes?", "answer": "it's fine"}] == last  # fmt: skip


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("Yes.<|im_end|>", "Yes."), ("<|im_start|>assistant\nYes.<|im_end|>\n", "Yes."),
        ("<s> Yes. </s>", "Yes."), ("Yes.<end_of_turn><eos>", "Yes."),
        ("[INST] Why? [/INST]", "Why?"),
        ("<|start_header_id|>assistant<|end_header_id|>\n\nYes.<|eot_id|>", "Yes."),
        ("a <|im_end|> b", "a <|im_end|> b"), ("  Yes. ", "  Yes. "), ("", ""),
    ],
)  # fmt: skip
def test_marks_at_the_ends_are_trimmed(text, mended):
    """Marks at the beginning and end go, with the blanks beside them; nothing else does."""
    assert mended == without_edge_marks(text)


def test_checks_are_listed_dropped_or_mended_as_asked(tmp_path):
    """Marks at the edges are trimmed, secrets blotted with --mask, the rest listed or dropped."""
    rows = [
        *GOOD, {"prompt": "How are you?", "answer": "Fine, thanks.<|im_end|>"},
        {"prompt": "Who?", "answer": "Write to anna.k@gmail.com", "id": 7},
        {"prompt": "May I?", "answer": "I'm sorry, but I can't assist with that."},
        {"prompt": "What is <|im_end|> here?", "answer": "a <|im_end|> b"},
    ]  # fmt: skip
    source = tmp_path / "a.jsonl"
    source.write_text("\n".join(lines(rows)))
    listed = clean(source, tmp_path / "b.jsonl")
    assert {"template_tokens": 1} == listed.changed
    assert {"refusals": 1, "private": 1, "template_tokens": 1} == listed.listed
    assert 44 == listed.rows_after
    done = clean(source, tmp_path / "c.jsonl", drop=["refusals"], mask=True)
    assert {"refusals": 1} == done.removed
    out = [json.loads(line) for line in (tmp_path / "c.jsonl").open()]
    assert "Fine, thanks." == out[40]["answer"]
    assert {"prompt": "Who?", "answer": "Write to a***@***.com", "id": 7} == out[41]
    assert "anna.k" not in (tmp_path / "c.jsonl.log.jsonl").read_text()


@pytest.mark.parametrize(
    "kind", ["json", "wrapped", "csv", "tsv", "parquet", "arrow", "txt", "gbk"]
)
def test_the_same_kind_of_file_comes_out(kind, tmp_path):
    """Each kind of file is written again as it was, without the copy."""
    many = [{"prompt": f"第{n}件货在哪里？", "answer": f"在第{n}号货架上。"} for n in range(39)]
    rows = [GOOD[0], *many, {"prompt": "你好吗？", "answer": "我很好，谢谢。"}, many[0], GOOD[0]]
    suffix = {"wrapped": "json", "gbk": "jsonl"}.get(kind, kind)
    source, out = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    write(kind, source, rows)
    done = clean(source, out)
    assert {"copy": 2} == done.removed
    assert (43, 41) == (done.rows_before, done.rows_after)
    assert [row.id for row in load(source).rows[:41]] == [row.id for row in load(out).rows]
    assert load(source).file_format == load(out).file_format
    if kind == "wrapped":
        assert ["version", "data"] == list(json.loads(out.read_text()))
    if kind == "gbk":
        assert {"encoding": 1} == done.changed
        assert "你好吗？" in out.read_text("utf-8")


def write(kind, path, rows):
    if kind in ("json", "wrapped"):
        path.write_text(json.dumps(rows if kind == "json" else {"version": 2, "data": rows}))
    elif kind in ("csv", "tsv"):
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(
                file, ["prompt", "answer"], delimiter="\t" if kind == "tsv" else ";"
            )
            writer.writeheader()
            writer.writerows(rows)
    elif kind == "txt":
        path.write_text("\n\n".join(f"{row['prompt']}\n{row['answer']}" for row in rows))
    elif kind == "gbk":
        path.write_bytes("\n".join(lines(rows)).encode("gb18030"))
    else:
        import pyarrow
        import pyarrow.parquet

        table = pyarrow.Table.from_pylist(rows)
        if kind == "parquet":
            pyarrow.parquet.write_table(table, path)
        else:
            with (
                pyarrow.OSFile(str(path), "wb") as sink,
                pyarrow.ipc.new_file(sink, table.schema) as writer,
            ):
                writer.write_table(table)


def test_nothing_is_written_over(tmp_path):
    """Neither the source nor an existing file is a target; no half file stays behind."""
    source = tmp_path / "a.jsonl"
    source.write_text("\n".join(lines(GOOD)))
    (tmp_path / "there.jsonl").write_text("mine")
    for target, told in ((source, "the source itself"),
                         (tmp_path / "there.jsonl", "exists already"),
                         (tmp_path / "no" / "x.jsonl", "no folder")):  # fmt: skip
        with pytest.raises(BadInput, match=told):
            clean(source, target)
    assert "mine" == (tmp_path / "there.jsonl").read_text()
    bad = tmp_path / "bad.jsonl"
    bad.write_text(
        "\n".join(lines([{"prompt": "x?", "answer": "N/A"}, {"prompt": "y?", "answer": "TODO"}]))
    )
    with pytest.raises(BadInput, match="No row"):
        clean(bad, tmp_path / "c.jsonl", drop=["empty_answers"])
    assert {"a.jsonl", "there.jsonl", "bad.jsonl"} == {one.name for one in tmp_path.iterdir()}


def test_mutated_files_lose_no_good_row(tmp_path):
    """What is cleaned from a mutated file can be read whole and holds every untouched line."""
    from test_fuzz import files

    for number, (name, content, kept) in enumerate(files(20_260_701, 60)):
        source, out = tmp_path / f"{number}-{name}", tmp_path / f"{number}-out-{name}"
        source.write_bytes(content)
        try:
            done = clean(source, out)
        except ForkpointError as error:
            assert error.message("en") and error.message("zh")
            assert not kept, (number, error)
            continue
        again = load(out)
        assert done.rows_after == len(again.rows), number
        assert 0 == again.fault_count, (number, again.faults)
        if kept:
            good = tmp_path / "good.jsonl"
            good.write_bytes(b"\n".join(kept))
            assert {row.id for row in load(good).rows} <= {row.id for row in again.rows}, number


def test_cleaning_twice_changes_nothing_more(tmp_path):
    """A cleaned file needs no cleaning."""
    draw = random.Random(3)
    rows = [*GOOD, *draw.sample(GOOD, 5), {"prompt": "a?", "answer": "Yes.</s>"}]
    source, once, twice = tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "c.jsonl"
    source.write_text("\n".join(lines(rows)))
    clean(source, once)
    done = clean(once, twice)
    assert ({}, {}) == (done.removed, done.changed)
    assert once.read_bytes() == twice.read_bytes()
