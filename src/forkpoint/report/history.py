"""What the ledger tells about each arm: its trials, its fate, and its result so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from forkpoint.ledger import (
    AnswersMade,
    ArmDropped,
    ArmPlan,
    Finalists,
    GeneralMeasured,
    Measured,
    RaceEnded,
    RacingEnded,
    RateChosen,
    Resumed,
    SetupChosen,
    TestOpened,
    Trial,
    TrialFailed,
    TrialScored,
    TrialStarted,
)
from forkpoint.ledger.lines import AnyLine
from forkpoint.record import Figure
from forkpoint.report.view_record import ArmState, Saying, TrialView
from forkpoint.verdict.untrained_result import figure
from forkpoint.verdict.verdict_record import ArmResult


@dataclass
class History:
    """The lines of a ledger, sorted by what they are about."""

    started: dict[Trial, TrialStarted] = field(default_factory=dict)
    scored: dict[Trial, TrialScored] = field(default_factory=dict)
    failed: dict[Trial, TrialFailed] = field(default_factory=dict)
    failures: list[TrialFailed] = field(default_factory=list)
    chosen: dict[str, RateChosen] = field(default_factory=dict)
    dropped: dict[str, ArmDropped] = field(default_factory=dict)
    finalists: Finalists | None = None
    asked: dict[str, SetupChosen] = field(default_factory=dict)  # untrained arm -> its setup
    answers: list[AnswersMade] = field(default_factory=list)
    general: list[GeneralMeasured] = field(default_factory=list)
    openings: int = 0
    racing_end: Saying | None = None
    ended: RaceEnded | None = None
    resumed: int = 0
    updated: str = ""

    @property
    def done(self) -> list[TrialScored | TrialFailed]:
        """Everything that was spent on, failures included."""
        return [*self.scored.values(), *self.failures]

    def trials(self, arm: str) -> list[Trial]:
        """All trials of an arm in the order they began."""
        return [trial for trial in self.started if trial.arm == arm]

    def best(self, arm: str) -> TrialScored | None:
        """The best-scored trial of an arm, at its chosen rate once there is one."""
        chosen = self.chosen.get(arm)
        found = [
            line
            for trial, line in self.scored.items()
            if trial.arm == arm
            and line.primary.value is not None
            and (chosen is None or is_chosen(trial, chosen))
        ]
        sign = 1 if not found or found[0].primary.better == "higher" else -1
        return max(found, key=lambda line: sign * (line.primary.value or 0.0), default=None)


def history_of(lines: Sequence[AnyLine]) -> History:
    """Sort the lines of a ledger."""
    history = History(updated=lines[-1].time if lines else "")
    for line in lines:
        match line:
            case TrialStarted():
                history.started[line.trial] = line
            case TrialScored():
                history.started.setdefault(line.trial, _start_of(line))
                history.scored[line.trial] = line
                history.failed.pop(line.trial, None)
            case TrialFailed():
                history.failed[line.trial] = line
                history.failures.append(line)
            case RateChosen():
                history.chosen[line.arm] = line
            case ArmDropped():
                history.dropped[line.arm] = line
            case Finalists():
                history.finalists = line
            case SetupChosen():
                history.asked[line.arm] = line
            case AnswersMade():
                history.answers.append(line)
            case GeneralMeasured():
                history.general.append(line)
            case Resumed():
                history.resumed += 1
            case RaceEnded():
                history.ended = line
            case RacingEnded():
                history.racing_end = Saying(key=line.key, values=line.values)
            case TestOpened():
                history.openings = line.times
    return history


def _start_of(line: TrialScored) -> TrialStarted:
    return TrialStarted(
        trial=line.trial, attempt=line.attempt, predicted_seconds=0.0, planned_tokens=line.tokens
    )


def is_chosen(trial: Trial, chosen: RateChosen) -> bool:
    """Whether a trial ran at the rate and rendering that its arm goes on with."""
    return trial.rate == chosen.rate and trial.rendering == chosen.rendering


def trial_view(history: History, trial: Trial, running: bool) -> TrialView | None:
    """One trial; None for one that was lost with an interruption."""
    start = history.started[trial]
    scored, failed = history.scored.get(trial), history.failed.get(trial)
    if scored is None and failed is None and not running:
        return None
    ended = scored or failed
    chosen = history.chosen.get(trial.arm)
    return TrialView(
        arm=trial.arm,
        rung=trial.rung,
        rate=trial.rate,
        seed=trial.seed,
        rendering=trial.rendering,
        attempt=ended.attempt if ended else start.attempt,
        state="scored" if scored else "failed" if failed else "running",
        chosen=chosen is not None and is_chosen(trial, chosen),
        planned_tokens=start.planned_tokens,
        tokens=ended.tokens if ended else None,
        predicted_seconds=start.predicted_seconds or None,
        seconds=ended.seconds if ended else None,
        peak_bytes=scored.peak_bytes if scored else None,
        primary=figure(scored.primary) if scored else None,
        bits_per_byte=figure(scored.likelihood) if scored else None,
        stop_rate=figure(scored.stop) if scored else None,
        stop_bits=figure(scored.stop_bits) if scored else None,
        secondary=_figures(scored.secondary) if scored else {},
        final_loss=scored.final_loss if scored else None,
        failure=Saying(key=failed.key, values=failed.values) if failed else None,
        retry=failed.retry if failed else None,
    )


def _figures(measured: dict[str, Measured]) -> dict[str, Figure]:
    return {name: found for name, value in measured.items() if (found := figure(value))}


def state_of(history: History, arm: str, winner: str | None) -> ArmState:
    """Where an arm stands."""
    if arm == winner:
        return "winner"
    if history.finalists and arm in history.finalists.roles.values():
        return "finalist"
    if arm in history.dropped:
        scored = any(trial.arm == arm for trial in history.scored)
        return "dropped" if scored else "failed"
    if history.finalists:
        return "not_chosen"
    return "racing" if history.trials(arm) else "waiting"


def result_of(history: History, plan: ArmPlan, state: ArmState) -> ArmResult:
    """What the ledger alone says of an arm, while there is no verdict that says it."""
    best = history.best(plan.name)
    tests = [line for line in history.answers if line.arm == plan.name and line.split == "test"]
    roles = history.finalists.roles if history.finalists else {}
    done = [line for line in history.done if line.trial.arm == plan.name]
    seeds = {
        trial.seed
        for trial in history.scored
        if best and trial.arm == plan.name and trial.rung == best.trial.rung
    }
    return ArmResult(
        arm=plan.name,
        rung=best.trial.rung if best else 0,
        rate=best.trial.rate if best else None,
        rendering=best.trial.rendering if best else None,
        seeds=len(seeds),
        dropped=state in ("dropped", "failed"),
        roles=tuple(role for role, arm in roles.items() if arm == plan.name),
        validation=figure(best.primary) if best else None,
        test=figure(tests[0].primary) if tests else None,
        untrained=untrained(history, plan.checkpoint, "test")
        or untrained(history, plan.checkpoint, "validation"),
        bits_per_byte=figure(best.likelihood) if best else None,
        stop_bits=figure(best.stop_bits) if best else None,
        stop_rate=figure(best.stop) if best else None,
        p_best=history.finalists.p_best.get(plan.name) if history.finalists else None,
        tokens=sum(line.tokens for line in done),
        seconds=sum(line.seconds for line in done),
        peak_bytes=max(
            (line.peak_bytes or 0 for line in done if isinstance(line, TrialScored)), default=0
        )
        or None,
    )


def untrained(history: History, checkpoint: str, split: str) -> Figure | None:
    """The primary score of a checkpoint before training, on one split."""
    name = f"{checkpoint}.prompt"
    if name not in history.asked:
        name = f"{checkpoint}.untrained"  # as races of older versions wrote it
    line = asked_line(history, name, split)
    return figure(line.primary) if line else None


def asked_line(history: History, arm: str, split: str) -> AnswersMade | None:
    """An untrained arm's answers to a split as it was chosen to be asked."""
    chosen = history.asked.get(arm)
    setup = chosen.setup if chosen else None
    return next(
        (
            line
            for line in history.answers
            if (line.arm, line.split, line.setup) == (arm, split, setup)
        ),
        None,
    )
