"""`forkpoint judge RUN`: a model decides between two answers, asked in both orders."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from forkpoint.cli.options import format_option, in_runs, json_option, lang_option
from forkpoint.words import say

if TYPE_CHECKING:
    from forkpoint.votes import Poll
    from forkpoint.votes.judge import Session, Sitting
    from forkpoint.votes.vote_record import Sending


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def option(default: Any, *names: str) -> Any:
        key = names[0].lstrip("-").replace("-", "_")
        return typer.Option(default, *names, help=say(f"judge.option_{key}", lang))

    def judge(
        run: Path = typer.Argument(..., help=say("vote.option_run", lang), callback=in_runs),
        address: str = option(..., "--address"),
        model: str = option(..., "--model", "-m"),
        send_data_to: str = option(None, "--send-data-to"),
        pairs: int = option(200, "--pairs"),
        arm: list[str] = option([], "--arm"),
        criteria: str = option(None, "--criteria"),
        expected: bool = option(False, "--expected"),
        timeout: float = option(60.0, "--timeout"),
        parallel: int = option(4, "--parallel"),
        show_prompt: bool = option(False, "--show-prompt"),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        from forkpoint.endpoint import Endpoint
        from forkpoint.errors import BadInput
        from forkpoint.votes import Poll
        from forkpoint.votes.judge import CRITERIA, Session

        if timeout <= 0 or parallel < 1 or pairs < 1:
            raise BadInput("judge.bad_number", timeout=timeout, parallel=parallel, pairs=pairs)
        session = Session(
            endpoint=Endpoint(address, model, send_data_to, timeout),
            criteria=criteria or CRITERIA,
            with_expected=expected,
            pairs=pairs,
            parallel=parallel,
        )
        poll = Poll(run, tuple(arm))
        if show_prompt:
            _print_prompt(poll, session, lang)
            return
        sitting = _sit(poll, session, lang)
        _print_result(run, sitting, lang, json or format == "json")

    return judge


def _print_prompt(poll: "Poll", session: "Session", lang: str) -> None:
    """The messages of the first open pair, as they would be sent; nothing is sent."""
    from forkpoint.report.visible import visible
    from forkpoint.votes.judge import question

    waiting = poll.open_pairs(session.endpoint.model)
    if not waiting:
        print(say("judge.nothing_open", lang), file=sys.stderr)
        return
    for message in question(waiting[0], session):
        print(f"[{message['role']}]\n{visible(message['content'])}\n")


def _sit(poll: "Poll", session: "Session", lang: str) -> "Sitting":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from forkpoint.report.votes_text import announcement
    from forkpoint.votes.judge import judge

    def announce(sending: "Sending") -> None:
        print(announcement(sending, lang), file=sys.stderr)

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        sitting = judge(
            poll,
            session,
            announce,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    if sitting.voted + sitting.unreadable + sitting.failed + sitting.left == 0:
        print(say("judge.nothing_open", lang), file=sys.stderr)
    if sitting.unreadable:
        print(say("judge.unreadable", lang, count=sitting.unreadable), file=sys.stderr)
    if sitting.failed:
        print(say("judge.failed", lang, count=sitting.failed), file=sys.stderr)
    return sitting


def _print_result(run: Path, sitting: "Sitting", lang: str, as_json: bool) -> None:
    from forkpoint.errors import BadInput
    from forkpoint.report.votes_text import votes_text
    from forkpoint.votes import strengths

    found = strengths(run)
    if sitting.voted or sitting.gave_up is None:
        print(found.to_json(indent=2) if as_json else votes_text(found, lang), end="")
    if sitting.gave_up is not None:
        raise BadInput(
            "judge.gave_up", problem=sitting.gave_up.message(lang), kept=sitting.voted,
            left=sitting.left + sitting.failed,
        )  # fmt: skip
    if not sitting.voted and sitting.unreadable:
        raise BadInput("judge.no_verdicts", count=sitting.unreadable)
