"""`forkpoint vote RUN`: decide between two answers without knowing whose they are."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from forkpoint.cli.options import format_option, in_runs, json_option, lang_option
from forkpoint.words import say

if TYPE_CHECKING:
    from forkpoint.votes import Poll
    from forkpoint.votes.vote_record import Choice

KEYS: "dict[str, Choice]" = {"a": "first", "b": "second", "t": "tie", "x": "both_bad"}
QUIT = ("q", "\x04", "")  # the key, the end of input in a raw terminal, and elsewhere


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def option(default: Any, *names: str) -> Any:
        key = names[0].lstrip("-").replace("-", "_")
        return typer.Option(default, *names, help=say(f"vote.option_{key}", lang))

    def vote(
        run: Path = typer.Argument(..., help=say("vote.option_run", lang), callback=in_runs),
        name: str = option(None, "--name"),
        arm: list[str] = option([], "--arm"),
        expected: bool = option(False, "--expected"),
        show: bool = option(False, "--show"),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        from forkpoint.report.votes_text import votes_text
        from forkpoint.votes import Poll, strengths

        poll = Poll(run, tuple(arm))
        if not show:
            _ask_all(poll, name or _user(), lang, expected)
        found = strengths(run)
        as_json = json or format == "json"
        print(found.to_json(indent=2) if as_json else votes_text(found, lang), end="")

    return vote


def _ask_all(poll: "Poll", name: str, lang: str, with_expected: bool) -> None:
    from forkpoint.report.votes_text import pair_text
    from forkpoint.votes import cast_vote

    waiting = poll.open_pairs(name)
    total = len(poll.pairs(name))
    print(say("vote.begin", lang, name=name, open=len(waiting), total=total), file=sys.stderr)
    for (one, two), rows in poll.same.items():
        if rows:
            print(say("vote.same", lang, rows=rows, first=one, second=two), file=sys.stderr)
    for pair in waiting:
        place = total - len(waiting) + waiting.index(pair) + 1
        print(pair_text(pair, lang, place, total, with_expected), file=sys.stderr)
        while (key := _key()) not in KEYS:
            if key in QUIT:
                return
            print(say("vote.keys", lang), file=sys.stderr)
        cast_vote(poll.folder, name, pair, KEYS[key])


def _key() -> str:
    """One key of a terminal, without Enter; one line's first letter elsewhere."""
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        return line.strip()[:1].lower() or ("\n" if line else "")
    import termios
    import tty

    file = sys.stdin.fileno()
    before = termios.tcgetattr(file)
    try:
        tty.setcbreak(file)
        return sys.stdin.read(1).lower()
    finally:
        termios.tcsetattr(file, termios.TCSADRAIN, before)


def _user() -> str:
    """The name of this account, where it has one."""
    import getpass

    from forkpoint.errors import BadInput

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise BadInput("vote.no_name") from None
