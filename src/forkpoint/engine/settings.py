"""The dials of the engine."""

from typing import Literal

from pydantic import Field

from forkpoint.engine.arm import Kind
from forkpoint.engine.prior import Prior
from forkpoint.record import Record

P_BEST_ENOUGH = 0.95  # probability, the customary level of a claim [docs/method.md]
MARGIN = 0.02  # units of the primary metric, the product's --margin
REGRET_ENOUGH = 0.002  # a tenth of the margin: nothing left that a user would notice
DROP_BELOW = 0.01  # P(best) under which an arm is called dropped; the words, not the spending


class Settings(Record):
    """How a race is run; everything here is written to the ledger before the first trial.

    `parallel`: trials under way at once. `first_rung_trials`: runs at an arm's first rung (its
    learning rates), which multiplies the cost expected there. `seed_sd`: SD of the final
    score over training seeds, in score units. `row_correlation`: correlation over arms of the
    errors of scores taken on the same validation rows. `scale`: how losses are made
    comparable ("log" for positive losses, "bounded" for scores in 0..1, "linear" else).
    """

    kind: Kind = "fresh"
    p_best_enough: float = Field(P_BEST_ENOUGH, gt=0, le=1)
    regret_enough: float = Field(REGRET_ENOUGH, ge=0)
    margin: float = Field(MARGIN, ge=0)
    drop_below: float = Field(DROP_BELOW, ge=0, lt=1)
    parallel: int = Field(1, ge=1)
    first_rung_trials: int = Field(1, ge=1)
    seed_sd: float = Field(0.0, ge=0)
    row_correlation: float = Field(0.0, ge=0, lt=1)
    scale: Literal["auto", "log", "bounded", "linear"] = "auto"
    prior: Prior | None = None  # None: the shipped prior of the scale
    fewest_arms: int = Field(2, ge=1)  # 1 where an arm is raced against what is not trained
