"""`forkpoint export RUN --to TOOL -o DIR`: an arm's training, ready for another trainer."""

from collections.abc import Callable
from pathlib import Path

import typer

from forkpoint.cli.options import format_option, in_runs, json_option, lang_option
from forkpoint.words import say


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def export(
        run: Path = typer.Argument(..., help=say("export.option_run", lang), callback=in_runs),
        to: str = typer.Option(..., "--to", help=say("export.option_to", lang)),
        out: Path = typer.Option(..., "-o", "--output", help=say("merge.option_out", lang)),
        arm: str = typer.Option(None, "--arm", help=say("export.option_arm", lang)),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        from forkpoint.export.export_text import export_text
        from forkpoint.export.exported import export_arm
        from forkpoint.export.finished_arm import finished_arm

        exported = export_arm(finished_arm(run, arm), to, out, lang)
        as_json = json or format == "json"
        print(exported.to_json(indent=2) + "\n" if as_json else export_text(exported, lang), end="")

    return export
