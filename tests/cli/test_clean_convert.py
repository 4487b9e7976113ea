"""`forkpoint clean` and `forkpoint convert`, as a user types them."""

import json

import pytest

from forkpoint.cli import main
from forkpoint.data.cleaning import DROPPABLE
from forkpoint.data.converting import TARGETS

ROWS = [{"prompt": f"Where is item {n}?", "answer": f"On shelf {n}."} for n in range(40)]
ROWS += [ROWS[0], {"prompt": "Help?", "answer": "I'm sorry, but I can't help with that."}]


def ran(capsys, *words: str) -> tuple[int, str, str]:
    code = 0
    try:
        main(list(words))
    except SystemExit as left:
        code = int(left.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)) + '\n{"prompt": "x"\n')
    return path


@pytest.mark.parametrize(
    ("lang", "told"),
    [("en", ("43 rows, 41 of them", "exact copies", "Answers that decline", "could not be read")),
     ("zh", ("共 43 行，其中 41 行", "完全相同", "拒绝回答", "无法读取"))],
)  # fmt: skip
def test_clean_says_what_it_did(lang, told, data, tmp_path, capsys):
    """Rows in and out, what was left out and listed, and where the log is; nothing on stderr."""
    code, out, err = ran(
        capsys, "clean", str(data), "-o", str(tmp_path / "b.jsonl"), "--lang", lang
    )
    assert (0, "") == (code, err)
    assert all(one in out for one in (*told, "b.jsonl.log.jsonl")), out


def test_clean_as_json_and_its_mistakes(data, tmp_path, capsys):
    """--json is the whole record; a slip in an option is a sentence and exit 2."""
    target = tmp_path / "b.jsonl"
    code, out, _ = ran(
        capsys, "clean", str(data), "-o", str(target), "--drop", "refusals", "--json"
    )
    assert 0 == code
    assert {"broken": 1, "copy": 1, "refusals": 1} == json.loads(out)["removed"]
    for words, told in (
        (["-o", str(target)], "exists already"),
        (["-o", str(tmp_path / "c.jsonl"), "--drop", "luck"], "does not know “luck”"),
        (["-o", str(data)], "the source itself"),
    ):
        code, out, err = ran(capsys, "clean", str(data), *words, "--lang", "en")
        assert (2, "") == (code, out)
        assert told in err


@pytest.mark.parametrize(("lang", "told"), [("en", "Nothing was lost"), ("zh", "没有任何损失")])
def test_convert_says_what_is_lost(lang, told, data, tmp_path, capsys):
    """A lossless conversion says so, a lossy one names the loss."""
    there, text = tmp_path / "b.jsonl", tmp_path / "c.jsonl"
    code, out, err = ran(capsys, "convert", str(data), "--to", "sharegpt", "-o", str(there),
                         "--lang", lang)  # fmt: skip
    assert (0, "") == (code, err)
    assert told in out
    code, out, _ = ran(capsys, "convert", str(there), "--to", "text", "-o", str(text), "--json")
    assert (0, {"roles": 42}) == (code, json.loads(out)["lost"])
    code, out, err = ran(capsys, "convert", str(there), "--to", "preference", "-o", f"{text}2")
    assert (2, "") == (code, out)


def test_the_help_names_every_check_and_every_format(capsys):
    """What --drop and --to take stands in their help, in both languages."""
    for lang in ("en", "zh"):
        _, out, _ = ran(capsys, "clean", "--help", "--lang", lang)
        assert all(name in "".join(out.split()) for name in DROPPABLE), out
        _, out, _ = ran(capsys, "convert", "--help", "--lang", lang)
        assert all(name in out for name in TARGETS)


def test_inspect_all_and_held_files(data, tmp_path, capsys):
    """--all looks at every row, --test and --benchmark name the rows that give questions away."""
    held = tmp_path / "held.jsonl"
    held.write_text(json.dumps({"prompt": "where is item 7", "answer": "?"}))
    code, out, _ = ran(capsys, "inspect", str(data), "--all", "--test", str(held),
                       "--benchmark", str(held), "--json")  # fmt: skip
    checks = {one["check"]: one for one in json.loads(out)["checks"]}
    assert 0 == code
    for name in ("test_leaks", "benchmark_leaks"):
        assert ([8], 42) == (checks[name]["lines"], checks[name]["n"])


def test_looking_at_all_rows_says_first_what_it_takes(tmp_path, capsys, monkeypatch):
    """--all tells rows, time and memory before it begins, and shows a bar on a terminal."""
    path = tmp_path / "many.jsonl"
    rows = ({"prompt": f"Where is item {n}, and {n * n}?", "answer": f"On shelf {n}."}
            for n in range(1_300))  # fmt: skip
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    code, out, err = ran(capsys, "inspect", str(path), "--all", "--lang", "en")
    assert 0 == code
    assert "1,3" in out
    assert "Looking at all 1,3" in err
    assert "GB of memory (estimated from 1,000 rows)" in err
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = ran(capsys, "inspect", str(path), "--all", "--lang", "en")[2]
    assert "many.jsonl" in shown.split("rows).")[1]
