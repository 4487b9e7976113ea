"""The racing itself: the selection engine is asked what to train next, and told what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from forkpoint.engine import Arm, Ask, Score, Selector
from forkpoint.engine import Settings as EngineSettings
from forkpoint.ledger import Agreement, ArmDropped, Measured, RacingEnded, RateChosen, Trial
from forkpoint.plan.forecast import reserve_tokens
from forkpoint.race.bracket import FACTOR
from forkpoint.race.live_prior import LIVE_PRIOR
from forkpoint.race.work import Step

if TYPE_CHECKING:
    from forkpoint.race.state import RaceState

ROW_CORRELATION = 0.5  # of two arms' errors on the same validation rows, before it is measured


class Racing:
    """The engine's side of a race; once the racing has ended it only catches up with the ledger."""

    def __init__(self, state: RaceState) -> None:
        self.state = state
        self.selector = _selector(state.agreement)
        self._batch: list[Ask] | None = None
        self._caught_up = False  # the racing has ended and the engine was told all of it

    def next(self) -> Step | None:
        """The next batch of trials or a decision; None when the racing is over."""
        state = self.state
        while not self._caught_up:
            if not self._batch:
                self._batch = self.selector.ask()
            if not self._batch:
                if state.racing_ended is None:
                    return Step(decision=self._end())
                break
            trials = [trial for ask in self._batch for trial in self._trials_of(ask)]
            over = {*state.scored, *state.failed} if state.racing_ended is None else state.raced
            if open_trials := [trial for trial in trials if trial not in over]:
                if state.racing_ended is None:
                    return Step(work=[state.work(trial) for trial in open_trials])
                break
            lowered = self._lowered_rate(trials)
            if lowered and state.racing_ended is None:
                return Step(decision=lowered)
            for ask in self._batch:
                self._tell(ask)
            self._batch = None
            dropped = self._newly_dropped() if state.racing_ended is None else None
            if dropped:
                return Step(decision=dropped)
        self._caught_up = state.racing_ended is not None
        return None

    def _trials_of(self, ask: Ask) -> list[Trial]:
        """The trial an ask stands for; at the first rung the bracket has already run."""
        if ask.rung == 0 or ask.arm not in self.state.chosen:
            return []
        return [self.state.trial(ask.arm, ask.rung + 1, self.state.agreement.settings.seed)]

    def _lowered_rate(self, trials: Sequence[Trial]) -> RateChosen | None:
        """A third of the rate for an arm whose chosen rate diverged at a higher rung, once."""
        for trial in trials:
            line = self.state.failed.get(trial)
            if line and line.retry == "rate" and trial.arm not in self.state.lowered:
                chosen = self.state.chosen[trial.arm]
                rate = float(f"{chosen.rate / FACTOR:.2e}")
                return chosen.model_copy(update={"rate": rate, "at_edge": True})
        return None

    def _tell(self, ask: Ask) -> None:
        state = self.state
        bracket = state.brackets[ask.arm]
        if ask.arm not in state.chosen:
            self.selector.fail(ask, "race.dropped_all_failed", float(bracket.tokens))
            return
        if ask.rung == 0:
            line = bracket.best()
            tokens = float(bracket.tokens)
        else:
            trial = self._trials_of(ask)[0]
            line = state.scored.get(trial)
            tokens = float((line or state.failed[trial]).tokens)
        if line is None:
            self.selector.fail(ask, state.failed[self._trials_of(ask)[0]].key, tokens)
            return
        scores = [
            score
            for score in (_score(line.primary, "primary"), _score(line.likelihood, "likelihood"))
            if score
        ]
        self.selector.tell(ask, scores, tokens)

    def _newly_dropped(self) -> ArmDropped | None:
        for standing in self.selector.standing().arms:
            if standing.state == "alive" or standing.arm in self.state.dropped:
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
        prior=LIVE_PRIOR,
        fewest_arms=1 if plan.untrained else 2,
    )
    return Selector(arms, rungs, plan.budget_tokens - reserve, settings, plan.settings.seed)


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
