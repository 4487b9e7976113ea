"""What the foundations promise: constraints, light commands, no pickles, no network."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "transformers", "trl", "peft")

LIGHT = (
    ["--help"],
    ["race", "--help"],
    ["rules"],
    ["inspect", "src/forkpoint/data/bundled/tickets.jsonl", "--json"],
    ["inspect", "pocket-instruct", "--json"],
    ["advise", "src/forkpoint/data/bundled/tickets.jsonl", "--model", "pocket-base", "--json"],
)


def test_constraints_are_plain() -> None:
    """Every line is name==version: no local versions, no paths, no addresses."""
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line), line


def test_every_dependency_is_constrained() -> None:
    """What pyproject.toml asks for has its tried version."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(d for name in extras for d in extras[name])]
    pinned = {line.split("==")[0].lower().replace("_", "-")
              for line in (ROOT / "constraints.txt").read_text().splitlines()}  # fmt: skip
    names = {re.match(r"[A-Za-z0-9._-]+", text)[0].lower().replace("_", "-") for text in wanted}  # type: ignore[index]
    assert set() == names - pinned - {"forkpoint", "ray"}


@pytest.mark.parametrize("words", LIGHT, ids=" ".join)
def test_light_commands_import_nothing_heavy(words: list[str]) -> None:
    """Help, inspect, advise and rules never import torch or transformers."""
    code = (
        "import sys, json\n"
        "from forkpoint.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [] == json.loads(done.stderr.strip().splitlines()[-1])


def test_python_m_forkpoint_works() -> None:
    """`python -m forkpoint` is the command line."""
    done = subprocess.run(
        [sys.executable, "-m", "forkpoint", "--version"], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", done.stdout)


def test_no_source_unpickles_or_runs_text() -> None:
    """safetensors only: nothing loads pickles, trusts remote code, or evaluates strings."""
    bad = re.compile(r"pickle\.load|torch\.load\(|trust_remote_code=True|(?<![.\w])(?:eval|exec)\(")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in (ROOT / "src").rglob("*.py")
        for match in bad.finditer(path.read_text(encoding="utf-8"))
    ]
    assert [] == found


def test_no_file_is_a_catch_all() -> None:
    """Files are named for what is in them."""
    names = {"utils", "util", "common", "helpers", "misc", "base", "manager"}
    assert [] == [str(p) for p in (ROOT / "src").rglob("*.py") if p.stem in names]


def test_no_machine_paths_in_the_project() -> None:
    """The project speaks only of itself: no absolute paths of the machine it was made on."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    bad = re.compile(r"/work/|/root/|/tmp/pocket")
    found = []
    for name in listed.stdout.split():
        path = ROOT / name
        if (
            path.suffix in {".py", ".md", ".toml", ".sh", ".yml", ".json"}
            or path.name == "Makefile"
        ):
            found += [
                name for line in path.read_text(errors="replace").splitlines() if bad.search(line)
            ]
    assert [] == [name for name in found if name != "tests/promises/test_foundations.py"]
