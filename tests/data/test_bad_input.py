"""What is broken is named by file and line and told how to mend; the rest is read."""

import gzip
import json

import pytest

from forkpoint.data import fault_sentence, load
from forkpoint.errors import BadInput
from forkpoint.words import say

GOOD = {"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}]}
LINE = json.dumps(GOOD).encode()
ASKED = "我的包裹在哪里？请帮我查询。"
CHINESE = json.dumps({"prompt": ASKED, "answer": "物流"}, ensure_ascii=False)

BROKEN = {
    b'{"prompt": "a"': "breaks off",
    LINE + b",": "comma stands behind",
    b"{'prompt': 'a', 'answer': 'b'}": "single quotation marks",
    b'{"prompt": NaN, "answer": "b"}': "not valid JSON at column 12",
    b'{"prompt": "\xe9t\xe9", "answer": "b"}': "byte 13 (0xe9) is not UTF-8",
    b'{"prompt": "a\0", "answer": "b"}': "NUL",
    b'{"prompt": "a\\u0000", "answer": "b"}': "NUL",
    b'{"prompt": ' + b"[" * 5000 + b"]" * 5000 + b"}": "nested too deeply",
    b"[1, 2]": "instead of an object",
    b"{}": "none of the known formats",
    b'{"foo": 1, "bar": 2}': "(foo, bar) are none",
    b'{"messages": "hi"}': "type string",
    b'{"messages": []}': "conversation is empty",
    b'{"messages": [{"role": "boss", "content": "x"}]}': "“boss” is no known role",
    b'{"messages": [{"role": "user", "content": "x"}]}': "no answer to learn",
    b'{"prompt": " ", "answer": "b"}': "nothing is asked",
    b'{"prompt": "a", "answer": ""}': "answer is empty",
    b'{"prompt": "a", "answer": null}': "“answer” is missing or null",
    b'{"instruction": "a", "output": "b", "history": 3}': "pairs",
    b'{"text": "raw"}': "Keep different kinds",
    b'{"prompt": "a", "chosen": "b", "rejected": "c"}': "Keep different kinds",
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda b: b[:40].decode("latin-1"))
def test_a_broken_row_is_named_and_the_rest_is_read(broken, tmp_path):
    """File, line, what is wrong and what to do, in both languages; good rows go on."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join([LINE, LINE, broken, LINE]))
    data = load(path)
    assert [1, 2, 4] == [row.line for row in data.rows]
    assert 1 == data.fault_count
    sentence = fault_sentence(data.faults[0], "en")
    assert sentence.startswith(f"{path}, line 3: ")
    assert BROKEN[broken] in sentence
    assert "第 3 行：" in fault_sentence(data.faults[0], "zh")
    with pytest.raises(BadInput, match="line 3: ") as stopped:
        load(path, strict=True)
    assert 2 == stopped.value.exit_code
    assert "--strict" in stopped.value.message("zh")


UNDECIDED = {
    "no_loser": ({"prompt": "Tea?", "chosen": "Yes."}, "“rejected” is not there"),
    "no_winner": ({"prompt": "Tea?", "rejected": "No."}, "“chosen” is not there"),
    "null": ({"prompt": "Tea?", "chosen": None, "rejected": "No."}, "“chosen” is missing or null"),
    "empty": ({"prompt": "Tea?", "chosen": " ", "rejected": "No."}, "needs two answers"),
    "tie": ({"prompt": "Tea?", "chosen": "No.", "rejected": "No."}, "nothing to prefer"),
    "many": ({"prompt": "Tea?", "chosen": ["Yes.", "Ja."], "rejected": "No."}, "type string"),
}


@pytest.mark.parametrize("name", UNDECIDED)
def test_a_preference_without_a_winner_is_named_and_the_rest_is_read(name, tmp_path):
    """Which side is wrong and what to do; pairs before and after it are kept."""
    broken, told = UNDECIDED[name]
    good = {"prompt": "Tea?", "chosen": "Yes.", "rejected": "No."}
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in (good, good, broken, good)))
    data = load(path)
    assert ["No."] * 3 == [row.rejected for row in data.rows]
    assert f"{path}, line 3: " in (sentence := fault_sentence(data.faults[0], "en"))
    assert told in sentence
    assert "第 3 行：" in fault_sentence(data.faults[0], "zh")


ARRAYS = {
    "trailing_comma": (b"[\n%b,\n%b,\n]" % (LINE, LINE), [2, 3], []),
    "cut": (b"[\n%b,\n%b,\n%b" % (LINE, LINE, LINE[:-20]), [2, 3], [4]),
    "broken_first": (b"[\n%b,\n%b\n]" % (LINE[:-9] + b'"', LINE), [3], [2]),
    "broken_middle": (b"[%b, %b, %b]" % (LINE, LINE.replace(b":", b"", 1), LINE), [1, 1], [1]),
    "bomb": (b"[%b,%b,%b]" % (LINE, b"[" * 100_000, LINE), [1, 1], [1]),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_a_broken_array_gives_its_good_rows(name, tmp_path):
    """A JSON array with a mistake is read row by row; only the broken row is lost."""
    text, good, bad = ARRAYS[name]
    (tmp_path / "a.json").write_bytes(text)
    data = load(tmp_path / "a.json")
    assert good == [row.line for row in data.rows]
    assert bad == [fault.line for fault in data.faults]


def test_a_broken_row_of_a_pretty_printed_array(tmp_path):
    """The messages inside a broken row are not taken for rows."""
    text = json.dumps([GOOD] * 3, indent=2).replace('"hi"', "hi", 1)
    (tmp_path / "a.json").write_text(text)
    data = load(tmp_path / "a.json")
    assert (2, 1) == (len(data.rows), data.fault_count)
    assert "messages" == data.format


def test_files_whose_name_promises_another_layout(tmp_path):
    """Pretty-printed objects in .jsonl, one object a line or a wrapped list in .json."""
    (tmp_path / "pretty.jsonl").write_text("\n".join([json.dumps(GOOD, indent=2)] * 2))
    (tmp_path / "lines.json").write_bytes(LINE + b"\n" + LINE)
    (tmp_path / "array.jsonl").write_bytes(b"[%b, %b]" % (LINE, LINE))
    (tmp_path / "wrapped.json").write_bytes(b'{"data": [%b, %b]}' % (LINE, LINE))
    (tmp_path / "joined.json").write_bytes(LINE + LINE)
    for path in sorted(tmp_path.iterdir()):
        data = load(path)
        assert (2, 0) == (len(data.rows), data.fault_count), path.name


@pytest.mark.parametrize(
    ("codec", "told"),
    [("utf-16", "UTF-16"), ("utf-16-le", "UTF-16-LE"), ("utf-32", "UTF-32"), ("gbk", "GB18030")],
)
def test_other_encodings_are_read_and_said(codec, told, tmp_path):
    """UTF-16, UTF-32 and GBK are detected, read and named in a notice."""
    path = tmp_path / "a.jsonl"
    path.write_bytes("\n".join([CHINESE] * 5).encode(codec))
    data = load(path)
    assert (5, 0) == (len(data.rows), data.fault_count)
    assert ASKED == data.rows[0].turns[0].content
    assert told in say(data.notices[0].key, "en", **data.notices[0].values)


def test_a_mark_of_utf_8_is_not_worth_a_word(tmp_path):
    """A byte order mark is dropped in silence, in JSONL and in CSV."""
    (tmp_path / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + LINE)
    (tmp_path / "a.csv").write_text("prompt,answer\na,b\n", "utf-8-sig")
    assert () == load(tmp_path / "a.jsonl").notices
    assert "a" == load(tmp_path / "a.csv").rows[0].turns[0].content


def test_few_broken_characters_are_not_another_encoding(tmp_path):
    """One row in Latin-1 among Chinese rows in UTF-8 is a broken row, not a Latin-1 file."""
    bad = '{"prompt": "caf\xe9", "answer": "b"}'.encode("latin-1")
    (tmp_path / "a.jsonl").write_bytes(b"\n".join([CHINESE.encode()] * 4 + [bad]))
    data = load(tmp_path / "a.jsonl")
    assert (4, 1) == (len(data.rows), data.fault_count)
    assert "包裹" in data.rows[0].turns[0].content


def test_broken_tables(tmp_path):
    """A wrong number of cells and an open quotation mark cost one row each."""
    text = 'prompt,answer\n"a, b",c\nbroken\n"two\nlines",d\n5" wide,e\n"open,f\ng,h\n"i",j\n'
    (tmp_path / "a.csv").write_text(text)
    data = load(tmp_path / "a.csv")
    assert ["c", "d", "e", "h", "j"] == [row.answer for row in data.rows]
    assert [2, 4, 6, 8, 9] == [row.line for row in data.rows]
    assert [3, 7] == [fault.line for fault in data.faults]


def test_formulas_in_tables_are_text(tmp_path):
    """What a spreadsheet would run is only text here."""
    (tmp_path / "a.csv").write_text("prompt,answer\n=cmd|' /C calc'!A0,@SUM(1)\n")
    row = load(tmp_path / "a.csv").rows[0]
    assert "=cmd|' /C calc'!A0" == row.turns[0].content


def test_a_gigantic_line_is_not_held_in_memory(tmp_path, monkeypatch):
    """A line beyond the limit is a fault by its number, and reading goes on behind it."""
    monkeypatch.setattr("forkpoint.data.json_file.MAX_LINE_BYTES", 1 << 20)
    monkeypatch.setattr("forkpoint.data.json_file.BLOCK_BYTES", 1 << 16)
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINE + b'\n{"prompt": "' + b"a" * (5 << 20) + b'"}\n' + LINE)
    data = load(path)
    assert [1, 3] == [row.line for row in data.rows]
    assert "longer than 1 MiB" in fault_sentence(data.faults[0], "en")


def test_a_cut_archive_keeps_its_rows(tmp_path):
    """Rows before the break of a .gz file are kept, the break is a fault."""
    lines = b"\n".join(
        json.dumps({"prompt": f"{n} {n * n} {n**3}", "answer": str(n % 7)}).encode()
        for n in range(20_000)
    )
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(lines)[:-5000])
    data = load(path)
    assert len(data.rows) > 10_000
    assert "cannot be read any further" in fault_sentence(data.faults[-1], "en")


def test_ids_of_the_user_that_clash_are_said(tmp_path):
    """The same id on different rows is a notice with both lines; nothing is lost."""
    rows = [{"id": 1, "prompt": "a", "answer": "b"}, {"id": 1, "prompt": "c", "answer": "d"}]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    data = load(path)
    assert 2 == len(data.rows)
    assert ["duplicate-ids"] == [notice.code for notice in data.notices]
    assert (1, 2) == (data.notices[0].values["line"], data.notices[0].values["other"])


UNUSABLE = {
    "empty.jsonl": (b"", "holds no rows"),
    "blank.jsonl": (b"\n \n", "holds no rows"),
    "zeros.jsonl": (b"\0" * 100, "holds no rows"),
    "binary": (bytes(range(256)) * 9, "no text and no known table"),
    "a.parquet": (b"hello", "cannot be read as Parquet"),
    "a.arrow": (b"hello", "cannot be read as Arrow"),
    "a.json.gz": (b"hello", "cannot be unpacked"),
    "header.csv": (b"prompt,answer\n", "holds no rows"),
    "strange.csv": (b"what,that\n1,2\n", "fields what, that"),
    "all.jsonl": (b'{"prompt": "a", "answer": ""}\n' * 3, "No row of this file can be used"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_files_without_a_usable_row(name, tmp_path):
    """A sentence in both languages that says what was found, where, and what to do."""
    content, told = UNUSABLE[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput) as error:
        load(tmp_path / name)
    assert told in error.value.message("en")
    assert name in error.value.message("en")
    assert name in error.value.message("zh")


def test_paths_that_are_no_data(tmp_path):
    """A missing file, an empty folder, a device."""
    for path, told in (
        (tmp_path / "no.jsonl", "no file or folder"),
        (tmp_path, "holds no data files"),
        ("/dev/null", "neither a file nor a folder"),
    ):
        with pytest.raises(BadInput, match=told):
            load(path)


def test_a_hub_name_without_a_network(monkeypatch):
    """A sentence that says what to do instead."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(BadInput, match="openai/gsm8k is no local file"):
        load("openai/gsm8k")
