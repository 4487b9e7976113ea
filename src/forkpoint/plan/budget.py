"""The user's budget: a time, a number of training tokens, or a share of brute force."""

import re
from typing import Literal

from forkpoint.errors import BadInput
from forkpoint.record import Record

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TOKENS = {"k": 1_000, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000, "G": 1_000_000_000}


class Budget(Record):
    """What was asked for; becomes a number of training tokens once, before the start."""

    text: str
    kind: Literal["seconds", "tokens", "share"]
    amount: float  # seconds, tokens, or a share of brute force in 0..1


def read_budget(text: str) -> Budget:
    """Read `30m`, `2h`, `90s`, `1h30m`, `2M` (tokens) or `40%`; raises BadInput.

    >>> read_budget("1h30m").amount
    5400.0
    >>> read_budget("40%").amount
    0.4
    """
    text = text.strip()
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
