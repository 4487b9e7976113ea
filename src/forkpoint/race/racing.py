"""The racing itself: the selection engine is asked what to train next, and told what came of it.

Up to `engine.parallel` trials are asked for before the first of them is told. The engine is told
their outcomes in the order in which it asked for them, whatever the order of arrival: the n-th ask
is made knowing the asks up to n - parallel, so that what is decided depends neither on which worker
was faster nor on whether the race was interrupted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forkpoint.engine import Arm, Ask, Score, Selector
from forkpoint.engine import Settings as EngineSettings
from forkpoint.ledger import (
    Agreement,
    ArmDropped,
    Measured,
    RacingEnded,
    RateChosen,
    Trial,
    TrialScored,
)
from forkpoint.plan.forecast import reserve_tokens
from forkpoint.race.bracket import FACTOR
from forkpoint.race.live_prior import agreed_prior
from forkpoint.race.work import Step
from forkpoint.verdict.contrast import ROW_CORRELATION

if TYPE_CHECKING:
    from forkpoint.race.state import RaceState


@dataclass
class _Asked:
    """What the engine wants, and the trial that stands for it; None where the bracket does."""

    ask: Ask
    trial: Trial | None


class Racing:
    """The engine's side of a race; once the racing has ended it only catches up with the ledger."""

    def __init__(self, state: RaceState) -> None:
        self.state = state
        self.selector = _selector(state.agreement)
        self._asked: list[_Asked] = []  # not yet told, in the order of asking
        self._lowered: set[str] = set()  # arms asked for at their lowered rate from now on
        self._told = True  # something, since it was last asked
        self._caught_up = False  # the racing has ended and the engine was told all of it

    def next(self) -> Step | None:
        """The trials that may run now or a decision; None when the racing is over."""
        state = self.state
        while not self._caught_up:
            if self._told:
                asks, self._told = self.selector.ask(), False
                self._asked.extend(_Asked(ask, self._trial_of(ask)) for ask in asks)
            if not self._asked:
                if state.racing_ended is None:
                    return Step(decision=self._end())
                break
            over = {*state.scored, *state.failed} if state.racing_ended is None else state.raced
            first = self._asked[0]
            if first.trial is not None and first.trial not in over:
                if state.racing_ended is None:
                    trials = [asked.trial for asked in self._asked if asked.trial]
                    works = [state.work(trial) for trial in trials if trial not in over]
                    return Step(work=works)
                break
            if self._again_lower(first):
                continue
            lowered = self._lowered_rate(first)
            if lowered and state.racing_ended is None:
                return Step(decision=lowered)
            self._tell(self._asked.pop(0))
            dropped = self._newly_dropped() if state.racing_ended is None else None
            if dropped:
                return Step(decision=dropped)
        self._caught_up = state.racing_ended is not None
        return None

    def learn(self, trial: Trial) -> None:
        """Tell the engine of a trial that ran after the racing."""
        ask = Ask(
            arm=trial.arm,
            rung=trial.rung - 1,
            amount_tokens=self.selector.course.rungs[trial.rung - 1],
            kind="fresh",
        )
        line = self.state.scored.get(trial)
        if line is None:
            failed = self.state.failed[trial]
            self.selector.fail(ask, failed.key, float(failed.tokens))
        elif line.primary.value is None:
            self.selector.fail(ask, "race.dropped_unscored", float(line.tokens))
        else:
            self.selector.tell(ask, _scores(line), float(line.tokens))

    def _trial_of(self, ask: Ask) -> Trial | None:
        """The trial an ask stands for; at the first rung the bracket has already run."""
        rates = self.state.rates.get(ask.arm)
        if ask.rung == 0 or not rates:
            return None
        chosen = rates[-1 if ask.arm in self._lowered else 0]
        return self.state.trial_at(chosen, ask.rung + 1)

    def _diverged(self, asked: _Asked) -> bool:
        line = self.state.failed.get(asked.trial) if asked.trial else None
        return line is not None and line.retry == "rate"

    def _again_lower(self, asked: _Asked) -> bool:
        """Whether a trial that diverged has a lowered rate to be tried at, which it now is."""
        rates = self.state.rates.get(asked.ask.arm, ())
        if not self._diverged(asked) or len(rates) < 2:
            return False
        self._lowered.add(asked.ask.arm)
        before, asked.trial = asked.trial, self._trial_of(asked.ask)
        return asked.trial != before

    def _lowered_rate(self, asked: _Asked) -> RateChosen | None:
        """A third of the rate for an arm whose chosen rate diverged at a higher rung, once."""
        if not self._diverged(asked) or len(self.state.rates[asked.ask.arm]) > 1:
            return None
        chosen = self.state.chosen[asked.ask.arm]
        rate = float(f"{chosen.rate / FACTOR:.2e}")
        return chosen.model_copy(update={"rate": rate, "at_edge": True})

    def _tell(self, asked: _Asked) -> None:
        state, ask = self.state, asked.ask
        self._told = True
        bracket = state.brackets[ask.arm]
        if ask.arm not in state.chosen:
            self.selector.fail(ask, "race.dropped_all_failed", float(bracket.tokens))
            return
        if asked.trial is None:
            line = bracket.best()
            tokens = float(bracket.tokens)
        else:
            line = state.scored.get(asked.trial)
            tokens = float((line or state.failed[asked.trial]).tokens)
        if line is None:
            key = state.failed[asked.trial].key if asked.trial else "race.dropped_all_failed"
            self.selector.fail(ask, key, tokens)
            return
        if line.primary.value is None:  # the user's scorer gave no answer a score
            self.selector.fail(ask, "race.dropped_unscored", tokens)
            return
        self.selector.tell(ask, _scores(line), tokens)

    def _newly_dropped(self) -> ArmDropped | None:
        for standing in self.selector.standing().arms:
            if standing.state == "alive" or standing.arm in self.state.dropped:
                continue
            told = standing.reason.values
            last = told.get("rung", standing.highest_rung) or 0
            rung = int(last) + 1  # the engine counts rungs from 0
            values = (
                dict(told) if standing.state == "dropped" else self._failure(standing.arm, rung)
            )
            if "rung" in told:
                values |= {**told, "rung": rung}
            return ArmDropped(
                arm=standing.arm,
                rung=rung,
                key=standing.reason.key,
                values=values,
                p_best=standing.p_best,
            )
        return None

    def _failure(self, arm: str, rung: int) -> dict[str, str | int | float]:
        """What the reason of a failure is told with: the values of the arm's last trial there."""
        failed = [
            line.values
            for trial, line in self.state.failed.items()
            if (trial.arm, trial.rung) == (arm, rung)
        ]
        return dict(failed[-1]) if failed else {"tries": 1}  # of an arm without a score

    def _end(self) -> RacingEnded:
        reason = self.selector.reason
        if reason is None:
            return RacingEnded(key="race.ended_nothing_left", values={})
        return RacingEnded(key=reason.key, values=dict(reason.values))


def _selector(plan: Agreement) -> Selector:
    """The engine for a race; raises BadInput for a budget that leaves an arm without a trial."""
    full = max(1, plan.arms[0].full_tokens)
    reserve = reserve_tokens(plan.arms, plan.rungs, plan.settings, plan.budget_tokens)
    arms = [
        Arm(name=arm.name, cost_per_token=arm.full_tokens / full, stage=arm.stage)
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
        parallel=plan.engine.parallel,
        prior=agreed_prior(plan.curve_prior_json),
        fewest_arms=1 if plan.untrained else 2,
    )
    return Selector(arms, rungs, plan.budget_tokens - reserve, settings, plan.settings.seed)


def _scores(line: TrialScored) -> list[Score]:
    both = (_score(line.primary, "primary"), _score(line.likelihood, "likelihood"))
    return [score for score in both if score]


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
