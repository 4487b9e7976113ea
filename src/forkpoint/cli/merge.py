"""`forkpoint merge RUN/ARM -o DIR`: an arm as a checkpoint of its own, proven before it is kept."""

import sys
from collections.abc import Callable
from pathlib import Path

import typer

from forkpoint.cli.options import format_option, json_option, lang_option
from forkpoint.words import say


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def merge(
        arm: Path = typer.Argument(..., help=say("merge.option_arm", lang)),
        out: Path = typer.Option(..., "-o", "--output", help=say("merge.option_out", lang)),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        from forkpoint.export.finished_arm import finished_arm
        from forkpoint.export.merge_text import merge_text
        from forkpoint.export.merged import merge_arm

        found = finished_arm(arm)
        print(say("merge.begin", lang, arm=found.plan.name, folder=out), file=sys.stderr)
        merged = merge_arm(found, out, lang)
        as_json = json or format == "json"
        print(merged.to_json(indent=2) + "\n" if as_json else merge_text(merged, lang), end="")

    return merge
