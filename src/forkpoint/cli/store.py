"""`forkpoint store`: the finished races that are kept on this machine, and their switch."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from forkpoint.cli.options import format_option, json_option, lang_option
from forkpoint.words import say

ACTIONS = ("list", "export", "add", "forget", "off", "on")


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def option(default: Any, *names: str) -> Any:
        return typer.Option(default, *names, help=say(f"store.option_{names[0][2:]}", lang))

    def store(
        action: str = typer.Argument("list", help=say("store.option_action", lang)),
        what: str = typer.Argument(None, help=say("store.option_what", lang)),
        out: Path = option(None, "--out", "-o"),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        from forkpoint.errors import BadInput
        from forkpoint.store import Shelf

        if action not in ACTIONS:
            raise BadInput("store.bad_action", action=action, known=", ".join(ACTIONS))
        if action == "add":
            _add(what, lang)
            return
        with Shelf() as shelf:
            if action in ("on", "off"):
                shelf.switch(on=action == "on")
                print(say(f"store.is_{action}", lang))
                if action == "off" and shelf.races():
                    print(say("store.stays", lang))
            elif action == "forget":
                if what is None:
                    raise BadInput("store.need_race")
                count = shelf.forget(None if what == "all" else what)
                print(say("store.forgotten", lang, count=count))
            elif action == "export" or json or format == "json":
                _export(shelf, out, lang)
            else:
                from forkpoint.report.store_text import store_text

                print(store_text(shelf.races(), str(shelf.file), lang, is_on=shelf.is_on), end="")

    return store


def _add(what: str | None, lang: str) -> None:
    from forkpoint.errors import BadInput
    from forkpoint.race.keeping import past_race
    from forkpoint.store import Shelf

    if what is None:
        raise BadInput("store.need_run")
    race = past_race(Path(what))
    with Shelf() as shelf:
        kept = shelf.keep(race)
    print(say("store.kept", lang, id=race.race_id[:8]) if kept else say("store.is_off", lang))


def _export(shelf: Any, out: Path | None, lang: str) -> None:
    import orjson

    races = [race.model_dump(mode="json") for race in shelf.races()]
    content = orjson.dumps({"schema": 1, "races": races}, option=orjson.OPT_INDENT_2)
    if out is None:
        print(content.decode())
        return
    from forkpoint.ledger import write_whole

    write_whole(out, content + b"\n")
    print(say("store.exported", lang, count=len(races), file=out), file=sys.stderr)
