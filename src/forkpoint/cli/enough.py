"""`forkpoint enough RUN`: would more rows help?"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from forkpoint.cli.options import format_option, in_runs, json_option, lang_option
from forkpoint.words import say

if TYPE_CHECKING:
    from forkpoint.ledger import TrialFailed, TrialScored
    from forkpoint.race.nested import NestedPlan


def command(lang: str) -> Callable[..., None]:
    """The command with its help in a language."""

    def option(default: Any, *names: str) -> Any:
        key = names[0].lstrip("-").replace("-", "_")
        return typer.Option(default, *names, help=say(f"enough.option_{key}", lang))

    def enough(
        run: Path = typer.Argument(..., help=say("enough.option_run", lang), callback=in_runs),
        arm: str = option(None, "--arm"),
        target: float = option(None, "--target"),
        seeds: int = option(3, "--seeds"),
        dry_run: bool = option(False, "--dry-run"),
        yes: bool = option(False, "--yes", "-y"),
        json: bool = json_option(lang),
        format: str = format_option(lang),
        lang: str = lang_option(lang),
    ) -> None:
        from forkpoint.errors import BadInput
        from forkpoint.race.nested import answer_enough, plan_nested
        from forkpoint.report.enough_text import enough_text

        if seeds < 1:
            raise BadInput("enough.bad_seeds", seeds=seeds)
        plan = plan_nested(run, arm, seeds)
        if plan.open_trials:
            print(_cost(plan, seeds, lang), file=sys.stderr)
            if dry_run:
                return
            if not yes:
                if not (sys.stdin.isatty() and sys.stderr.isatty()):
                    raise BadInput("enough.no_terminal")
                if not typer.confirm(say("enough.ask_start", lang), err=True):
                    print(say("enough.not_started", lang), file=sys.stderr)
                    return
            _train(plan, lang)
        found = answer_enough(run, arm, seeds, target)
        if json or format == "json":
            print(found.to_json(indent=1))
            return
        print(enough_text(found, lang), end="")

    return enough


def _cost(plan: "NestedPlan", seeds: int, lang: str) -> str:
    from forkpoint.plan.clock import minutes

    return say(
        "enough.cost",
        lang,
        arm=plan.arm.name,
        open=len(plan.open_trials),
        there=len(plan.there),
        sizes=" / ".join(f"{rung.unique_rows:,}" for rung in plan.agreement.rungs),
        passes=f"{plan.agreement.settings.passes:g}",
        seeds=seeds,
        tokens=f"{plan.tokens:,}",
        time=minutes(plan.seconds, lang),
    )


def _train(plan: "NestedPlan", lang: str) -> None:
    from forkpoint.errors import Interrupted
    from forkpoint.race.checkpoints import check_checkpoints
    from forkpoint.race.executor import LocalExecutor
    from forkpoint.race.ground import threads_each
    from forkpoint.race.nested import run_nested

    check_checkpoints(plan.agreement)
    settings = plan.agreement.settings
    executor = LocalExecutor(plan.folder, settings.workers, threads_each(settings))
    try:
        run_nested(plan, executor, _Watch(lang))
    except KeyboardInterrupt:
        raise Interrupted("enough.interrupted") from None
    finally:
        executor.close()


class _Watch:
    """A line on stderr for every training."""

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def finished(self, line: "TrialScored | TrialFailed", rows: int) -> None:
        """Say what it came to."""
        values: dict[str, Any] = {"rows": rows, "seed": line.trial.seed}
        if line.kind == "trial_failed":
            reason = say(line.key, self.lang, **line.values)
            text = say("enough.line_failed", self.lang, reason=reason, **values)
        else:
            value = "-" if line.primary.value is None else f"{line.primary.value:.3f}"
            text = say(
                "enough.line_scored", self.lang, unit=line.primary.unit, value=value, **values
            )
        print(text, file=sys.stderr)
