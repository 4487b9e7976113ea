"""`forkpoint score` and `forkpoint select` as a user types them."""

import json
from pathlib import Path

import pytest

from forkpoint.data import load


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command."""
    from forkpoint.cli import main

    try:
        main([str(word) for word in words])
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    out = capsys.readouterr()
    return code, out.out, out.err


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Eighty bundled rows and an echo."""
    path = tmp_path / "rows.jsonl"
    lines = Path(load("tickets").files[0]).read_text("utf-8").splitlines()[:80]
    asked = "Where does the blue tram stop on market days?"
    lines.append(json.dumps({"prompt": asked, "completion": asked}))
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_score_then_select(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The cost is said first, scoring resumes, and what is kept is a part of the file."""
    scores, out = tmp_path / "s.jsonl", tmp_path / "best.jsonl"
    code, text, said = run(capsys, "score", data, "-o", scores, "--lang", "en")
    assert 0 == code
    assert "81 rows" in said
    assert "echoes the question 1" in text
    before = scores.read_bytes()
    code, text, said = run(capsys, "score", data, "-o", scores, "--json")
    assert (0, before) == (code, scores.read_bytes())
    assert 0 == json.loads(text)["scorers"][0]["scored"]
    words = ("select", data, "--scores", scores, "--keep", "50%", "-o", out)
    code, text, _ = run(capsys, *words, "--lang", "en")
    assert 0 == code
    assert "Kept 40 of 81 rows" in text
    assert "--subset best=" in text
    kept = out.read_text("utf-8").splitlines()
    assert 40 == len(kept)
    assert set(kept) <= set(data.read_text("utf-8").splitlines())
    assert "blue tram" not in out.read_text("utf-8")
    notes = [json.loads(line) for line in Path(f"{out}.notes.jsonl").read_text().splitlines()]
    assert [81] == [one["line"] for one in notes[1:] if "echoes" in one["faults"]]


def test_select_speaks_chinese(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a score file heuristics are computed on the spot; Chinese is Chinese."""
    code, text, _ = run(capsys, "select", data, "--keep", 20, "-o", tmp_path / "o", "--lang", "zh")
    assert 0 == code
    assert "保留了 20 行" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--keep", "0"), "--keep 0"),
        (("--keep", "150%"), "--keep 150%"),
        (("--keep", "many"), "--keep many"),
        (("--keep", "5", "--by", "luck"), "known are"),
        (("--keep", "5", "--by", "ifd"), "--scores FILE"),
        (("--keep", "5", "--scores", "nowhere.jsonl"), "nowhere.jsonl"),
    ],
)
def test_bad_requests_are_told(
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    """What was found and what to do, exit 2, nothing written."""
    out = tmp_path / "o.jsonl"
    code, _, error = run(capsys, "select", data, "-o", out, *words, "--lang", "en")
    assert 2 == code
    assert said in error
    assert not out.exists()


def test_the_data_are_never_overwritten(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """-o may not name the data file."""
    before = data.read_bytes()
    code, _, error = run(capsys, "select", data, "--keep", 5, "-o", data, "--lang", "en")
    assert 2 == code
    assert "never overwritten" in error
    assert before == data.read_bytes()


def test_a_judge_elsewhere_needs_consent(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is sent off this machine unasked."""
    words = ("score", data, "--judge", "https://judge.example/v1", "--judge-model", "m")
    code, _, error = run(capsys, *words, "--lang", "en")
    assert 2 == code
    assert "send-data-to" in error


def test_a_dry_run_says_the_cost_and_writes_nothing(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where rows would go stands on stderr; no request is made and no file is left."""
    words = ("--judge", "http://127.0.0.1:9/v1", "--judge-model", "m", "--dry-run")
    code, text, said = run(capsys, "score", data, "-o", tmp_path / "s", *words, "--lang", "en")
    assert (0, "") == (code, text)
    assert "sent to 127.0.0.1:9 on this machine" in said
    assert not (tmp_path / "s").exists()


def test_selecting_needs_nothing_heavy(data: Path, tmp_path: Path) -> None:
    """Heuristics and n-grams work in a process that never imports torch or transformers."""
    import subprocess
    import sys

    code = (
        "import sys\nfrom forkpoint.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n    assert not end.code\n"
        "sys.exit(3 if {'torch', 'transformers'} & set(sys.modules) else 0)\n"
    )
    words = ["select", str(data), "--keep", "10", "-o", str(tmp_path / "out.jsonl")]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert 0 == done.returncode, done.stderr
