"""Options that every command has, with their help in the user's language."""

from pathlib import Path
from typing import Any

import typer

from forkpoint.words import say

RUNS = Path("runs")  # where races are kept unless their folder is named


def in_runs(run: Path | None) -> Path | None:
    """A race's folder, or RUN/ARM, as given; a name that is no folder is looked for in runs/."""
    if run is None or run.is_absolute() or run.exists() or not run.parts:
        return run
    return RUNS / run if (RUNS / run.parts[0]).exists() and not Path(run.parts[0]).exists() else run


def json_option(lang: str) -> Any:
    """`--json`: the answer as one JSON document on stdout."""
    return typer.Option(False, "--json", help=say("cli.option_json", lang))


def lang_option(lang: str) -> Any:
    """`--lang en|zh`: the language of what a person reads."""
    return typer.Option(lang, "--lang", help=say("cli.option_lang", lang))


def format_option(lang: str) -> Any:
    """`--format text|json`: the form of the answer."""
    return typer.Option("text", "--format", help=say("cli.option_format", lang))
