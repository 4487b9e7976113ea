"""Commands that look at checkpoints: each option stands in both guides, nothing heavy is loaded."""

import inspect
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from typer.models import OptionInfo

ROOT = Path(__file__).parents[2]
GUIDES = {"compare": "compare", "models": "models"}


@pytest.mark.parametrize("command", GUIDES)
@pytest.mark.parametrize("ending", [".md", ".zh.md"])
def test_every_option_is_in_the_guide(command: str, ending: str) -> None:
    """An option that nobody can read about does not exist."""
    text = (ROOT / "docs" / "guide" / f"{GUIDES[command]}{ending}").read_text(encoding="utf-8")
    function = import_module(f"forkpoint.cli.{command}").command("en")
    for parameter in inspect.signature(function).parameters.values():
        if isinstance(parameter.default, OptionInfo):
            for name in parameter.default.param_decls or ():
                assert f"`{name}" in text or f" {name}" in text, name


@pytest.mark.parametrize("ending", [".md", ".zh.md"])
def test_probe_is_in_the_guide(ending: str) -> None:
    """`inspect --probe` stands in the guide to checkpoints."""
    text = (ROOT / "docs" / "guide" / f"inspect-checkpoint{ending}").read_text(encoding="utf-8")
    assert "`--probe`" in text


@pytest.mark.parametrize(
    "words",
    [["models", "--fits", "24GB", "--json"], ["compare", "--files", "pocket-base", "pocket-chat"],
     ["inspect", "pocket-base"]],
    ids=" ".join,
)  # fmt: skip
def test_looking_at_files_loads_nothing_heavy(words: list[str]) -> None:
    """Without a probe neither torch nor transformers is imported."""
    code = (
        "import sys, json\n"
        "from forkpoint.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = ('torch', 'transformers', 'trl', 'peft')\n"
        "print(json.dumps([m for m in heavy if m in sys.modules]), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [] == json.loads(done.stderr.strip().splitlines()[-1])
