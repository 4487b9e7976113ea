"""Where a race stands: what is believed of every arm, and why an arm or the race has ended."""

from typing import Literal

from pydantic import Field

from forkpoint.record import Record
from forkpoint.words import say

State = Literal["alive", "dropped", "failed"]


class Reason(Record):
    """A catalogue key with its values, so that a person can be told in either language."""

    key: str
    values: dict[str, str | int | float] = Field(default_factory=dict)

    def say(self, lang: str) -> str:
        """The sentence for the user."""
        return say(self.key, lang, **self.values)


class ArmStanding(Record):
    """What is believed of one arm at the race's last rung, seeds and rows averaged out.

    `final_loss` is on the engine's loss: the score itself when lower is better, 1 - score or
    minus the score otherwise; `final_value` is the same belief on the score's own scale.
    `expected_regret` is the loss given away on average by choosing this arm.
    """

    arm: str
    state: State
    reason: Reason
    final_value: float | None
    final_loss: float | None
    final_sd: float | None
    p_best: float
    p_within_margin: float
    expected_regret: float | None
    highest_rung: int | None
    spent_tokens: float


class Standing(Record):
    """The whole race: the pick is the arm of least expected loss, arms in the order given."""

    arms: tuple[ArmStanding, ...]
    pick: str | None
    runner_up: str | None
    p_best: float
    p_runner_up_best: float
    expected_regret: float | None
    spent_tokens: float
    budget_tokens: float
    channel: str | None
    reason: Reason | None
