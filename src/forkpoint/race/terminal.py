"""A race as a terminal shows it: what happened as lines, what is under way as a bar."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from forkpoint.ledger import (
    AnswersFailed,
    AnswersMade,
    AnyLine,
    ArmDropped,
    DriftMeasured,
    Finalists,
    GeneralMeasured,
    RacingEnded,
    RateChosen,
    Resumed,
    RetainMeasured,
    SetupChosen,
    TestOpened,
    TrialFailed,
    TrialScored,
)
from forkpoint.plan.clock import minutes
from forkpoint.race.progress import seconds_left, share_done
from forkpoint.race.state import RaceState
from forkpoint.race.work import (
    AnswerWork,
    DriftWork,
    GeneralWork,
    ReplayWork,
    RetainWork,
    SurveyWork,
    TaskWork,
    TrialWork,
    Work,
    answers_key,
)
from forkpoint.words import say

MOST_ROWS = 12  # workers shown with their trials: more would not fit a small terminal
TRAIN_PART = 0.85  # of a trial's time is training, the rest answering, for the bar only


class Terminal:
    """Writes to stderr; a bar only where stderr is a terminal."""

    def __init__(self, lang: str, predicted_seconds: float | None = None) -> None:
        self.lang = lang
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.left_seconds = predicted_seconds  # when it was last said
        self.said = time.monotonic()
        self.share = 0.0  # of the race's planned time that is behind
        self.under_way: dict[str, tuple[str, float]] = {}
        self.workers: dict[str, str] = {}  # piece of work -> where it runs, on a cluster
        self.rows: dict[str, TaskID] = {}  # of the pieces on workers
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[left]}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self.bar = self.progress.add_task("", total=1.0, left="")

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.progress.stop()

    def line(self, line: AnyLine, state: RaceState) -> None:
        """Say what was written into the ledger, if a person would want to know."""
        for name in [name for name in self.under_way if name in _ended(line)]:
            del self.under_way[name]
            self.workers.pop(name, None)
        self.share, self.left_seconds = share_done(state), seconds_left(state)
        self.said = time.monotonic()
        if text := self._sentence(line):
            self.progress.console.print(text, markup=False)
        self._move()

    def started(self, work: Work) -> None:
        """Show a piece of work on the bar."""
        self.under_way[_name(work)] = (self._title(work), 0.0)
        self._move()

    def progressed(self, work: Work, values: dict[str, Any]) -> None:
        """Move the piece of work on the bar."""
        title = self._title(work)
        if worker := values.get("worker"):
            title += f" · {worker}"
            self.workers[_name(work)] = worker
        before = self.under_way.get(_name(work), ("", 0.0))[1]
        part = TRAIN_PART * values["step"] / values["steps"] if values.get("steps") else before
        self.under_way[_name(work)] = (title, part)
        self._move()

    def _title(self, work: Work) -> str:
        match work:
            case TrialWork():
                rate = f"{work.trial.rate:.1e}"
                return say(
                    "race.bar_trial", self.lang, arm=work.trial.arm, rung=work.trial.rung, rate=rate
                )
            case AnswerWork():
                return say("race.bar_answers", self.lang, subject=work.subject)
            case GeneralWork():
                return say("race.bar_general", self.lang, subject=work.subject)
            case DriftWork():
                return say("race.bar_drift", self.lang, subject=work.subject)
            case RetainWork():
                return say("race.bar_retain", self.lang, subject=work.subject)
            case TaskWork():
                return say("race.bar_tasks", self.lang)
            case SurveyWork():
                return say("race.bar_survey", self.lang, checkpoint=work.checkpoint)
            case ReplayWork():
                return say("race.bar_replay", self.lang, checkpoint=work.checkpoint)

    def _sentence(self, line: AnyLine) -> str | None:
        match line:
            case RateChosen():
                return say(
                    "race.line_rate",
                    self.lang,
                    arm=line.arm,
                    rate=f"{line.rate:.1e}",
                    count=len(line.tried),
                    rendering=line.rendering,
                )
            case SetupChosen() if len(line.tried) > 1:
                count = len(line.tried)
                return say(
                    "race.line_setup", self.lang, arm=line.arm, setup=line.setup, count=count
                )
            case AnswersFailed():
                reason = say(line.key, self.lang, **line.values).rstrip(".。")
                values = {"arm": line.arm, "setup": line.setup, "reason": reason}
                return say("race.line_unanswered", self.lang, **values)
            case TrialScored() if line.trial.rung > 1 and line.primary.value is not None:
                low, high = line.primary.low, line.primary.high
                band = f"{low:.3f} - {high:.3f}" if low is not None and high is not None else "?"
                return say(
                    "race.line_scored",
                    self.lang,
                    arm=line.trial.arm,
                    rung=line.trial.rung,
                    value=f"{line.primary.value:.3f}",
                    band=band,
                    n=line.primary.n,
                    unit=line.primary.unit,
                )
            case TrialFailed():
                reason = say(line.key, self.lang, **line.values)
                again = say(f"race.retry_{line.retry or 'none'}", self.lang)
                return say(
                    "race.line_failed",
                    self.lang,
                    arm=line.trial.arm,
                    rung=line.trial.rung,
                    rate=f"{line.trial.rate:.1e}",
                    reason=reason,
                    again=again,
                )
            case ArmDropped() | RacingEnded():
                reason = say(line.key, self.lang, **line.values).rstrip(".。")
                if isinstance(line, RacingEnded):
                    return say("race.line_racing_ended", self.lang, reason=reason)
                return say("race.line_dropped", self.lang, arm=line.arm, reason=reason)
            case Finalists():
                return say("race.line_finalists", self.lang, arms=", ".join(line.trials))
            case TestOpened():
                key = "race.line_test_again" if line.times > 1 else "race.line_test"
                return say(key, self.lang, times=line.times)
            case Resumed():
                return say("race.line_resumed", self.lang, lost=len(line.lost_trials))
            case _:
                return None

    def _move(self) -> None:
        titles = [title for title, _ in self.under_way.values()]
        shown = titles[0] if titles else ""
        if self.workers:
            shown = self._move_rows()
        elif len(titles) > 1:
            shown += f" (+{len(titles) - 1})"
        left = ""
        if self.left_seconds:
            ahead = max(1.0, self.left_seconds - (time.monotonic() - self.said))
            left = say("race.bar_left", self.lang, time=minutes(ahead, self.lang))
        self.progress.update(self.bar, description=shown, completed=self.share, left=left)

    def _move_rows(self) -> str:
        """A row for each piece of work that runs on a worker; what stands above them."""
        on_workers = [name for name in self.under_way if name in self.workers]
        for name in [name for name in self.rows if name not in on_workers[:MOST_ROWS]]:
            self.progress.remove_task(self.rows.pop(name))
        for name in on_workers[:MOST_ROWS]:
            if name not in self.rows:
                self.rows[name] = self.progress.add_task("", total=1.0, left="")
            title, part = self.under_way[name]
            self.progress.update(self.rows[name], description=f"  {title}", completed=part)
        count = len({self.workers[name] for name in on_workers})
        return say("race.bar_workers", self.lang, pieces=len(on_workers), workers=count)


def _ended(line: AnyLine) -> set[str]:
    """Names of the work that a line of the ledger ends."""
    match line:
        case TrialScored() | TrialFailed():
            return {_trial_name(line.trial.arm, line.trial.rung, line.trial.rate)}
        case AnswersMade():
            return {answers_key(line.arm, line.split, line.trial, line.setup)}
        case AnswersFailed():
            return {answers_key(line.arm, "validation", None, line.setup)}
        case GeneralMeasured():
            return {f"general {line.subject} {line.moment}"}
        case DriftMeasured():
            return {f"drift {line.subject} {line.moment}"}
        case RetainMeasured():
            return {f"retain {line.subject} {line.moment}"}
        case _:
            return set()


def _name(work: Work) -> str:
    if isinstance(work, TrialWork):
        return _trial_name(work.trial.arm, work.trial.rung, work.trial.rate)
    return work.key


def _trial_name(arm: str, rung: int, rate: float) -> str:
    return f"{arm} {rung} {rate}"
