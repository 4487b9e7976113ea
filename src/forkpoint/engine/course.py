"""What is fixed before a race starts: arms, rungs, budget, settings, and what a cell costs."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forkpoint.engine.arm import Arm, Ask
from forkpoint.engine.curves import CurveModel, Floats, Grid
from forkpoint.engine.history import Cell
from forkpoint.engine.prior import shipped
from forkpoint.engine.scale import Scale
from forkpoint.engine.settings import Settings


@dataclass(frozen=True)
class Course:
    """The arms and rungs of a race; `rungs` are cumulative training tokens."""

    arms: tuple[Arm, ...]
    rungs: tuple[int, ...]
    budget_tokens: float
    settings: Settings
    seed: int

    @cached_property
    def index(self) -> dict[str, int]:
        """Arm number by name."""
        return {arm.name: number for number, arm in enumerate(self.arms)}

    @cached_property
    def runs(self) -> tuple[tuple[int, ...], ...]:
        """The rungs each arm can run, ascending."""
        everything = tuple(range(len(self.rungs)))
        return tuple(
            everything if arm.rungs is None else tuple(sorted(set(arm.rungs))) for arm in self.arms
        )

    @cached_property
    def grid(self) -> Grid:
        """The cells as the curve model sees them; an arm that does not train stands still."""
        doublings_K = np.log2(np.array(self.rungs, dtype=float) / self.rungs[0])
        trains_A = np.array([arm.trains for arm in self.arms])
        return Grid(
            t_C=np.where(trains_A[:, None], doublings_K, 0.0).ravel(),
            arm_C=np.repeat(np.arange(len(self.arms)), len(self.rungs)),
            final_A=np.array([self.flat((arm, runs[-1])) for arm, runs in enumerate(self.runs)]),
        )

    @cached_property
    def _models(self) -> dict[str, CurveModel]:
        return {}

    def model(self, scale: Scale) -> CurveModel:
        """The curve model of a scale, made once."""
        if scale.name not in self._models:
            prior = self.settings.prior or shipped(scale.name)
            self._models[scale.name] = CurveModel(self.grid, prior)
        return self._models[scale.name]

    def flat(self, cell: Cell) -> int:
        """The cell's place in the grid."""
        return cell[0] * len(self.rungs) + cell[1]

    def ask(self, cell: Cell) -> Ask:
        """The cell as something that can be run."""
        arm, rung = cell
        return Ask(
            arm=self.arms[arm].name,
            rung=rung,
            amount_tokens=self.rungs[rung],
            kind=self.settings.kind,
        )

    def prices(self, busy: Collection[Cell]) -> Floats:
        """Tokens times cost expected for each cell (A, K); infinite where nothing can be run.

        `busy` are the cells already run or under way; a continued run only goes forward.
        """
        price_AK = np.full((len(self.arms), len(self.rungs)), np.inf)
        highest = dict.fromkeys(range(len(self.arms)), -1)
        for number, rung in busy:
            highest[number] = max(highest[number], rung)
        for number, (arm, runs) in enumerate(zip(self.arms, self.runs, strict=True)):
            top = highest[number]
            trials = self.settings.first_rung_trials if top < 0 else 1
            if not arm.trains:
                if top < 0:
                    price_AK[number, runs[0]] = 0.0
                continue
            on = self.settings.kind == "continued" and top >= 0
            for rung in runs:
                if not on or rung > top:
                    tokens = self.rungs[rung] - (self.rungs[top] if on else 0)
                    price_AK[number, rung] = tokens * arm.cost_per_token * trials
        for cell in busy:
            price_AK[cell] = np.inf
        return price_AK

    def opening_cost(self) -> float:
        """Tokens times cost to take every arm to its first rung."""
        price_AK = self.prices(())
        return sum(float(price_AK[arm, runs[0]]) for arm, runs in enumerate(self.runs))
