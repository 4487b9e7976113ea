"""Where a race is: a pure function of the agreement and the ledger's lines.

Stations in order: untrained answers, rate brackets, racing, finalists' full length and seeds,
test answers, general ability, verdict. `next()` says what has to happen now; reading the line
that records it moves the race on, so that a resumed race goes where an undisturbed one goes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from forkpoint.engine import Arm, Ask, Score, Selector
from forkpoint.engine import Settings as EngineSettings
from forkpoint.ledger import (
    Agreement,
    AnswersMade,
    AnyLine,
    ArmDropped,
    Finalists,
    GeneralMeasured,
    Line,
    Measured,
    RaceEnded,
    RacingEnded,
    RateChosen,
    TestOpened,
    Trial,
    TrialFailed,
    TrialScored,
)
from forkpoint.plan.forecast import reserve_tokens
from forkpoint.race.bracket import FACTOR, Bracket
from forkpoint.race.finalists import choose_finalists, finishing_trials
from forkpoint.race.live_prior import LIVE_PRIOR
from forkpoint.race.work import AnswerWork, GeneralWork, TrialWork, Work

ROW_CORRELATION = 0.5  # of two arms' errors on the same validation rows, before it is measured


@dataclass(frozen=True)
class Step:
    """What has to happen now: a decision to record, work to run, or nothing more."""

    decision: Line | None = None
    work: Sequence[Work] = ()
    open_test: bool = False  # the test set is to be opened, which the caller counts
    finished: bool = False  # everything is measured: the verdict can be given


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
        self.general: dict[str, GeneralMeasured] = {}
        self.racing_ended: RacingEnded | None = None
        self.finalists: Finalists | None = None
        self.test_opened: TestOpened | None = None
        self.ended: RaceEnded | None = None
        self.attempts = Attempts()
        self.spent_tokens = 0
        self.racing_tokens = 0  # spent when the racing ended
        self._raced: set[Trial] = set()
        self.seconds = 0.0
        self._batch: list[Ask] | None = None
        self._caught_up = False  # the racing has ended and the engine was told all of it
        self._lowered: set[str] = set()  # arms whose rate was lowered after it diverged
        self.selector = self._make_selector()

    def _make_selector(self) -> Selector:
        plan = self.agreement
        full = max(1, plan.arms[0].full_tokens)
        reserve = reserve_tokens(plan.arms, plan.rungs, plan.settings, plan.budget_tokens)
        arms = [
            Arm(
                name=arm.name,
                cost_per_token=arm.full_tokens / full,
                stage=arm.stage,
            )
            for arm in plan.arms
        ]
        rungs = [max(1, round(rung.share * full)) for rung in plan.rungs]
        settings = EngineSettings(
            kind="fresh",
            p_best_enough=plan.settings.threshold,
            margin=plan.settings.margin,
            first_rung_trials=len(plan.settings.rate_factors),
            row_correlation=ROW_CORRELATION,
            seed_sd=plan.settings.known_seed_sd,
            scale="bounded",
            prior=LIVE_PRIOR,
        )
        return Selector(arms, rungs, plan.budget_tokens - reserve, settings, plan.settings.seed)

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
                if line.arm in self.chosen:
                    self._lowered.add(line.arm)
                self.chosen[line.arm] = line
            case ArmDropped():
                self.dropped[line.arm] = line
            case RacingEnded():
                self.racing_ended = line
                self.racing_tokens = self.spent_tokens
                self._raced = {*self.scored, *self.failed}
            case Finalists():
                self.finalists = line
            case TestOpened():
                self.test_opened = line
            case AnswersMade():
                self.answers[_answers_key(line)] = line
                self.seconds += line.seconds
            case GeneralMeasured():
                self.general[f"general {line.subject} {line.moment}"] = line
            case RaceEnded():
                self.ended = line
            case _:
                pass

    def _spend(self, line: TrialScored | TrialFailed) -> None:
        self.spent_tokens += line.tokens
        self.seconds += line.seconds

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
            self._untrained()
            or self._bracketing()
            or self._racing()
            or self._finishing()
            or self._folding()
            or self._testing()
            or self._general_ability()
            or Step(finished=True)
        )

    def _untrained(self) -> Step | None:
        works = [
            AnswerWork(subject=f"{name}.untrained", checkpoint=name, split="validation")
            for name in self.agreement.checkpoints
        ]
        return self._run(works)

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
                return Step(decision=self._all_failed(name))
        return Step(work=[self._work(trial) for trial in trials]) if trials else None

    def _all_failed(self, arm: str) -> ArmDropped:
        last = next(reversed(self.brackets[arm].failed.values()))
        return ArmDropped(
            arm=arm,
            rung=1,
            key="race.dropped_all_failed",
            values={"tries": len(self.brackets[arm].failed), "last": last.key},
            p_best=None,
        )

    def _work(self, trial: Trial) -> TrialWork:
        return TrialWork(
            trial=trial,
            attempt=self.attempts.count.get(trial, 0) + 1,
            shrink=self._first_shrink(trial.arm) + self.attempts.shrink.get(trial, 0),
        )

    def _first_shrink(self, arm: str) -> int:
        """How small an arm's trials are from the start, so that they fit."""
        memory = self.arms[arm].memory
        return memory.shrink if memory else 0

    def _racing(self) -> Step | None:
        """The next batch of the racing; once it has ended, only catch up with what it told."""
        while not self._caught_up:
            if not self._batch:
                self._batch = self.selector.ask()
            if not self._batch:
                if self.racing_ended is None:
                    return Step(decision=self._racing_end())
                break
            trials = [trial for ask in self._batch for trial in self._trials_of(ask)]
            over = {*self.scored, *self.failed} if self.racing_ended is None else self._raced
            if open_trials := [trial for trial in trials if trial not in over]:
                if self.racing_ended is None:
                    return Step(work=[self._work(trial) for trial in open_trials])
                break
            lowered = self._lowered_rate(trials)
            if lowered and self.racing_ended is None:
                return Step(decision=lowered)
            for ask in self._batch:
                self._tell(ask)
            self._batch = None
            dropped = self._newly_dropped() if self.racing_ended is None else None
            if dropped:
                return Step(decision=dropped)
        self._caught_up = self.racing_ended is not None
        return None

    def _lowered_rate(self, trials: Sequence[Trial]) -> RateChosen | None:
        """A third of the rate for an arm whose chosen rate diverged at a higher rung, once."""
        for trial in trials:
            line = self.failed.get(trial)
            if line and line.retry == "rate" and trial.arm not in self._lowered:
                chosen = self.chosen[trial.arm]
                rate = float(f"{chosen.rate / FACTOR:.2e}")
                return chosen.model_copy(update={"rate": rate, "at_edge": True})
        return None

    def _racing_end(self) -> RacingEnded:
        reason = self.selector.reason
        if reason is None:
            return RacingEnded(key="race.ended_nothing_left", values={})
        return RacingEnded(key=reason.key, values=dict(reason.values))

    def _trials_of(self, ask: Ask) -> list[Trial]:
        """The trial an ask stands for; at the first rung the bracket has already run."""
        if ask.rung == 0 or ask.arm not in self.chosen:
            return []
        return [self.trial(ask.arm, ask.rung + 1, self.agreement.settings.seed)]

    def trial(self, arm: str, rung: int, seed: int, fold: int = 0) -> Trial:
        """An arm's trial at its chosen rate and rendering."""
        chosen = self.chosen[arm]
        return Trial(
            arm=arm,
            rung=rung,
            rate=chosen.rate,
            seed=seed,
            rendering=chosen.rendering,
            fold=fold,
        )

    def _tell(self, ask: Ask) -> None:
        bracket = self.brackets[ask.arm]
        if ask.arm not in self.chosen:
            self.selector.fail(ask, "race.dropped_all_failed", float(bracket.tokens))
            return
        if ask.rung == 0:
            line = bracket.best()
            tokens = float(bracket.tokens)
        else:
            trial = self._trials_of(ask)[0]
            line = self.scored.get(trial)
            tokens = float((line or self.failed[trial]).tokens)
        if line is None:
            self.selector.fail(ask, self.failed[self._trials_of(ask)[0]].key, tokens)
            return
        scores = [
            score
            for score in (_score(line.primary, "primary"), _score(line.likelihood, "likelihood"))
            if score
        ]
        self.selector.tell(ask, scores, tokens)

    def _newly_dropped(self) -> ArmDropped | None:
        for standing in self.selector.standing().arms:
            if standing.state == "alive" or standing.arm in self.dropped:
                continue
            rung = (standing.highest_rung or 0) + 1  # the engine counts rungs from 0
            values = dict(standing.reason.values)
            if "rung" in values:
                values["rung"] = rung
            return ArmDropped(
                arm=standing.arm,
                rung=rung,
                key=standing.reason.key,
                values=values,
                p_best=standing.p_best,
            )
        return None

    def _finishing(self) -> Step | None:
        if self.finalists:
            return None
        trials = finishing_trials(self)
        if trials:
            return Step(work=[self._work(trial) for trial in trials])
        return Step(decision=choose_finalists(self))

    def _folding(self) -> Step | None:
        """The finalists' trainings on the further folds."""
        if self.finalists is None:
            return None
        wanted = [trial for trials in self.finalists.trials.values() for trial in trials]
        works = [self._work(t) for t in wanted if t not in self.scored and t not in self.failed]
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
            works.append(
                AnswerWork(subject=f"{checkpoint}.untrained", checkpoint=checkpoint, split="test")
            )
        return self._run(works)

    def _general_ability(self) -> Step | None:
        if self.finalists is None or not self.agreement.settings.general_set:
            return None
        works: list[Work] = []
        for arm, trials in self.finalists.trials.items():
            checkpoint = self.arms[arm].checkpoint
            works.append(GeneralWork(subject=checkpoint, checkpoint=checkpoint, moment="before"))
            works.append(
                GeneralWork(subject=arm, checkpoint=checkpoint, moment="after", trial=trials[0])
            )
        if control := self.finalists.roles.get("winner"):
            works.append(
                GeneralWork(
                    subject=control,
                    checkpoint=self.arms[control].checkpoint,
                    moment="null_control",
                    trial=self.finalists.trials[control][0],
                )
            )
        return self._run(works)

    def _run(self, works: Sequence[Work]) -> Step | None:
        seen: dict[str, Work] = {}
        for work in works:
            if work.key not in self.answers and work.key not in self.general:
                seen.setdefault(work.key, work)
        return Step(work=list(seen.values())) if seen else None

    # what others ask of the state

    def progress(self) -> float:
        """About how much of the race is done, 0..1: by the share of the budget that is spent."""
        if self.ended:
            return 1.0
        if self.finalists is not None:
            wanted = sum(len(trials) + 1 for trials in self.finalists.trials.values())
            done = sum(1 for key in self.answers if " test " in key)
            return 0.9 + 0.1 * min(1.0, done / max(wanted, 1))
        return min(0.9, 0.9 * self.spent_tokens / max(self.agreement.budget_tokens, 1))

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

    def raced(self, trial: Trial) -> bool:
        """Whether a trial had run when the racing ended."""
        return trial in self._raced


def _score(measured: Measured, channel: str) -> Score | None:
    if measured.value is None:
        return None
    return Score.model_validate(
        {
            "value": measured.value,
            "standard_error": measured.standard_error or 0.0,
            "n": measured.n,
            "unit": measured.unit,
            "better": measured.better,
            "channel": channel,
        }
    )


def _answers_key(line: AnswersMade) -> str:
    seed = line.trial.seed if line.trial else "-"
    return f"answers {line.arm} {line.split} {seed}"
