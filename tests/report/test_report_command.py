"""`forkpoint report RUN`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from forkpoint.cli import main
from forkpoint.report import View


def run(*words: str) -> int:
    """The exit code of one command."""
    try:
        main(["report", *words])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_text_is_the_default(finished_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a format the report is text on stdout, plain where stdout is no terminal."""
    assert 0 == run(str(finished_run), "--lang", "en")
    out = capsys.readouterr().out
    assert "pocket-instruct, full fine-tuning, leads" in out
    assert "\x1b" not in out


def test_a_run_is_found_by_its_name(
    finished_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As the report and the hint to resume call it: a race in runs/ by its name alone, others
    by their folder; a name that is nowhere is said as it was given."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "mine").symlink_to(finished_run)
    monkeypatch.chdir(tmp_path)
    assert 0 == run("mine", "--compare", "mine", "--lang", "en")
    assert 0 == run("mine", "--json")
    assert 2 == run("yours", "--lang", "en")
    assert "yours" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--json",), ("--format", "json")])
def test_json_is_the_view(
    finished_run: Path, finished: View, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """--json and --format json print the same view as one document."""
    assert 0 == run(str(finished_run), *words)
    assert finished == View.model_validate(json.loads(capsys.readouterr().out))


def test_html_goes_where_it_is_asked(
    finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """-o FILE writes the page there and prints the path; - prints the page."""
    target = tmp_path / "page.html"
    assert 0 == run(str(finished_run), "--format", "html", "-o", str(target), "--lang", "zh")
    assert f"{target}\n" == capsys.readouterr().out
    assert '<html lang="zh-Hans">' in target.read_text(encoding="utf-8")
    assert 2 == run(str(finished_run), "--format", "html", "-o", str(target / "below-a-file.html"))


def test_bad_input_is_a_sentence(
    finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder without a race and an unknown format end with exit code 2 and what to do."""
    assert 2 == run(str(tmp_path), "--lang", "en")
    assert "race.json is missing" in capsys.readouterr().err
    assert 2 == run(str(finished_run), "--format", "pdf", "--lang", "zh")
    assert "没有 pdf 这种格式" in capsys.readouterr().err


def test_it_never_imports_what_trains(finished_run: Path) -> None:
    """The text report needs neither torch nor transformers, nor the charts' library."""
    code = (
        "import sys; from forkpoint.cli import main; main(['report', sys.argv[1]]); "
        "heavy = {'torch', 'transformers', 'trl', 'peft', 'matplotlib'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(finished_run)], capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)
