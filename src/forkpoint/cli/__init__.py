"""The command line: one file a command; parse, call one public function, print."""

import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from forkpoint.errors import ForkpointError
from forkpoint.words import LANGUAGES, say, system_language

if TYPE_CHECKING:
    import typer

COMMANDS = (
    "inspect", "compare", "models", "advise", "estimate", "race", "report", "rules", "store",
    "serve", "bad-cases", "vote", "judge", "score", "select", "enough", "clean", "convert",
    "merge", "export",
)  # fmt: skip


def language_of(argv: list[str]) -> str:
    """The language asked for with --lang, else the locale's; read before the help is built."""
    for place, word in enumerate(argv):
        value = word.removeprefix("--lang=") if word.startswith("--lang=") else None
        if word == "--lang" and place + 1 < len(argv):
            value = argv[place + 1]
        if value in LANGUAGES:
            return value
    return system_language()


def main(argv: list[str] | None = None) -> None:
    """Run one command and leave with the exit code of the house: 0, 1, 2, 3, 4 or 130."""
    argv = sys.argv[1:] if argv is None else argv
    lang = language_of(argv)
    try:
        _run(argv, lang)
    except ForkpointError as error:
        print(error.message(lang), file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        print(say("cli.interrupted", lang), file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
    except Exception as error:  # noqa: BLE001 - the last place: a bug becomes a sentence and a file
        print(say("cli.bug", lang, error=_one_line(error), file=_keep()), file=sys.stderr)
        raise SystemExit(1) from None


def _run(argv: list[str], lang: str) -> None:
    build(lang)(args=argv, prog_name="forkpoint")


def build(lang: str) -> "typer.Typer":
    """Every command with its options, described in one language."""
    import typer

    app = typer.Typer(
        name="forkpoint",
        help=say("cli.help", lang),
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback(invoke_without_command=True)
    def _root(
        version: bool = typer.Option(False, "--version", help=say("cli.version", lang)),
    ) -> None:
        if version:
            from forkpoint import __version__

            print(__version__)
            raise typer.Exit

    for name in COMMANDS:
        module = import_module(f"forkpoint.cli.{name.replace('-', '_')}")
        app.command(name, help=say(f"cli.{name}", lang))(module.command(lang))
    return app


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:300]


def _keep() -> Path:
    """Write the traceback of a bug to a file that can be sent with a report."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="forkpoint-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        traceback.print_exc(file=file)
    return Path(file.name)
