"""`forkpoint serve`: a local page in which the whole job can be done, and races watched."""

from collections.abc import Callable
from pathlib import Path

import typer

from forkpoint.cli.options import lang_option
from forkpoint.words import say

PORT = 8630  # of the loopback interface; free of well-known services


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def serve(
        runs: Path = typer.Argument(Path("runs"), help=say("web.option_runs", lang)),
        port: int = typer.Option(
            PORT, "--port", min=0, max=65_535, help=say("web.option_port", lang)
        ),
        open_page: bool = typer.Option(False, "--open", help=say("web.option_open", lang)),
        lang: str = lang_option(lang),
    ) -> None:
        import sys

        from forkpoint.errors import BadInput

        try:
            from forkpoint.web.serving import serve as run
        except ModuleNotFoundError as error:
            raise BadInput("web.not_installed", module=error.name) from None

        def announce(address: str) -> None:
            print(address, flush=True)
            print(say("web.serving", lang, folder=runs), file=sys.stderr)
            if open_page:
                import webbrowser

                webbrowser.open(address)

        run(runs, port, lang, announce)

    return serve
