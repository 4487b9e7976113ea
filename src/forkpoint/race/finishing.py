"""Between racing and test: full length for whoever may be the best, further seeds for leaders.

What is wanted next follows from what was told so far, so it is the same wherever a race was
interrupted. Measured on the bank of real curves: docs/studies/bank.md, 'How a race ends'.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from forkpoint.race.finalists import PLAUSIBLE, beside, full_length, ranked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forkpoint.engine.standing import ArmStanding
    from forkpoint.ledger import Trial, TrialScored
    from forkpoint.race.state import RaceState

CLOSE_SEED_SDS = 2.0  # leaders nearer than this many seed SDs are repeated [docs/method.md]
Wish = tuple[str, int]  # an arm, and which of its seeds at full length


class Known(NamedTuple):
    """What the finishing goes by. Scores are of validation, one a seed; higher is better."""

    order: Sequence[ArmStanding]  # arms still in the race, the best predicted first
    traits: Mapping[str, tuple[str | None, str]]  # arm -> its checkpoint's stage, its approach
    scores: Mapping[str, Sequence[float]]  # of the arms that were at full length
    tried: Mapping[str, int]  # arm -> seeds tried at full length, failed ones too
    close: float  # difference below which leaders are repeated
    rests_on: Sequence[str] = ()  # arms that a claim about the first needs


def wishes(known: Known, seeds: int) -> Iterator[list[Wish]]:
    """Batches by falling worth: what can be paid of the first that is open runs next.

    Arms of every stage and every approach first: those that share one are alike, and a look at
    each tells more than two at one. Then whoever is predicted best, then all that may be the best:
    an arm that was never seen at full length costs more than noise between seeds does. Then
    further seeds for the two leaders, while they are close.
    """
    yield _unseen(known, [*_spread(known), *known.rests_on])
    yield _unseen(known, [one.arm for one in known.order[:1]])
    yield _unseen(known, _plausible(known))
    yield _repeats(known, leaders(known.scores), seeds)


def _unseen(known: Known, arms: Sequence[str]) -> list[Wish]:
    """Those of the arms that were not tried at full length, with the race's seed."""
    return [(arm, 0) for arm in dict.fromkeys(arms) if arm not in known.tried]


def _spread(known: Known) -> list[str]:
    """Arms that bring every stage and approach to full length: next is always the one that brings
    most that was not seen there, what few arms have counting more; the best predicted of equals.
    """
    seen = {trait for arm in known.scores for trait in known.traits[arm]}
    carriers = Counter(trait for one in known.order for trait in known.traits[one.arm])
    chosen: list[str] = []
    while True:
        new = {
            one.arm: sum(1 / carriers[trait] for trait in {*known.traits[one.arm]} - seen)
            for one in known.order
        }
        if not any(new.values()):
            return chosen
        chosen.append(max(new, key=lambda arm: new[arm]))
        seen.update(known.traits[chosen[-1]])


def _plausible(known: Known) -> list[str]:
    """The two best predicted, then those that may be within the margin, likeliest best first."""
    plausible = [one for one in known.order if one.p_within_margin >= PLAUSIBLE]
    plausible.sort(key=lambda one: (-one.p_best, one.arm))
    return list(dict.fromkeys(one.arm for one in (*known.order[:2], *plausible)))


def leaders(scores: Mapping[str, Sequence[float]]) -> list[str]:
    """The two arms at full length with the best means over their seeds, best first."""
    return sorted(scores, key=lambda arm: (-_mean(scores[arm]), arm))[:2]


def _repeats(known: Known, first: Sequence[str], seeds: int) -> list[Wish]:
    """A further seed for the leaders that have fewest, while they are close."""
    means = [_mean(known.scores[arm]) for arm in first]
    if len(first) < 2 or means[0] - means[1] >= known.close:
        return []
    fewest = min(known.tried[arm] for arm in first)
    if fewest >= seeds:
        return []
    return [(arm, fewest) for arm in first if known.tried[arm] == fewest]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


class Finishing:
    """The finishing of one race; `ran` are its trials so far, in the order of wanting."""

    def __init__(self, state: RaceState) -> None:
        self.state = state
        self.ran: list[Trial] = []

    def next(self) -> list[Trial]:
        """The trials that may run now; none when the finalists can be chosen."""
        state = self.state
        while batch := self._batch():
            over = {*state.scored, *state.failed}
            if trials := [trial for trial in batch if trial not in over]:
                return trials
            for trial in batch:
                self.ran.append(trial)
                if trial.seed == state.agreement.settings.seed:
                    state.racing.learn(trial)
        return []

    def _batch(self) -> list[Trial]:
        """The worthiest trials that the budget left pays for.

        Counted in planned tokens from the end of the racing, so that what is affordable does not
        depend on which of a batch have already run.
        """
        seeds = 1 if self.state.agreement.folds else self.state.agreement.settings.finalist_seeds
        left = float(self.state.agreement.budget_tokens - self.state.racing_tokens)
        left -= sum(self._price(trial) for trial in self.ran)
        for batch in wishes(self._known(), seeds):
            chosen, rest = [], left
            for arm, extra in batch:
                trial = self._trial(arm, extra)
                rest -= self._price(trial)
                if rest < 0:
                    break
                chosen.append(trial)
            if chosen:
                return chosen
        return []

    def _known(self) -> Known:
        state = self.state
        order = ranked(state)
        lines = {one.arm: self._lines(one.arm) for one in order}
        further = [trial for trial in self.ran if trial.seed != state.agreement.settings.seed]
        told = {*state.raced, *self.ran}
        tried = {  # of all arms: one that failed there is not asked for again
            arm: 1 + sum(trial.arm == arm for trial in further)
            for arm in state.chosen
            if full_length(state, arm) in told
        }
        return Known(
            order=order,
            traits={name: (arm.stage, arm.approach) for name, arm in state.arms.items()},
            scores={arm: [_value(line) for line in found] for arm, found in lines.items() if found},
            tried=tried,
            close=CLOSE_SEED_SDS * state.agreement.settings.known_seed_sd,
            rests_on=list(beside(state, order[0].arm).values()) if order else (),
        )

    def _lines(self, arm: str) -> list[TrialScored]:
        """What an arm that was at full length scored at its best rung, seed by seed."""
        state = self.state
        told = {*state.raced, *self.ran}
        if full_length(state, arm) not in told or full_length(state, arm) not in state.scored:
            return []
        best = state.best_trial(arm)
        if best is None:
            return []
        further = [one for one in self.ran if one.arm == arm and one.seed != best.trial.seed]
        lines = [state.scored[trial] for trial in further if trial in state.scored]
        return [best, *(line for line in lines if line.primary.value is not None)]

    def _trial(self, arm: str, extra: int) -> Trial:
        """At full length, and further seeds at the rung that is an arm's best."""
        first = full_length(self.state, arm)
        best = self.state.best_trial(arm) if extra else None
        return self.state.trial(arm, best.trial.rung if best else first.rung, first.seed + extra)

    def _price(self, trial: Trial) -> float:
        share = self.state.agreement.rungs[trial.rung - 1].share
        return self.state.arms[trial.arm].full_tokens * share


def _value(line: TrialScored) -> float:
    value = line.primary.value or 0.0
    return value if line.primary.better == "higher" else -value
