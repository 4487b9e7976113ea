"""The user's budget: a time, a number of training tokens, a share of brute force, or `auto`."""

import re
from collections.abc import Sequence
from math import ceil
from typing import Literal

from forkpoint.errors import BadInput
from forkpoint.ledger import ArmPlan, Settings
from forkpoint.plan.forecast import LEADERS, Course, budget_within, opening_tokens
from forkpoint.record import Record

AUTO = "auto"
AUTO_SHARE = 0.5  # of brute force: where the pocket races were judged [docs/studies]
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TOKENS = {"k": 1_000, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000, "G": 1_000_000_000}


class Budget(Record):
    """What was asked for; becomes a number of training tokens once, before the start."""

    text: str
    kind: Literal["seconds", "tokens", "share", "auto"]
    amount: float  # seconds, tokens, or a share of brute force in 0..1


def brute_force_tokens(arms: Sequence[ArmPlan], settings: Settings) -> int:
    """Every arm at every rate of its bracket to full length, the two finalists repeated."""
    rates = len(settings.rate_factors)
    every = sum(arm.full_tokens * rates * len(arm.renderings) for arm in arms)
    mean = sum(arm.full_tokens for arm in arms) / len(arms)
    return round(every + min(LEADERS, len(arms)) * settings.repeats * mean)


def budget_tokens(budget: Budget, course: Course, brute: int) -> int:
    """The budget in training tokens: once, before the start, never more than brute force."""
    if budget.kind == "tokens":
        return min(brute, round(budget.amount))
    if budget.kind == "share":
        return round(brute * budget.amount)
    if budget.kind == "auto":  # few rows have one rung, which is dear
        opening = ceil(opening_tokens(course.arms, course.rungs, course.settings))
        return min(brute, max(round(brute * budget.amount), opening))
    return round(budget_within(course, budget.amount, brute))


def read_budget(text: str) -> Budget:
    """Read `30m`, `2h`, `90s`, `1h30m`, `2M` (tokens), `40%` or `auto`; raises BadInput.

    >>> read_budget("1h30m").amount
    5400.0
    >>> read_budget("40%").amount
    0.4
    """
    text = text.strip()
    if text == AUTO:
        return Budget(text=text, kind="auto", amount=AUTO_SHARE)
    if found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text):
        share = float(found[1]) / 100
        if not 0 < share <= 1:
            raise BadInput("plan.budget_share", text=text)
        return Budget(text=text, kind="share", amount=share)
    if found := re.fullmatch(r"(\d+(?:\.\d+)?)([kKMBG])", text):
        return Budget(text=text, kind="tokens", amount=float(found[1]) * _TOKENS[found[2]])
    if re.fullmatch(r"(\d+(?:\.\d+)?[smhd])+", text):
        seconds = sum(
            float(number) * _SECONDS[unit]
            for number, unit in re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
        )
        if seconds > 0:
            return Budget(text=text, kind="seconds", amount=seconds)
    raise BadInput("plan.budget_unreadable", text=text)
