"""Sizes as people write them."""

import re

from forkpoint.errors import BadInput

UNITS = {  # bytes; a card sold as 24 GB holds a little more than 24e9, so GB errs on the safe side
    "": 1e9,
    "b": 1.0,
    "k": 1e3,
    "kb": 1e3,
    "m": 1e6,
    "mb": 1e6,
    "g": 1e9,
    "gb": 1e9,
    "t": 1e12,
    "tb": 1e12,
    "kib": 2.0**10,
    "mib": 2.0**20,
    "gib": 2.0**30,
    "tib": 2.0**40,
}
HUNDREDTHS_BELOW = 10e9  # bytes; smaller sizes are shown to 10 MB
SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)


def size_bytes(text: str) -> float:
    """Bytes of "24GB", "24 GiB", "24000MB" or "24"; raises BadInput.

    >>> size_bytes("24GB")
    24000000000.0
    """
    found = SIZE.fullmatch(text)
    unit = UNITS.get(found[2].lower()) if found else None
    if found is None or unit is None or float(found[1]) <= 0:
        raise BadInput("estimate.bad-size", found=text[:40])
    return float(found[1]) * unit


def size_text(count: float) -> str:
    """Bytes as GB (1e9 bytes), or MB below one GB.

    >>> size_text(563e6), size_text(24e9)
    ('563 MB', '24.0 GB')
    """
    if count < 1e9:
        return f"{count / 1e6:.0f} MB"
    return f"{count / 1e9:.2f} GB" if count < HUNDREDTHS_BELOW else f"{count / 1e9:.1f} GB"
