"""`forkpoint clean`: a mended copy of a data file, with a log of every change."""

from collections.abc import Callable
from pathlib import Path

import typer

from forkpoint.cli.options import format_option, json_option, lang_option
from forkpoint.words import say


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def clean(
        data: str = typer.Argument(..., help=say("clean.option_data", lang)),
        out: Path = typer.Option(..., "--out", "-o", help=say("clean.option_out", lang)),
        drop: list[str] = typer.Option([], "--drop", help=say("clean.option_drop", lang)),
        mask: bool = typer.Option(False, "--mask", help=say("clean.option_mask", lang)),
        data_format: str = typer.Option(
            None, "--data-format", help=say("data.option_data_format", lang)
        ),
        columns: str = typer.Option(None, "--columns", help=say("data.option_columns", lang)),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        from forkpoint.data import columns_named, format_named
        from forkpoint.data.cleaning import clean as cleaned
        from forkpoint.data.cleaning import droppable

        done = cleaned(
            data, out, drop=[droppable(name) for name in drop], mask=mask,
            format=format_named(data_format) if data_format else None,
            columns=columns_named(columns) if columns else None,
        )  # fmt: skip
        if json or format == "json":
            print(done.to_json(indent=2))
            return
        from forkpoint.report.clean_text import clean_text

        print(clean_text(done, lang), end="")

    return clean
