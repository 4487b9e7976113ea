"""Where a race is: a pure function of the agreement and the ledger's lines.

Stations in order: untrained answers, rate brackets, racing, finalists' full length and seeds,
test answers, general ability, verdict. `next()` says what has to happen now; reading the line
that records it moves the race on, so that a resumed race goes where an undisturbed one goes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from forkpoint.ledger import (
    Agreement,
    AnswersFailed,
    AnswersMade,
    AnyLine,
    ArmDropped,
    DriftMeasured,
    Finalists,
    GeneralMeasured,
    RaceEnded,
    RacingEnded,
    RateChosen,
    RetainMeasured,
    SetupChosen,
    TestOpened,
    Trial,
    TrialFailed,
    TrialScored,
)
from forkpoint.plan.clock import BusyTime
from forkpoint.race.asking import next_asking, works_on_test
from forkpoint.race.bracket import Bracket
from forkpoint.race.finalists import choose_finalists
from forkpoint.race.finishing import Finishing
from forkpoint.race.kept_works import kept_works
from forkpoint.race.racing import Racing
from forkpoint.race.work import AnswerWork, Step, TrialWork, Work, answers_key


@dataclass
class Attempts:
    """How often each trial was started over, and how small it has become."""

    count: dict[Trial, int] = field(default_factory=dict)
    shrink: dict[Trial, int] = field(default_factory=dict)


class RaceState:
    """The race so far; `read` every ledger line in order, then ask `next`."""

    def __init__(self, agreement: Agreement) -> None:
        self.agreement = agreement
        self.arms = {arm.name: arm for arm in agreement.arms}
        self.brackets = {arm.name: Bracket(arm, agreement.settings) for arm in agreement.arms}
        self.chosen: dict[str, RateChosen] = {}
        self.scored: dict[Trial, TrialScored] = {}
        self.failed: dict[Trial, TrialFailed] = {}
        self.dropped: dict[str, ArmDropped] = {}
        self.answers: dict[str, AnswersMade] = {}
        self.unanswered: dict[str, AnswersFailed] = {}
        self.asked: dict[str, SetupChosen] = {}  # untrained arm -> how it is asked
        self.general: dict[str, GeneralMeasured] = {}
        self.drifts: dict[str, DriftMeasured] = {}
        self.retained: dict[str, RetainMeasured] = {}
        self.racing_ended: RacingEnded | None = None
        self.finalists: Finalists | None = None
        self.test_opened: TestOpened | None = None
        self.ended: RaceEnded | None = None
        self.attempts = Attempts()
        self.spent_tokens = 0
        self.racing_tokens = 0  # spent when the racing ended
        self.raced: set[Trial] = set()  # trials that had run when the racing ended
        self.busy = BusyTime()
        self.rates: dict[str, list[RateChosen]] = {}  # a second one was lowered after it diverged
        self.racing = Racing(self)
        self.finishing = Finishing(self)

    # reading

    def read_all(self, lines: Iterable[AnyLine]) -> None:
        """Take in the lines of a ledger, in order."""
        for line in lines:
            self.read(line)

    def read(self, line: AnyLine) -> None:
        """Take in one line."""
        match line:
            case TrialScored():
                self.scored[line.trial] = line
                self._spend(line)
                self._read_bracket(line)
            case TrialFailed():
                self._read_failure(line)
            case RateChosen():
                self.rates.setdefault(line.arm, []).append(line)
                self.chosen[line.arm] = line
            case ArmDropped():
                self.dropped[line.arm] = line
            case RacingEnded():
                self.racing_ended = line
                self.racing_tokens = self.spent_tokens
                self.raced = {*self.scored, *self.failed}
            case Finalists():
                self.finalists = line
            case TestOpened():
                self.test_opened = line
            case AnswersMade():
                key = answers_key(line.arm, line.split, line.trial, line.setup)
                self.answers[key] = line
                self.busy.add(line.time, line.seconds)
            case AnswersFailed():
                self.unanswered[answers_key(line.arm, "validation", None, line.setup)] = line
                self.busy.add(line.time, line.seconds)
            case SetupChosen():
                self.asked[line.arm] = line
            case GeneralMeasured():
                self.general[f"general {line.subject} {line.moment}"] = line
                self.busy.add(line.time, line.seconds)
            case DriftMeasured():
                self.drifts[f"drift {line.subject} {line.moment}"] = line
                self.busy.add(line.time, line.seconds)
            case RetainMeasured():
                self.retained[f"retain {line.subject} {line.moment}"] = line
                self.busy.add(line.time, line.seconds)
            case RaceEnded():
                self.ended = line
            case _:
                pass

    def _spend(self, line: TrialScored | TrialFailed) -> None:
        self.spent_tokens += line.tokens
        self.busy.add(line.time, line.seconds)

    def _read_failure(self, line: TrialFailed) -> None:
        self._spend(line)
        self.attempts.count[line.trial] = line.attempt
        if line.retry == "smaller":
            self.attempts.shrink[line.trial] = self.attempts.shrink.get(line.trial, 0) + 1
        else:
            self.failed[line.trial] = line
        self._read_bracket(line)

    def _read_bracket(self, line: TrialScored | TrialFailed) -> None:
        if line.trial.rung == 1 and line.trial.arm not in self.chosen:
            bracket = self.brackets[line.trial.arm]
            if line.trial in bracket.wanted:
                bracket.read(line)

    # deciding

    def next(self) -> Step:
        """What has to happen now."""
        if self.ended:
            return Step(finished=True)
        return (
            next_asking(self)
            or self._bracketing()
            or self.racing.next()
            or self._finishing()
            or self._folding()
            or self._testing()
            or self.run_open(kept_works(self))
            or Step(finished=True)
        )

    def _bracketing(self) -> Step | None:
        trials = []
        for name, bracket in self.brackets.items():
            if name in self.chosen or name in self.dropped:
                continue
            if open_trials := bracket.open_trials():
                trials.extend(open_trials)
            elif decision := bracket.decision():
                return Step(decision=decision)
            else:
                return Step(decision=self._without_score(name))
        return Step(work=[self.work(trial) for trial in trials]) if trials else None

    def _without_score(self, arm: str) -> ArmDropped:
        """Out: every trial failed, or the user's scorer gave none of its answers a score."""
        bracket = self.brackets[arm]
        values: dict[str, str | int | float] = {"tries": len(bracket.scored) or len(bracket.failed)}
        key = "race.dropped_unscored"
        if not bracket.scored:
            key = "race.dropped_all_failed"
            values["last"] = next(reversed(bracket.failed.values())).key
        return ArmDropped(arm=arm, rung=1, key=key, values=values, p_best=None)

    def work(self, trial: Trial) -> TrialWork:
        """A trial as work, with what its earlier attempts taught."""
        return TrialWork(
            trial=trial,
            attempt=self.attempts.count.get(trial, 0) + 1,
            shrink=self._first_shrink(trial.arm) + self.attempts.shrink.get(trial, 0),
        )

    def _first_shrink(self, arm: str) -> int:
        """How small an arm's trials are from the start, so that they fit."""
        memory = self.arms[arm].memory
        return memory.shrink if memory else 0

    def trial(self, arm: str, rung: int, seed: int, fold: int = 0) -> Trial:
        """An arm's trial at its chosen rate and rendering."""
        trial = self.trial_at(self.chosen[arm], rung)
        return trial.model_copy(update={"seed": seed, "fold": fold})

    def trial_at(self, chosen: RateChosen, rung: int) -> Trial:
        """An arm's trial at a rate that was chosen for it, with the race's seed."""
        return Trial(
            arm=chosen.arm,
            rung=rung,
            rate=chosen.rate,
            seed=self.agreement.settings.seed,
            rendering=chosen.rendering,
        )

    def _finishing(self) -> Step | None:
        if self.finalists:
            return None
        if trials := self.finishing.next():
            return Step(work=[self.work(trial) for trial in trials])
        return Step(decision=choose_finalists(self))

    def _folding(self) -> Step | None:
        """The finalists' trainings on the further folds."""
        if self.finalists is None:
            return None
        wanted = [trial for trials in self.finalists.trials.values() for trial in trials]
        works = [self.work(t) for t in wanted if t not in self.scored and t not in self.failed]
        return Step(work=works) if works else None

    def tested(self) -> dict[str, tuple[Trial, ...]]:
        """Finalist -> trials that are tested: a fold that one of them failed is out for all."""
        if self.finalists is None:
            return {}
        failed = {
            trial.fold
            for trials in self.finalists.trials.values()
            for trial in trials
            if trial in self.failed
        }
        return {
            arm: tuple(trial for trial in trials if trial.fold not in failed)
            for arm, trials in self.finalists.trials.items()
        }

    def _testing(self) -> Step | None:
        if not any(self.tested().values()):
            return None
        if self.test_opened is None:
            return Step(open_test=True)
        works: list[Work] = []
        for arm, trials in self.tested().items():
            checkpoint = self.arms[arm].checkpoint
            works.extend(
                AnswerWork(subject=arm, checkpoint=checkpoint, split="test", trial=trial)
                for trial in trials
            )
        return self.run_open([*works, *works_on_test(self)])

    def run_open(self, works: Iterable[Work]) -> Step | None:
        """The pieces of work that have come to no outcome yet, each once; None without any."""
        seen: dict[str, Work] = {}
        measured = (
            self.answers, self.unanswered, self.general, self.drifts, self.retained,
        )  # fmt: skip
        for work in works:
            if not any(work.key in over for over in measured):
                seen.setdefault(work.key, work)
        return Step(work=list(seen.values())) if seen else None

    # what others ask of the state

    def best_trial(self, arm: str) -> TrialScored | None:
        """The best-scoring rung of an arm at its chosen rate with the race's seed."""
        chosen = self.chosen.get(arm)
        if chosen is None:
            return None
        found = [
            line
            for trial, line in self.scored.items()
            if trial.arm == arm
            and trial.rate == chosen.rate
            and trial.rendering == chosen.rendering
            and trial.seed == self.agreement.settings.seed
            and line.primary.value is not None
        ]
        sign = 1.0 if not found or found[0].primary.better == "higher" else -1.0
        return max(
            found,
            key=lambda line: (sign * (line.primary.value or 0.0), line.trial.rung),
            default=None,
        )
