"""Every common format becomes the same rows."""

import json
import os
from pathlib import Path

import pytest

from forkpoint.data import Row, RowFault, RowStream, Turn, load, read_rows
from forkpoint.data.built_row import named
from forkpoint.data.encoding import UTF_8
from forkpoint.data.json_file import json_lines, lines_of
from forkpoint.errors import BadInput

SHARED = Path(os.environ.get("FORKPOINT_SHARED", Path(__file__).parents[3] / "shared"))
ASKED = (Turn("user", "Where is it?"), Turn("assistant", "Here."))
WITH_SYSTEM = (Turn("system", "Be short."), *ASKED)

ROWS = {
    "messages": (
        {"messages": [{"role": "user", "content": "Where is it?"},
                      {"role": "assistant", "content": "Here."}]}, ASKED),
    "parts": (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Where "},
                                                   {"type": "text", "value": "is it?"}]},
                      {"role": "assistant", "content": "Here."}]}, ASKED),
    "developer": (
        {"messages": [{"role": "developer", "content": "Be short."},
                      {"role": "user", "content": "Where is it?"},
                      {"role": "assistant", "content": "Here."}]}, WITH_SYSTEM),
    "sharegpt": (
        {"conversations": [{"from": "human", "value": "Where is it?"},
                           {"from": "gpt", "value": "Here."}], "system": "Be short."},
        WITH_SYSTEM),
    "alpaca": ({"instruction": "Where is it?", "input": "", "output": "Here."}, ASKED),
    "alpaca_input": (
        {"instruction": "Where is", "input": "it?", "output": "Here.", "system": ""},
        (Turn("user", "Where is\nit?"), ASKED[1])),
    "alpaca_history": (
        {"instruction": "Where is it?", "output": "Here.", "history": [["Hi", "Hello"]]},
        (Turn("user", "Hi"), Turn("assistant", "Hello"), *ASKED)),
    "dolly": ({"instruction": "Where is it?", "context": "", "response": "Here."}, ASKED),
    "prompt_completion": ({"prompt": "Where is it?", "completion": "Here."}, ASKED),
    "question_answer": ({"question": "Where is it?", "answer": "Here."}, ASKED),
    "chinese_names": ({"问题": "Where is it?", "回答": "Here."}, ASKED),
    "capital_names": ({"Question": "Where is it?", "Answer": "Here."}, ASKED),
    "labelled_text": ({"text": "Where is it?", "label": 3}, (ASKED[0], Turn("assistant", "3"))),
    "json_answer": (
        {"input": "Where is it?", "output": {"place": "here"}},
        (ASKED[0], Turn("assistant", '{"place":"here"}'))),
    "prompt_messages": (
        {"prompt": [{"role": "user", "content": "Where is it?"}],
         "completion": [{"role": "assistant", "content": "Here."}]}, ASKED),
}  # fmt: skip


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")
    return path


@pytest.mark.parametrize("name", ROWS)
def test_formats_become_turns(name, tmp_path):
    """Each known shape of a row gives the turns that it means."""
    value, turns = ROWS[name]
    data = load(write(tmp_path / "a.jsonl", value))
    assert turns == data.rows[0].turns
    assert 0 == data.fault_count


def test_same_content_same_id_whatever_the_format(tmp_path):
    """The id is of the content: formats, fields around it and places in the file play no part."""
    same = ("messages", "parts", "alpaca", "dolly", "prompt_completion", "question_answer")
    data = load(write(tmp_path / "a.jsonl", *(ROWS[name][0] for name in same)))
    assert 1 == len({row.id for row in data.rows})
    assert [1, 2, 3, 4, 5, 6] == [row.line for row in data.rows]
    assert ["mixed-formats"] == [notice.code for notice in data.notices]


PAIRS = {
    "strings": {"prompt": "Where is it?", "chosen": "Here.", "rejected": "No."},
    "sides": {"conversations": [{"from": "human", "value": "Where is it?"}],
              "chosen": {"from": "gpt", "value": "Here."},
              "rejected": {"from": "gpt", "value": "No."}},
    "whole": {"chosen": [{"role": "user", "content": "Where is it?"},
                         {"role": "assistant", "content": "Here."}],
              "rejected": [{"role": "user", "content": "Where is it?"},
                           {"role": "assistant", "content": "No."}]},
    "whole_and_prompt": {"prompt": "Where is it?",
                         "chosen": [{"role": "user", "content": "Where is it?"},
                                    {"role": "assistant", "content": "Here."}],
                         "rejected": [{"role": "user", "content": "Where is it?"},
                                      {"role": "assistant", "content": "No."}]},
    "alpaca": {"instruction": "Where is it?", "input": "", "chosen": "Here.", "rejected": "No."},
    "two_outputs": {"instruction": "Where is it?", "output": ["Here.", "No."]},
    "transcripts": {"chosen": "\n\nHuman: Where is it?\n\nAssistant: Here.",
                    "rejected": "\n\nHuman: Where is it?\n\nAssistant: No."},
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_preference_pairs(name, tmp_path):
    """The better answer is the last turn, the worse one stands aside."""
    data = load(write(tmp_path / "a.jsonl", PAIRS[name]))
    assert "preference" == data.format
    assert ASKED == data.rows[0].turns
    assert "No." == data.rows[0].rejected


def test_tools_and_calls(tmp_path):
    """Tools are kept as JSON text, calls become one line of JSON, results are tool turns."""
    call = {"function": {"name": "find", "arguments": '{"what": "it"}'}, "type": "function"}
    row = {
        "messages": [
            {"role": "user", "content": "Where is it?"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "content": "here"},
            {"role": "assistant", "content": "Here."},
        ],
        "tools": [{"type": "function", "function": {"name": "find"}}],
    }
    found = load(write(tmp_path / "a.jsonl", row)).rows[0]
    assert '{"name":"find","arguments":{"what":"it"}}' == found.turns[1].content
    assert ["user", "assistant", "tool", "assistant"] == [turn.role for turn in found.turns]
    assert row["tools"] == json.loads(found.tools)


def test_every_container_gives_the_same_rows(tmp_path):
    """JSON, JSONL, packed JSONL, CSV, TSV, Parquet, Arrow and a saved data set read alike."""
    import gzip

    import datasets
    import pyarrow
    import pyarrow.feather
    import pyarrow.parquet

    rows = [{"question": f"Is {n} even, or “odd”?\nSay 是 or 否", "answer": "是否"[n % 2]}
            for n in range(7)]  # fmt: skip
    lines = write(tmp_path / "a.jsonl", *rows)
    expected = [row.id for row in load(lines).rows]
    (tmp_path / "b.json").write_text(json.dumps(rows, indent=1))
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(lines.read_bytes()))
    table = pyarrow.Table.from_pylist(rows)
    pyarrow.parquet.write_table(table, tmp_path / "d.parquet", row_group_size=3)
    pyarrow.feather.write_feather(table, tmp_path / "e.feather")
    frame = table.to_pandas()
    frame.to_csv(tmp_path / "f.csv", index=False)
    frame.to_csv(tmp_path / "g.tsv", index=False, sep="\t")
    saved = datasets.Dataset.from_list(rows)
    saved.save_to_disk(tmp_path / "h")
    datasets.DatasetDict({"train": saved, "test": saved.select([0])}).save_to_disk(tmp_path / "i")
    (tmp_path / "j").mkdir()
    write(tmp_path / "j" / "1.jsonl", *rows[:3])
    write(tmp_path / "j" / "2.jsonl", *rows[3:])
    (tmp_path / "k").write_bytes(lines.read_bytes())
    for path in sorted(tmp_path.iterdir()):
        data = load(path)
        assert expected == [row.id for row in data.rows], path.name
        assert 0 == data.fault_count, path.name


def test_columns_and_format_are_overridable(tmp_path):
    """--columns and --data-format overrule what was detected."""
    path = write(tmp_path / "a.jsonl", {"said": "Where is it?", "wanted": "Here.", "text": "x"})
    assert "text" == load(path).format
    named = load(path, columns={"prompt": "said", "answer": "wanted"})
    assert ASKED == named.rows[0].turns
    path = write(tmp_path / "b.jsonl", {"prompt": "Where is it?", "answer": "Here.", "text": "x"})
    assert "x" == load(path, format="text").rows[0].text
    with pytest.raises(BadInput, match="no column “nope”"):
        load(path, columns={"prompt": "nope", "answer": "answer"})
    with pytest.raises(BadInput, match="does not know “promt”"):
        load(path, columns={"promt": "prompt"})


def test_other_fields_are_kept(tmp_path):
    """Fields that are not the row itself, like a group or a time, are kept as text."""
    row = {"prompt": "a", "answer": "b", "customer": 17, "time": "2024-01-01", "deep": {"x": 1}}
    assert {"customer": "17", "time": "2024-01-01"} == load(write(tmp_path / "a.jsonl", row)).rows[
        0
    ].extra


def test_text_is_read_by_paragraph_or_line(tmp_path):
    """Blank lines part paragraphs; without them each line is a row."""
    (tmp_path / "a.txt").write_text("one\ntwo\n\n\nthree\n")
    (tmp_path / "b.txt").write_text("one\ntwo\nthree\n")
    assert [("one\ntwo", 1), ("three", 5)] == [
        (row.text, row.line) for row in load(tmp_path / "a.txt").rows
    ]
    assert ["one", "two", "three"] == [row.text for row in load(tmp_path / "b.txt").rows]


def test_rows_and_faults_are_streamed_in_order(tmp_path):
    """read_rows gives rows and faults as the file has them, and does not read ahead."""
    good = {"prompt": "a", "answer": "b"}
    path = write(tmp_path / "a.jsonl", good, {"prompt": "a"}, good)
    kinds = [type(item) for item in read_rows(path)]
    assert [Row, RowFault, Row] == kinds
    path = write(tmp_path / "b.jsonl", *[good] * 300_000)
    assert 1 == next(read_rows(path)).line  # within the time of one block


REAL = {
    "lf_alpaca_en_demo.json": (999, "alpaca"),
    "lf_alpaca_zh_demo.json": (1000, "alpaca"),
    "lf_dpo_zh_demo.json": (300, "preference"),
    "lf_glaive_toolcall_zh_demo.json": (300, "sharegpt"),
    "lf_identity.json": (91, "alpaca"),
    "lf_v1_sft_demo.jsonl": (500, "messages"),
    "lf_wiki_demo.txt": (9, "text"),
    "../gsm8k/gsm8k_test.jsonl": (1319, "prompt_completion"),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files(name):
    """Public files in the common formats are read whole, without a fault."""
    path = SHARED / "data" / "formats" / name
    if not path.exists():
        reason = f"{path.name} is not at hand: set FORKPOINT_SHARED"
        if "shared" in os.environ.get("FORKPOINT_REQUIRE", ""):
            pytest.fail(reason)
        pytest.skip(reason)
    data = load(path)
    assert (*REAL[name], 0) == (len(data.rows), data.format, data.fault_count)


ODD = (
    {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
    {"messages": [{"role": "user", "content": "问"}, {"role": "assistant", "content": "答"}]},
    {"messages": [{"role": "user", "content": "a\0"}, {"role": "assistant", "content": "b"}]},
    {"messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]},
    {"messages": [{"role": "user", "content": " "}, {"role": "assistant", "content": "b"}]},
    {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": 3}]},
    {"messages": [{"role": "user", "content": "a"}, {"from": "gpt", "value": "b"}]},
    {"messages": [{"role": ["user"], "content": "a"}, {"role": "assistant", "content": "b"}]},
    {"messages": ["ab", "cd"]},
    {"messages": [None, None]},
    {"messages": {"role": "user", "content": "a"}},
    {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
    {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}],
     "tools": [{"name": "f"}], "id": "1"},
    {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"},
                  {"role": "assistant", "content": "b"}], "id": "1"},
    {"instruction": "a", "input": "", "output": "b", "topic": "t", "images": ["x.png"]},
)  # fmt: skip


def test_bare_rows_are_the_rows_without_their_ids(tmp_path):
    """Reading without ids finds the same rows, faults and notices; adding the ids gives them."""
    path = write(tmp_path / "a.jsonl", *ODD)
    whole, bare = RowStream(path), RowStream(path)
    rows = list(whole)
    assert rows == [named(row) for row in bare.bare()]
    assert rows == [item for item in read_rows(path) if isinstance(item, Row)]
    assert whole.dataset() == bare.dataset()
    assert [1, 2, 6, 7, 12, 13, 14, 15] == [row.line for row in rows]
    assert [3, 4, 5, 8, 9, 10, 11] == [fault.line for fault in whole.faults]
    assert ["duplicate-ids"] == [n.code for n in whole.dataset().notices if "id" in n.code]


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 7, 64, 1 << 17])
def test_lines_do_not_depend_on_the_blocks(block_bytes, monkeypatch, tmp_path):
    """Lines and their numbers are the same wherever a block of the file ends."""
    content = b'{"a": 1}\n\n{"a": 22}\r\nbroken\n\n{"a": "\xe4\xb8\xad"}'
    path = tmp_path / "a.jsonl"
    for end in (b"", b"\n", b"\n\n"):
        path.write_bytes(content + end)
        monkeypatch.setattr("forkpoint.data.json_file.BLOCK_BYTES", block_bytes)
        expected = list(enumerate((content + end).split(b"\n"), 1))
        if not expected[-1][1]:  # nothing stands behind the last end of a line
            expected.pop()
        assert expected == list(lines_of(path))
        lines = [(line, value) for line, value in json_lines(path, UTF_8)]
        assert [1, 3, 4, 6] == [line for line, _ in lines]
        assert [{"a": 1}, {"a": 22}, {"a": "中"}] == [v for _, v in lines if isinstance(v, dict)]
