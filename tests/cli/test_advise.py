"""`forkpoint advise` and `forkpoint rules` as a user starts them, in fresh processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from forkpoint.cli import main

HEAVY = (
    "import sys, forkpoint.cli as cli\n"
    "try:\n    cli.main(sys.argv[1:])\n"
    "except SystemExit as end:\n    code = end.code or 0\n"
    "heavy = sorted({'torch', 'transformers', 'trl', 'peft', 'sklearn'} & set(sys.modules))\n"
    "print(heavy, file=sys.stderr)\n"
    "raise SystemExit(code)\n"
)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a fresh process that says which heavy libraries it loaded."""
    return subprocess.run(
        [sys.executable, "-c", HEAVY, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "LANG": "C.UTF-8", "HF_HUB_OFFLINE": "1"},
    )


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    """Forty rows with JSON answers."""
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"Order {n} is late"},
                {"role": "assistant", "content": json.dumps({"order": n, "topic": "delivery"})},
            ]
        }
        for n in range(40)
    ]
    file = tmp_path / "tickets.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return file


def test_advise_in_both_languages_without_torch(tickets: Path) -> None:
    """Advice on a data file works in English and Chinese and loads no heavy library."""
    english = run("advise", str(tickets), "--goal", "customer service", "--lang", "en")
    chinese = run("advise", str(tickets), "--goal", "客服", "--lang", "zh")
    for done, mark in ((english, "Run these first"), (chinese, "先跑这些")):
        assert 0 == done.returncode, done.stderr
        assert mark in done.stdout
        assert "FP-B01" in done.stdout
        assert "[]" == done.stderr.splitlines()[-1]


def here(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run the command line in this process: exit code, stdout, stderr."""
    code = 0
    try:
        main(list(words))
    except SystemExit as end:
        code = int(end.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_advise_as_json(tickets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints one document, the same as `--format json`."""
    code, short, _ = here(capsys, "advise", str(tickets), "--json")
    assert 0 == code
    assert 40 == json.loads(short)["rows"]
    _, long, _ = here(capsys, "advise", str(tickets), "--format", "json")
    assert json.loads(short)["findings"] == json.loads(long)["findings"]


def test_the_race_reads_the_data_alike(
    tickets: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A format that was named for the advice is named in the race to paste."""
    code, out, _ = here(
        capsys,
        "advise",
        str(tickets),
        "--model",
        str(tiny_checkpoint),
        "--data-format",
        "messages",
        "--json",
    )
    assert 0 == code
    assert json.loads(out)["settle"].endswith("--data-format messages")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("advise",), "Nothing to advise on"),
        (("advise", "missing.jsonl"), "missing.jsonl"),
        (("advise", "--goal", "x", "--format", "yaml"), "yaml"),
        (("advise", "--goal", "x", "--model", "./nowhere"), "nowhere"),
        (("advise", "--model", "a/b", "--model", "a/b"), "twice"),
        (("rules", "FP-Z99"), "FP-Z99"),
        (("rules", "--format", "yaml"), "yaml"),
    ],
)
def test_bad_input_is_a_sentence(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Bad input ends with code 2 and a sentence that names it, without a traceback."""
    monkeypatch.chdir(tmp_path)
    code, out, err = here(capsys, *words, "--lang", "en")
    assert 2 == code
    assert said in err
    assert "Traceback" not in err
    assert "" == out


def test_rules_are_listed_and_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`forkpoint rules` lists all, explains one in text and JSON, and writes the pages."""
    assert "FP-H04" in here(capsys, "rules", "--lang", "zh")[1]
    assert "usually Base" in here(capsys, "rules", "fp-b03", "--lang", "en")[1]
    _, document, _ = here(capsys, "rules", "FP-B03", "--json")
    assert "FP-B03" == json.loads(document)[0]["code"]
    code, _, _ = here(capsys, "rules", "--pages", str(tmp_path / "pages"))
    assert 0 == code
    assert (tmp_path / "pages" / "FP-B03.zh.md").exists()


def test_rules_load_nothing_heavy() -> None:
    """`forkpoint rules` loads no heavy library."""
    assert "[]" == run("rules", "FP-B03").stderr.splitlines()[-1]
