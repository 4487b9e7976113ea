"""`forkpoint convert`: data in another format, and what is lost."""

from collections.abc import Callable
from pathlib import Path

import typer

from forkpoint.cli.options import format_option, json_option, lang_option
from forkpoint.words import say


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def convert(
        data: str = typer.Argument(..., help=say("convert.option_data", lang)),
        to: str = typer.Option(..., "--to", help=say("convert.option_to", lang)),
        out: Path = typer.Option(..., "--out", "-o", help=say("convert.option_out", lang)),
        data_format: str = typer.Option(
            None, "--data-format", help=say("data.option_data_format", lang)
        ),
        columns: str = typer.Option(None, "--columns", help=say("data.option_columns", lang)),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        from forkpoint.data import columns_named, format_named
        from forkpoint.data.converting import convert as converted

        done = converted(
            data, to, out,
            format=format_named(data_format) if data_format else None,
            columns=columns_named(columns) if columns else None,
        )  # fmt: skip
        if json or format == "json":
            print(done.to_json(indent=2))
            return
        from forkpoint.report.clean_text import converted_text

        print(converted_text(done, lang), end="")

    return convert
