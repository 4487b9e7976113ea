"""Durations as a person reads them."""


def minutes(seconds: float) -> str:
    """A duration in two units at most.

    >>> minutes(45), minutes(150), minutes(4000)
    ('45 s', '2 min 30 s', '1 h 7 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole < 600 else f"{round(whole / 60)} min"
    return f"{whole // 3600} h {round(whole % 3600 / 60)} min"
