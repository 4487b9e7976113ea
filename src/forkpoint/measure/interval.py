"""Figures with their standard error and 95 % interval."""

import math
from collections.abc import Sequence
from typing import Literal

from forkpoint.ledger import Measured

Z95 = 1.959964  # standard normal quantile of a two-sided 95 % interval


def wilson(hits: float, n: int) -> tuple[float, float]:
    """Wilson's interval of a rate, which stays honest near 0 and 1 [Wilson 1927]."""
    share = hits / n
    z2 = Z95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def rate(hits: Sequence[bool], better: Literal["higher", "lower"] = "higher") -> Measured:
    """A share of rows with Wilson's interval; its standard error is never 0."""
    n = len(hits)
    if n == 0:
        return nothing("share", better)
    low, high = wilson(sum(hits), n)
    return Measured(
        value=sum(hits) / n,
        standard_error=(high - low) / (2 * Z95),
        low=low,
        high=high,
        n=n,
        unit="share",
        better=better,
    )


def paired_rates(pairs: Sequence[tuple[bool, bool]]) -> Measured:
    """Second minus first share on the same rows; half a row is added to each of the four cells
    for the interval, so that it has a width even when no row changed [Agresti and Min 2005]."""
    n = len(pairs)
    if n == 0:
        return nothing("share", "higher")
    gained = sum(second and not first for first, second in pairs)
    lost = sum(first and not second for first, second in pairs)
    up, down, rows = gained + 0.5, lost + 0.5, n + 2
    centre = (up - down) / rows
    error = math.sqrt(up + down - (up - down) ** 2 / rows) / rows
    value = (gained - lost) / n
    return Measured(
        value=value,
        standard_error=error,
        low=min(value, max(-1.0, centre - Z95 * error)),
        high=max(value, min(1.0, centre + Z95 * error)),
        n=n,
        unit="share",
        better="higher",
    )


def mean(
    values: Sequence[float],
    unit: str,
    better: Literal["higher", "lower"] = "higher",
    bounded: bool = False,
) -> Measured:
    """A mean with Student's interval.

    Scores bounded to 0..1 that are all equal get Wilson's interval instead of one of width 0.
    """
    from scipy.special import stdtrit  # Student's quantile; scipy.stats takes a second to load

    n = len(values)
    if n == 0:
        return nothing(unit, better)
    centre = math.fsum(values) / n
    spread = math.sqrt(math.fsum((v - centre) ** 2 for v in values) / (n - 1)) if n > 1 else 0.0
    if bounded and spread == 0.0:
        low, high = wilson(centre * n, n)
        error: float | None = (high - low) / (2 * Z95)
    elif n == 1:
        return Measured(value=centre, standard_error=None, n=1, unit=unit, better=better)
    else:
        error = spread / math.sqrt(n)
        half = float(stdtrit(n - 1, 0.975)) * error
        low, high = centre - half, centre + half
        if bounded:
            low, high = max(0.0, low), min(1.0, high)
    return Measured(
        value=centre, standard_error=error, low=low, high=high, n=n, unit=unit, better=better
    )


def ratio(tops: Sequence[float], bottoms: Sequence[float], unit: str) -> Measured:
    """Sum over sum, such as bits per byte, with the interval of a ratio estimate over rows."""
    n = len(tops)
    if n == 0 or math.fsum(bottoms) == 0:
        return nothing(unit, "lower")
    value = math.fsum(tops) / math.fsum(bottoms)
    if n == 1:
        return Measured(value=value, standard_error=None, n=1, unit=unit, better="lower")
    rest = math.fsum((a - value * b) ** 2 for a, b in zip(tops, bottoms, strict=True))
    error = math.sqrt(rest / (n * (n - 1))) / (math.fsum(bottoms) / n)
    return Measured(
        value=value,
        standard_error=error,
        low=max(0.0, value - Z95 * error),
        high=value + Z95 * error,
        n=n,
        unit=unit,
        better="lower",
    )


def nothing(unit: str, better: Literal["higher", "lower"]) -> Measured:
    """The figure of no rows at all."""
    return Measured(value=None, standard_error=None, n=0, unit=unit, better=better)
