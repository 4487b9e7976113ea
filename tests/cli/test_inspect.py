"""`forkpoint inspect` on data, as a user types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from forkpoint.cli import main
from forkpoint.cli.inspect import is_checkpoint
from forkpoint.data import DataProfile, bundled

GOOD = '{"prompt": "Where is it?", "answer": "Here."}'


def ran(capsys, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command."""
    code = 0
    try:
        main(["inspect", *words])
    except SystemExit as left:
        code = int(left.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(("lang", "told"), [("en", "1,000 rows"), ("zh", "1,000 行数据")])
def test_tickets_in_both_languages(lang, told, capsys):
    """The whole profile on stdout, nothing on stderr, exit 0."""
    code, out, err = ran(capsys, "tickets", "--lang", lang)
    assert (0, "") == (code, err)
    assert told in out
    assert "delivery 212" in out


def test_json_is_the_whole_record(capsys):
    """--json and --format json give the same document, which reads back as the record."""
    _, one, _ = ran(capsys, str(bundled("tickets")), "--json")
    _, two, _ = ran(capsys, str(bundled("tickets")), "--format", "json")
    assert one == two
    assert 1000 == DataProfile.from_json(one).rows
    assert "task" == json.loads(one)["job"]


def test_broken_rows_are_listed_and_strict_stops(tmp_path, capsys):
    """File and line of each broken row are shown; with --strict the first ends it, exit 2."""
    path = tmp_path / "a.jsonl"
    path.write_text(f'{GOOD}\n{{"prompt": "x"\n{GOOD}\n{{"prompt": "x", "answer": ""}}\n')
    code, out, _ = ran(capsys, str(path), "--lang", "en")
    assert 0 == code
    assert f"{path}, line 2: the JSON breaks off" in out
    assert f"{path}, line 4: the answer is empty" in out
    assert "2 usable, 2 broken" in out
    code, out, err = ran(capsys, str(path), "--strict", "--lang", "zh")
    assert (2, "") == (code, out)
    assert "第 2 行" in err
    assert "Traceback" not in err


def test_columns_and_format_from_the_command_line(tmp_path, capsys):
    """--columns and --data-format reach the reader; a slip in them is a sentence."""
    path = tmp_path / "a.csv"
    path.write_text("said,wanted\nWhere?,Here.\n")
    code, out, _ = ran(capsys, str(path), "--columns", "prompt=said,answer=wanted", "--json")
    assert (0, "prompt_completion") == (code, json.loads(out)["format"])
    for words, told in (
        (["--columns", "prompt"], "prompt=question"),
        (["--columns", "x=said"], "does not know “x”"),
        (["--data-format", "xml"], "“xml” is no data format"),
    ):
        code, out, err = ran(capsys, str(path), *words, "--lang", "en")
        assert (2, "") == (code, out)
        assert told in err


def test_control_characters_never_reach_the_terminal(tmp_path, capsys):
    """Escape sequences in labels, fields and file content are printed as blanks."""
    rows = [{"prompt": f"p{n}", "answer": f"\x1b[31mred{n % 2}"} for n in range(40)]
    rows.append({"\x1b[2Jfield": 1})
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    code, out, _ = ran(capsys, str(path))
    assert 0 == code
    assert "\x1b" not in out
    assert "red0" in out


def test_what_is_a_checkpoint(tmp_path):
    """A folder with a configuration or weights, a weight file, a Hub id; not data."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.jsonl").write_text(GOOD)
    (tmp_path / "a.gguf").write_bytes(b"GGUF")
    assert is_checkpoint(str(tmp_path / "model"))
    assert is_checkpoint(str(tmp_path / "a.gguf"))
    assert is_checkpoint("pocket-base")
    assert is_checkpoint("Qwen/Qwen3-4B-Base")
    assert not is_checkpoint(str(tmp_path / "data"))
    assert not is_checkpoint("datasets/openai/gsm8k")
    assert not is_checkpoint("tickets")
    assert not is_checkpoint("missing.jsonl")


def test_inspecting_data_needs_no_torch(tmp_path):
    """A fresh process that inspects data imports neither torch nor transformers."""
    path = tmp_path / "a.jsonl"
    path.write_text(GOOD)
    code = (
        f"import sys\nfrom forkpoint.cli import main\nmain(['inspect', {str(path)!r}, '--json'])\n"
    )
    check = "assert not {'torch', 'transformers', 'datasets'} & set(sys.modules), 'heavy'\n"
    code = code.replace("main([", "\ntry:\n    main([").replace(
        "'--json'])\n", f"'--json'])\nexcept SystemExit:\n    pass\n{check}"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}, check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    assert 1 == json.loads(done.stdout)["rows"]
