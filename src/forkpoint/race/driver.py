"""Run a race to its verdict: ask the state what is next, have it done, write it down."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Protocol

from pydantic import TypeAdapter

from forkpoint.errors import BadInput, Interrupted
from forkpoint.ledger import (
    Agreement,
    AnswersFailed,
    AnswersMade,
    AnyLine,
    ArmDropped,
    Book,
    DriftMeasured,
    GeneralMeasured,
    Line,
    RaceEnded,
    RacingEnded,
    RateChosen,
    Resumed,
    RetainMeasured,
    SetupChosen,
    TestOpened,
    TrialFailed,
    TrialScored,
    TrialStarted,
)
from forkpoint.plan.forecast import trial_seconds
from forkpoint.race.executor import PAUSE, Executor, Outcome
from forkpoint.race.openings import count_opening
from forkpoint.race.state import RaceState
from forkpoint.race.verdict_writer import VERDICT, write_verdict
from forkpoint.race.weights import sweep_weights
from forkpoint.race.work import AnswerWork, Step, TrialWork, Work
from forkpoint.verdict.verdict_record import Verdict

AGREEMENT = "race.json"
MAX_SHRINKS = 2  # how often a trial that ran out of memory is tried again, smaller
_MEASURED: TypeAdapter[Any] = TypeAdapter(
    TrialScored | AnswersMade | GeneralMeasured | DriftMeasured | RetainMeasured
)


class Audience(Protocol):
    """Who watches a race: a terminal, a test, a page."""

    def line(self, line: AnyLine, state: RaceState) -> None:
        """Something was written into the ledger."""
        ...

    def started(self, work: Work) -> None:
        """A piece of work begins."""
        ...

    def progressed(self, work: Work, values: dict[str, Any]) -> None:
        """A piece of work says how far it is."""
        ...


def read_agreement(folder: Path) -> Agreement:
    """race.json of a run folder; raises BadInput when there is none."""
    try:
        return Agreement.from_json((folder / AGREEMENT).read_bytes())
    except FileNotFoundError:
        raise BadInput("race.no_run", folder=folder) from None


def run_race(
    folder: Path, executor: Executor, audience: Audience, limit_seconds: float | None = None
) -> Verdict:
    """Run or resume the race in `folder` until its verdict is written.

    `limit_seconds` ends the racing station by the clock; it never changes the order of trials.
    Raises Interrupted once a file `pause` lies in the folder and what was under way is done.
    """
    with Book(folder) as book:
        race = _Race(folder, book, executor, audience)
        race.take_up()
        (folder / PAUSE).unlink(missing_ok=True)
        while not (step := race.state.next()).finished:
            if (folder / PAUSE).exists():
                raise Interrupted("race.paused", folder=folder)
            race.advance(step, limit_seconds)
        return race.end()


class _Race:
    """One race being run: its state in memory and its ledger on disk, always in step."""

    def __init__(self, folder: Path, book: Book, executor: Executor, audience: Audience) -> None:
        self.folder = folder
        self.book = book
        self.executor = executor
        self.audience = audience
        self.state = RaceState(read_agreement(folder))
        self.observer = _StartsWrittenDown(self)

    def take_up(self) -> None:
        """Bring the state to where the ledger is; say what was lost with an interruption."""
        lines = list(self.book.lines)
        self.state.read_all(lines)
        if lines and self.state.ended is None:
            self.write(Resumed(lost_trials=tuple(_lost(lines))))

    def write(self, line: Line) -> None:
        """Append to the ledger, then move on."""
        written = self.book.append(line)
        self.state.read(written)
        self.audience.line(written, self.state)

    def advance(self, step: Step, limit_seconds: float | None) -> None:
        """Do what the state wants next."""
        if self._out_of_time(limit_seconds):
            self.write(RacingEnded(key="race.ended_clock", values={}))
        elif step.decision is not None:
            self.write(step.decision)
        elif step.open_test:
            agreement = self.state.agreement
            times = count_opening(agreement.test_sha256, self.folder)
            self.write(TestOpened(test_sha256=agreement.test_sha256, times=times))
        else:
            self.run(step.work, limit_seconds)

    def run(self, works: Sequence[Work], limit_seconds: float | None) -> None:
        """Have work done, and whatever else the state wants while some of it is under way."""
        handed_out = {work.key for work in works}

        def more() -> Sequence[Work]:
            wanted = self._wanted_beside(handed_out, limit_seconds)
            handed_out.update(work.key for work in wanted)
            return wanted

        for outcome in self.executor.run(works, self.observer, more):
            handed_out.discard(outcome.work.key)
            self.write(_line_of(outcome))
            sweep_weights(self.folder, self.state)

    def _wanted_beside(
        self, handed_out: Collection[str], limit_seconds: float | None
    ) -> Sequence[Work]:
        """Work that may begin beside what is under way; decisions on the way are written down.

        What ends a station waits until nothing is under way.
        """
        while handed_out and not self._out_of_time(limit_seconds):
            step = self.state.next()
            if not isinstance(step.decision, RateChosen | ArmDropped | SetupChosen):
                return [work for work in step.work if work.key not in handed_out]
            self.write(step.decision)
        return ()

    def _out_of_time(self, limit_seconds: float | None) -> bool:
        state = self.state
        racing = state.racing_ended is None and len(state.chosen) > 0
        return racing and limit_seconds is not None and state.busy.seconds > limit_seconds

    def end(self) -> Verdict:
        """Write the verdict, then the last line; a race that had ended keeps the one it has."""
        path = self.folder / VERDICT
        if self.state.ended is not None and path.exists():
            return Verdict.from_json(path.read_bytes())
        verdict, digest = write_verdict(self.folder, self.state)
        if self.state.ended is None:
            ended = self.state.racing_ended
            self.write(
                RaceEnded(
                    reason=ended.key if ended else "race.ended_nothing_left",
                    tokens=self.state.spent_tokens,
                    seconds=self.state.busy.seconds,
                    verdict_sha256=digest,
                )
            )
            sweep_weights(self.folder, self.state)
        return verdict


class _StartsWrittenDown:
    """Writes a ledger line when a trial starts, and passes everything on."""

    def __init__(self, race: _Race) -> None:
        self.race = race

    def started(self, work: Work) -> None:
        if isinstance(work, TrialWork):
            arm = self.race.state.arms[work.trial.arm]
            share = self.race.state.agreement.rungs[work.trial.rung - 1].share
            tokens = round(arm.full_tokens * share)
            self.race.write(
                TrialStarted(
                    trial=work.trial,
                    attempt=work.attempt,
                    predicted_seconds=predicted_seconds(self.race.state.agreement, work),
                    planned_tokens=tokens,
                )
            )
        self.race.audience.started(work)

    def progressed(self, work: Work, values: dict[str, Any]) -> None:
        self.race.audience.progressed(work, values)


def predicted_seconds(agreement: Agreement, work: TrialWork) -> float:
    """Seconds a trial should take, by the speed probe."""
    arm = next(arm for arm in agreement.arms if arm.name == work.trial.arm)
    tokens = arm.full_tokens * agreement.rungs[work.trial.rung - 1].share
    rows = len(agreement.rung_validation_ids)
    if speed := agreement.speeds.get(arm.checkpoint):
        correction = agreement.corrections.get(arm.approach)
        return trial_seconds(speed, arm.approach, tokens, rows, correction)
    answers = rows / arm.answers_per_second
    return arm.load_seconds + tokens / arm.train_tokens_per_second + answers


def _lost(lines: list[AnyLine]) -> list[str]:
    """Trials that had started but neither scored nor failed."""
    open_trials: dict[str, None] = {}
    for line in lines:
        if isinstance(line, TrialStarted):
            open_trials[line.trial.folder] = None
        elif isinstance(line, TrialScored | TrialFailed):
            open_trials.pop(line.trial.folder, None)
    return list(open_trials)


def _line_of(outcome: Outcome) -> Line:
    """The ledger line for an outcome; a failure says whether it is tried again."""
    failed = outcome.values.get("failed")
    if failed is None:
        before = outcome.values.get("seconds", 0.0)  # that an earlier worker trained
        values = {**outcome.values, "seconds": outcome.seconds + before}
        measured: Line = _MEASURED.validate_python(values)
        return measured
    work = outcome.work
    if isinstance(work, AnswerWork) and work.setup and work.split == "validation":
        return AnswersFailed(
            arm=work.subject,
            setup=work.setup,
            seconds=outcome.seconds,
            key=failed["key"],
            values=failed["values"],
        )
    if not isinstance(work, TrialWork):
        raise BadInput(failed["key"], **failed["values"])
    retry = failed.get("retry")
    if retry == "smaller" and work.shrink >= MAX_SHRINKS:
        retry = None
    return TrialFailed(
        trial=work.trial,
        attempt=work.attempt,
        tokens=int(outcome.values.get("tokens", 0)),
        seconds=outcome.seconds,
        key=failed["key"],
        values=failed["values"],
        retry=retry,
    )
