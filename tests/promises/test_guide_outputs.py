"""What the guides show of a command is what the command says, in both languages."""

import contextlib
import re
import shlex
import sys
from pathlib import Path

import pytest

from forkpoint.cli import main

sys.path.insert(0, str(Path(__file__).parent))
from guide_folders import make_folders

GUIDES = Path(__file__).parents[2] / "docs" / "guide"
SHOWN = re.compile(r"<!-- shown: forkpoint (.+?) -->\n```\n(.*?)\n```\n", re.DOTALL)
LEFT_OUT = "..."  # a line of the guide that stands for lines of the output
BLOCKS = [
    pytest.param(path, command, block, id=f"{path.name}: {command}")
    for path in sorted(GUIDES.glob("*.md"))
    for command, block in SHOWN.findall(path.read_text(encoding="utf-8"))
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the guides' commands are typed."""
    folder = tmp_path_factory.mktemp("guide")
    make_folders(folder)
    return folder


@pytest.mark.parametrize(("guide", "command", "block"), BLOCKS)
def test_a_shown_output_is_the_output(
    guide: Path, command: str, block: str, place: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Every stretch of the block stands in what the command prints, in its order."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("FORKPOINT_HOME", str(place / "home"))
    lang = "zh" if guide.name.endswith(".zh.md") else "en"
    words = shlex.split(command)
    with contextlib.suppress(SystemExit):
        main([*words, "--lang", lang])
    said = "".join(capsys.readouterr())
    at = 0
    for stretch in block.split(f"\n{LEFT_OUT}\n"):
        found = said.find(stretch, at)
        assert found >= 0, f"the command does not say:\n{stretch}\n\nit says:\n{said}"
        at = found + len(stretch)


def test_the_points_are_shown_in_both_languages() -> None:
    """Each guide with shown outputs has the same commands in English and in Chinese."""
    shown: dict[str, list[str]] = {}
    for path in sorted(GUIDES.glob("*.md")):
        commands = [command for command, _ in SHOWN.findall(path.read_text(encoding="utf-8"))]
        shown.setdefault(path.name.split(".")[0], []).append(" | ".join(commands))
    told = {name: pair for name, pair in shown.items() if any(pair)}
    assert len(told) >= 3
    assert [] == [name for name, pair in told.items() if len(set(pair)) != 1]
