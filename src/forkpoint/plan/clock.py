"""Durations as a person reads them."""

from forkpoint.words import say


def minutes(seconds: float, lang: str) -> str:
    """A duration in two units at most.

    >>> minutes(45, "en"), minutes(150, "en"), minutes(4000, "en"), minutes(150, "zh")
    ('45 s', '2 min 30 s', '1 h 7 min', '2 分 30 秒')
    """
    whole = round(seconds)
    if whole < 60:
        return say("race.clock_seconds", lang, seconds=whole)
    if whole < 600:
        return say("race.clock_both", lang, minutes=whole // 60, seconds=whole % 60)
    short = round(whole / 60)
    if short < 60:
        return say("race.clock_minutes", lang, minutes=short)
    return say("race.clock_hours", lang, hours=short // 60, minutes=short % 60)
