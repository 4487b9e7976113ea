"""The engine's door: what cannot be raced is refused here, with what to do about it."""

import math
from collections.abc import Sequence
from itertools import pairwise

from forkpoint.engine.arm import Arm, Ask, Score
from forkpoint.errors import BadInput

NAMES_SHOWN = 12  # arms named in one message


def check_arms(arms: Sequence[Arm], rungs: Sequence[float], fewest: int = 2) -> None:
    """Raise BadInput for fewer arms than `fewest`, equal names, bad costs, bad rungs."""
    if len(arms) < fewest:
        raise BadInput("engine.one-arm", count=len(arms))
    names: set[str] = set()
    for arm in arms:
        if arm.name in names:
            raise BadInput("engine.same-name", arm=arm.name)
        names.add(arm.name)
        if not (math.isfinite(arm.cost_per_token) and arm.cost_per_token > 0):
            raise BadInput("engine.cost-not-positive", arm=arm.name, cost=arm.cost_per_token)
        if arm.rungs is not None and not (
            arm.rungs and all(0 <= rung < len(rungs) for rung in arm.rungs)
        ):
            raise BadInput(
                "engine.no-rung-of-arm", arm=arm.name, rungs=list(arm.rungs), last=len(rungs) - 1
            )
    rising = all(low < high for low, high in pairwise(rungs))
    if not (rungs and all(math.isfinite(rung) for rung in rungs) and rungs[0] > 0 and rising):
        raise BadInput("engine.no-rungs", rungs=list(rungs))


def check_known(ask: Ask, names: Sequence[str], rungs_of: dict[str, tuple[int, ...]]) -> None:
    """Raise BadInput for an arm or a rung that the race does not have."""
    if ask.arm not in rungs_of:
        shown = ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
        raise BadInput("engine.unknown-arm", arm=ask.arm, arms=shown)
    if ask.rung not in rungs_of[ask.arm]:
        raise BadInput("engine.unknown-rung", arm=ask.arm, rung=ask.rung)


def check_scores(ask: Ask, scores: Sequence[Score], cost_tokens: float) -> None:
    """Raise BadInput for a missing score, a number that is none, or a negative cost."""
    if not scores:
        raise BadInput("engine.no-score", arm=ask.arm, rung=ask.rung)
    for score in scores:
        fine = math.isfinite(score.value) and math.isfinite(score.standard_error)
        if not fine or score.standard_error < 0 or score.n < 1:
            raise BadInput(
                "engine.score-not-a-number",
                arm=ask.arm,
                rung=ask.rung,
                value=score.value,
                error=score.standard_error,
            )
    if not (math.isfinite(cost_tokens) and cost_tokens >= 0):
        raise BadInput("engine.cost-not-a-number", arm=ask.arm, rung=ask.rung, cost=cost_tokens)


def check_scale(ask: Ask, score: Score, wanted: str) -> None:
    """Raise BadInput when the scale asked for in the settings cannot hold the score."""
    outside = (wanted == "log" and (score.value <= 0 or score.better == "higher")) or (
        wanted == "bounded" and not 0 <= score.value <= 1
    )
    if outside:
        raise BadInput(
            "engine.score-outside", arm=ask.arm, rung=ask.rung, value=score.value, scale=wanted
        )


def check_direction(ask: Ask, score: Score, before: Score) -> None:
    """Raise BadInput when a channel's direction changes during a race."""
    if score.better != before.better:
        raise BadInput(
            "engine.score-turned",
            arm=ask.arm,
            rung=ask.rung,
            found=score.better,
            before=before.better,
        )
