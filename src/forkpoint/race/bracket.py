"""The learning-rate bracket at an arm's first rung: the same number of rates for every arm.

A rate is always that of full length; so short a run is trained at the higher one that its length
wants [docs/method.md, 'Rates'], or every bracket would choose a rate that is too high.
"""

import math
from collections.abc import Sequence

from forkpoint.ledger import ArmPlan, RateChosen, Settings, Trial, TrialFailed, TrialScored

WIDENINGS = 2  # further rates beyond a best rate at the edge; a third would say the rule is wrong
ROUNDING = 0.01  # of the logarithm of a rate, which is kept with three digits
CLEAR_SE = 2.0  # standard errors of a difference from which one score is clearly above another
HANDICAP = 0.3  # share by which another rate than the centre must lower the bits: so short a run
# says too little to leave a good centre for less [docs/method.md, "Rates"]
FACTOR = 3.0  # between neighbouring rates, and for the retry of a run that diverged


class Bracket:
    """Trials of one arm at the first rung, and what they showed."""

    def __init__(self, arm: ArmPlan, settings: Settings) -> None:
        self.arm = arm
        self.settings = settings
        self.wanted: list[Trial] = [
            self._trial(arm.centre_rate * factor, rendering)
            for rendering in arm.renderings
            for factor in settings.rate_factors
        ]
        self.scored: dict[Trial, TrialScored] = {}
        self.failed: dict[Trial, TrialFailed] = {}
        self.widened = 0
        self._retries: set[Trial] = set()

    def _trial(self, rate: float, rendering: str) -> Trial:
        rounded = float(f"{rate:.2e}")
        return Trial(
            arm=self.arm.name, rung=1, rate=rounded, seed=self.settings.seed, rendering=rendering
        )

    def read(self, line: TrialScored | TrialFailed) -> None:
        """Take in one outcome; a diverged rate is replaced by a third of it, once."""
        if isinstance(line, TrialScored):
            self.scored[line.trial] = line
        else:
            if line.retry == "rate" and line.trial not in self._retries:
                lower = self._trial(line.trial.rate / FACTOR, line.trial.rendering)
                if lower not in self.wanted:
                    self.wanted.append(lower)
                    self._retries.add(lower)
            if line.retry != "smaller":
                self.failed[line.trial] = line
        if not self.open_trials():
            self._widen()

    def open_trials(self) -> list[Trial]:
        """Trials without an outcome yet."""
        return [t for t in self.wanted if t not in self.scored and t not in self.failed]

    def best(self) -> TrialScored | None:
        """The centre, unless another rate's likelihood is much better and its score no worse.

        Scores alone move no rate where there is a likelihood: after so short a run they are near
        the floor, and a rate that keeps what the checkpoint knew is ahead of one that learns. Where
        an answer has no likelihood, another rate needs a clearly better score.
        """
        found = [line for line in self.scored.values() if line.primary.value is not None]
        centre = [line for line in found if not self._away(line)]
        if any(line.likelihood.value is None for line in found):
            ahead = [line for line in found if all(_clearly_above(line, one) for one in centre)]
            return max(ahead or centre, key=_oriented, default=None)
        fair = [line for line in found if not any(_clearly_above(one, line) for one in centre)]
        return min(fair, key=self._likelihood_rank, default=None)

    def _away(self, line: TrialScored) -> float:
        """How far a rate lies from the centre, in its logarithm; 0 at the centre."""
        away = abs(math.log(line.trial.rate / self.arm.centre_rate))
        return away if away > ROUNDING else 0.0

    def _likelihood_rank(self, line: TrialScored) -> tuple[float, float]:
        """Bits, with the handicap for rates beside the centre; then nearness to the centre."""
        bits, away = line.likelihood.value or 0.0, self._away(line)
        return bits / (1.0 - HANDICAP) if away else bits, away

    def _widen(self) -> None:
        best = self.best()
        if best is None or self.widened >= WIDENINGS:
            return
        rates = self._rates(best.trial.rendering)
        if len(rates) < 2 or best.trial.rate not in (rates[0], rates[-1]):
            return
        further = rates[-1] * FACTOR if best.trial.rate == rates[-1] else rates[0] / FACTOR
        self.widened += 1
        trial = self._trial(further, best.trial.rendering)
        if trial not in self.wanted:
            self.wanted.append(trial)

    def _rates(self, rendering: str) -> Sequence[float]:
        return sorted({t.rate for t in self.wanted if t.rendering == rendering})

    def decision(self) -> RateChosen | None:
        """The rate and rendering the arm goes on with; None while open or when all failed."""
        best = self.best()
        if self.open_trials() or best is None:
            return None
        rates = self._rates(best.trial.rendering)
        tried: dict[str, float | None] = {}
        for trial in sorted(self.wanted, key=lambda trial: (trial.rendering, trial.rate)):
            line = self.scored.get(trial)
            tried[f"{trial.rendering} {trial.rate:.2e}"] = line.primary.value if line else None
        return RateChosen(
            arm=self.arm.name,
            rate=best.trial.rate,
            rendering=best.trial.rendering,
            tried=tried,
            at_edge=best.trial.rate in (rates[0], rates[-1]),
        )

    def neighbour(self, trial: Trial, side: int) -> TrialScored | None:
        """The outcome at the next rate above (+1) or below (-1) in the same rendering."""
        rates = list(self._rates(trial.rendering))
        place = rates.index(trial.rate) + side
        if not 0 <= place < len(rates):
            return None
        return self.scored.get(self._trial(rates[place], trial.rendering))

    @property
    def tokens(self) -> int:
        """Training tokens spent on the bracket, failures included."""
        scored = sum(line.tokens for line in self.scored.values())
        return scored + sum(line.tokens for line in self.failed.values())


def _oriented(line: TrialScored) -> float:
    """The score, more is better."""
    value = line.primary.value or 0.0
    return value if line.primary.better == "higher" else -value


def _clearly_above(one: TrialScored, other: TrialScored) -> bool:
    errors = (one.primary.standard_error or 0.0, other.primary.standard_error or 0.0)
    return _oriented(one) - _oriented(other) > CLEAR_SE * math.hypot(*errors)
