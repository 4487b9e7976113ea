"""Durations: as a person reads them, and how long a race was really at work."""

from datetime import datetime

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


class BusyTime:
    """The time in which at least one piece of work ran: pieces side by side count once.

    Pauses and interruptions do not count, as nothing ran.

    >>> busy = BusyTime()
    >>> busy.add("2026-01-01T00:00:10+00:00", 10.0)
    >>> busy.add("2026-01-01T00:00:12+00:00", 10.0)
    >>> busy.add("2026-01-01T01:00:00+00:00", 5.0)
    >>> busy.seconds
    17.0
    """

    def __init__(self) -> None:
        self._pieces: list[tuple[float, float]] = []

    def add(self, ended: str, seconds: float) -> None:
        """A piece of work that ended at an ISO 8601 time; without one it is put after the last."""
        last = max((end for _, end in self._pieces), default=0.0)
        end = datetime.fromisoformat(ended).timestamp() if ended else last + seconds
        self._pieces.append((end - seconds, end))

    @property
    def seconds(self) -> float:
        """The length of all pieces laid over each other."""
        total, reached = 0.0, float("-inf")
        for begin, end in sorted(self._pieces):
            if end > reached:
                total += end - max(begin, reached)
                reached = end
        return total
