"""`forkpoint report RUN`: the verdict of a race with its evidence."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from forkpoint.cli.options import in_runs, json_option, lang_option
from forkpoint.words import say


def command(lang: str) -> Callable[..., Any]:
    """The command with its help in the user's language."""

    def report(
        run: Path = typer.Argument(
            help=say("report.option_run", lang), callback=in_runs, show_default=False
        ),
        form: str = typer.Option("text", "--format", help=say("report.option_format", lang)),
        compare: list[Path] = typer.Option(
            [], "--compare", help=say("report.option_compare", lang), show_default=False
        ),
        as_json: bool = json_option(lang),
        out: str = typer.Option(
            "", "-o", "--output", help=say("report.option_out", lang), show_default=False
        ),
        language: str = lang_option(lang),
    ) -> None:
        from forkpoint.report import json_text, read_view
        from forkpoint.words import LANGUAGES

        spoken = language if language in LANGUAGES else lang
        wanted = "json" if as_json else form
        if wanted not in ("text", "json", "html"):
            from forkpoint.errors import BadInput

            raise BadInput("report.bad_format", found=wanted)
        if compare:
            _compared([run, *compare], wanted, spoken, out)
            return
        view = read_view(run)
        if wanted == "json":
            print(json_text(view.to_json(indent=2)))
        elif wanted == "text":
            print(_text(view, spoken), end="")
        else:
            _html(view, spoken, run, out)

    return report


def _text(view: Any, lang: str) -> str:
    """The text at the terminal's width; plain where stdout is no terminal."""
    import shutil

    from forkpoint.report.text import text

    if not sys.stdout.isatty():
        return text(view, lang)
    import os

    colour = "NO_COLOR" not in os.environ
    return text(view, lang, width=shutil.get_terminal_size().columns, colour=colour)


def _compared(runs: list[Path], form: str, lang: str, out: str) -> None:
    """Several runs beside each other, in the form that was asked for."""
    from forkpoint.report import compare, read_view

    views = [read_view(in_runs(run) or run) for run in runs]
    table = compare.comparison(views)
    if form == "json":
        print(compare.json_document(table))
    elif form == "text":
        print(compare.text(table, views, lang), end="")
    else:
        _write(compare.html(table, views, lang), out, runs[0] / "compare.html")


def _html(view: Any, lang: str, run: Path, out: str) -> None:
    from forkpoint.report.page import html

    _write(html(view, lang), out, run / "report.html")


def _write(page: str, out: str, default: Path) -> None:
    """Write the page and print where it is, or the page itself for `-`."""
    from forkpoint.errors import BadInput
    from forkpoint.ledger.book import write_whole

    if out == "-":
        sys.stdout.buffer.write(page.encode())
        sys.stdout.buffer.flush()
        return
    path = Path(out) if out else default
    try:
        write_whole(path, page.encode())
    except OSError as error:
        raise BadInput("report.not_written", file=path, problem=error.strerror or error) from None
    print(path)
