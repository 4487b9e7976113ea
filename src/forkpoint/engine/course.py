"""What is fixed before a race starts: arms, rungs, budget, settings, and what a cell costs."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forkpoint.engine.arm import Arm, Ask
from forkpoint.engine.curves import CurveModel
from forkpoint.engine.history import Cell
from forkpoint.engine.kernel import Floats, Grid
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
        price_AK = self._untouched_AK.copy()
        highest: dict[int, int] = {}
        for number, rung in busy:
            highest[number] = max(highest.get(number, -1), rung)
        for number, top in highest.items():
            price_AK[number] = self._price_K(number, top)
        for cell in busy:
            price_AK[cell] = np.inf
        return price_AK

    def price(self, cell: Cell, top: int) -> float:
        """What a cell is expected to cost an arm whose highest rung so far is `top` (-1: none)."""
        if top < 0:
            return float(self._untouched_AK[cell])
        return float(self._price_K(cell[0], top)[cell[1]])

    @cached_property
    def _untouched_AK(self) -> Floats:  # noqa: N802 - an array by arm and rung
        return np.stack([self._price_K(number, -1) for number in range(len(self.arms))])

    def _price_K(self, number: int, top: int) -> Floats:  # noqa: N802 - an array by rung
        arm, runs = self.arms[number], self.runs[number]
        price_K = np.full(len(self.rungs), np.inf)
        trials = self.settings.first_rung_trials if top < 0 else 1
        if not arm.trains:
            if top < 0:
                price_K[runs[0]] = 0.0
            return price_K
        on = self.settings.kind == "continued" and top >= 0
        for rung in runs:
            if not on or rung > top:
                tokens = self.rungs[rung] - (self.rungs[top] if on else 0)
                price_K[rung] = tokens * arm.cost_per_token * trials
        return price_K

    def opening_cost(self) -> float:
        """Tokens times cost to take every arm to its first rung."""
        return sum(self.price((arm, runs[0]), -1) for arm, runs in enumerate(self.runs))
