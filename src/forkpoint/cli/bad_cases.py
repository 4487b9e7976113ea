"""`forkpoint bad-cases RUN`: the answers that went wrong, by what went wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from forkpoint.cli.options import format_option, in_runs, json_option, lang_option
from forkpoint.words import say

if TYPE_CHECKING:
    from forkpoint.run.bad_cases import BadCases


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def bad_cases(
        run: Path = typer.Argument(..., help=say("bad_cases.option_run", lang), callback=in_runs),
        out: Path = typer.Option(None, "-o", "--output", help=say("bad_cases.option_out", lang)),
        arm: list[str] = typer.Option([], "--arm", help=say("bad_cases.option_arm", lang)),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        from forkpoint.report.bad_cases_text import bad_cases_text
        from forkpoint.run.bad_cases import bad_cases as find
        from forkpoint.run.folder import read_folder

        found = find(read_folder(run), arm)
        as_json = json or format == "json"
        print(found.to_json(indent=2) + "\n" if as_json else bad_cases_text(found, lang), end="")
        if out is not None:
            _write(out, found, lang)

    return bad_cases


def _write(out: Path, found: "BadCases", lang: str) -> None:
    import sys

    import orjson

    from forkpoint.errors import BadInput
    from forkpoint.ledger import write_whole
    from forkpoint.run.bad_cases import data_file

    lines = [orjson.dumps(line) + b"\n" for line in data_file(found)]
    try:
        write_whole(out, b"".join(lines))
    except OSError as error:
        raise BadInput("bad_cases.not_written", file=out, problem=error.strerror or error) from None
    print(say("bad_cases.written", lang, count=len(lines), file=out), file=sys.stderr)
    if found.split == "test":
        print(say("bad_cases.test_is_spent", lang), file=sys.stderr)
