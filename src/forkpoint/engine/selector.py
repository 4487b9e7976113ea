"""Ask and tell: who trains next, until the answer is sure or the budget ends."""

import math
from collections.abc import Sequence

from forkpoint.engine.arm import Arm, Ask, Paired, Score
from forkpoint.engine.choice import choose
from forkpoint.engine.course import Course
from forkpoint.engine.entry import (
    check_arms,
    check_direction,
    check_known,
    check_scale,
    check_scores,
)
from forkpoint.engine.history import Cell, History
from forkpoint.engine.settings import Settings
from forkpoint.engine.standing import Reason, Standing
from forkpoint.engine.view import Known, know, standing
from forkpoint.errors import BadInput


class Selector:
    """One race: `ask` for trials, `tell` their scores, read `standing` at any time.

    What it does next is a function of the arguments and of what was told, so telling a new
    one the recorded results resumes a race; trials under way when it stopped are asked again.
    `rungs` are cumulative training tokens; the budget counts tokens times an arm's cost.
    `reason` says why `ask` had nothing more; it is None while trials are awaited.
    """

    def __init__(
        self,
        arms: Sequence[Arm],
        rungs: Sequence[int],
        budget_tokens: float,
        settings: Settings | None = None,
        seed: int = 0,
    ) -> None:
        chosen = settings or Settings()
        check_arms(arms, rungs, chosen.fewest_arms)
        self.course = Course(tuple(arms), tuple(rungs), float(budget_tokens), chosen, seed)
        self.reason: Reason | None = None
        self._history = History()
        self._under_way: dict[Cell, Ask] = {}
        self._known: Known | None = None
        self._stale = False
        needed = self.course.opening_cost()
        if not needed <= self.course.budget_tokens:
            raise BadInput(
                "engine.budget-too-small",
                budget=f"{budget_tokens:,.0f}",
                count=len(arms),
                needed=f"{needed:,.0f}",
            )

    def ask(self) -> list[Ask]:
        """Trials that may run now; empty when all slots are busy or, with `reason`, at the end."""
        self.reason = None
        asks: list[Ask] = []
        while len(self._under_way) < self.course.settings.parallel:
            choice = choose(self.course, self._history, self._under_way, self._know)
            if isinstance(choice, Reason):
                self.reason = choice
            if choice is None or isinstance(choice, Reason):
                break
            self._under_way[choice] = self.course.ask(choice)
            asks.append(self._under_way[choice])
        return asks

    def tell(
        self,
        ask: Ask,
        scores: Sequence[Score],
        cost_tokens: float,
        paired: Sequence[Paired] = (),
    ) -> None:
        """Record a trial's scores and its cost in tokens times the arm's cost per token.

        `paired` may hold error covariances with earlier trials scored on the same rows.
        """
        cell = self._cell(ask)
        check_scores(ask, scores, cost_tokens)
        if cell in self._history.scores:
            raise BadInput("engine.told-twice", arm=ask.arm, rung=ask.rung)
        for score in scores:
            if score.channel == "primary":
                check_scale(ask, score, self.course.settings.scale)
            before = self._history.first_of(score.channel) or score
            check_direction(ask, score, before)
        others = [self._cell(ask.model_copy(update={"arm": p.arm, "rung": p.rung})) for p in paired]
        for other, pair in zip(others, paired, strict=True):
            self._history.covariances[cell, other] = pair.covariance
        self._history.scores[cell] = {score.channel: score for score in scores}
        self._spend(cell, cost_tokens)

    def fail(self, ask: Ask, reason: str, cost_tokens: float = 0.0) -> None:
        """Record that an arm is out, with the reason that a person will read."""
        cell = self._cell(ask)
        if not (math.isfinite(cost_tokens) and cost_tokens >= 0):
            raise BadInput("engine.cost-not-a-number", arm=ask.arm, rung=ask.rung, cost=cost_tokens)
        self._history.failures[cell[0]] = (ask.rung, reason)
        self._spend(cell, cost_tokens)

    def standing(self) -> Standing:
        """What is believed now, of every arm and of the race."""
        return standing(self.course, self._history, self._know(), self.reason)

    def _know(self) -> Known | None:
        if self._stale:
            self._known = know(self.course, self._history)
            self._stale = False
        return self._known

    def _spend(self, cell: Cell, cost_tokens: float) -> None:
        spent = self._history.spent_tokens
        spent[cell[0]] = spent.get(cell[0], 0.0) + cost_tokens
        self._under_way.pop(cell, None)
        self._stale = True

    def _cell(self, ask: Ask) -> Cell:
        arms = self.course.arms
        names = [arm.name for arm in arms]
        check_known(ask, names, dict(zip(names, self.course.runs, strict=True)))
        return self.course.index[ask.arm], ask.rung
