"""Numbers, names and sentences as a person reads them, in English or Chinese."""

from forkpoint.errors import ForkpointError
from forkpoint.record import Figure
from forkpoint.report.view_record import Saying
from forkpoint.words import say

MINUS = "\u2212"
SURE = 0.99  # a chance above is written as > 99 %, and its mirror as < 1 %
SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
COUNTS = {
    "en": ((1e9, 1e9, "B"), (1e6, 1e6, "M"), (1e4, 1e3, "k")),
    "zh": ((1e8, 1e8, " 亿"), (1e4, 1e4, " 万")),
}  # from, divided by, unit


def w(key: str, lang: str, **values: object) -> str:
    """An entry of the report's own catalogue."""
    return say(f"report.{key}", lang, **values)


def told(saying: Saying, lang: str) -> str:
    """The sentence; for a key that this version no longer knows, the key and its values.

    Run folders are read for ever, the catalogue changes: an old reason must not end a report.
    """
    try:
        return say(saying.key, lang, **saying.values)
    except (KeyError, ValueError, IndexError, TypeError, AttributeError):
        values = ", ".join(f"{name} {value}" for name, value in saying.values.items())
        return f"{saying.key} ({values})" if values else saying.key


def named(kind: str, name: str | None, lang: str) -> str:
    """The word for a known name of some kind (metric, approach, stage, ...), else the name."""
    if not name:
        return w("none", lang)
    try:
        return w(f"{kind}_{name}", lang)
    except KeyError:
        return _own_title(name, lang) if kind == "approach" else name


def _own_title(name: str, lang: str) -> str:
    """What an approach from another package calls itself; its name where it is not installed."""
    from forkpoint.train.approach import approaches
    from forkpoint.untrained import kinds

    try:
        known = approaches().get(name) or kinds().get(name)
    except ForkpointError:  # a broken package must not end a report
        return name
    return str(getattr(known, "TITLE", {}).get(lang, name))


def number(value: float | None, digits: int = 3, signed: bool = False) -> str:
    """A plain number with a true minus sign.

    >>> number(-0.0421), number(0.04, signed=True)
    ('−0.042', '+0.040')
    """
    if value is None:
        return "–"
    text = f"{abs(value):,.{digits}f}"
    if not text.strip("0.,"):
        return text
    return (MINUS if value < 0 else "+" if signed else "") + text


def span(figure: Figure | None, lang: str, digits: int = 3, signed: bool = False) -> str:
    """The 95 % interval of a figure, empty where it has none."""
    if figure is None or figure.low is None or figure.high is None:
        return ""
    low, high = number(figure.low, digits, signed), number(figure.high, digits, signed)
    return w("span", lang, low=low, high=high)


def tight_span(figure: Figure, lang: str) -> str:
    """The 95 % interval in the least room: a dash where no minus sign can be confused with it."""
    if figure.low is None or figure.high is None or figure.low < 0:
        return span(figure, lang, 2)
    return f"{number(figure.low, 2)}–{number(figure.high, 2)}"


def count(value: float | None, lang: str) -> str:
    """A count of tokens or rows, shortened where the last digits say nothing.

    >>> count(642_000, "en"), count(642_000, "zh"), count(360, "en")
    ('642k', '64.2 万', '360')
    """
    if value is None:
        return "–"
    for least, divisor, unit in COUNTS[lang]:
        if value >= least:
            scaled = value / divisor
            return f"{scaled:,.0f}{unit}" if scaled >= 100 else f"{scaled:.3g}{unit}"
    return f"{value:,.0f}"


def size(value: float | None) -> str:
    """Bytes in decimal units."""
    if value is None:
        return "–"
    for unit, name in SIZES:
        if value >= unit:
            return f"{value / unit:.3g} {name}"
    return f"{value:,.0f} B"


def duration(seconds: float | None, lang: str) -> str:
    """A time in the two largest units that say something.

    >>> duration(227.4, "en"), duration(7_300, "zh"), duration(2.31, "en")
    ('3 min 47 s', '2 小时 1 分', '2.3 s')
    """
    if seconds is None:
        return "–"
    if seconds < 10:
        return w("seconds", lang, seconds=f"{seconds:.1f}")
    whole = round(seconds)
    if whole < 60:
        return w("seconds", lang, seconds=whole)
    if whole < 3600:
        return w("minutes", lang, minutes=whole // 60, seconds=whole % 60)
    return w("hours", lang, hours=whole // 3600, minutes=whole % 3600 // 60)


def chance(value: float | None) -> str:
    """A probability in whole percent, never rounded to certainty.

    >>> chance(0.704), chance(0.9993), chance(0.002), chance(0.0)
    ('70%', '> 99%', '< 1%', '< 1%')
    """
    if value is None:
        return "–"
    if value > SURE:
        return "> 99%"
    return "< 1%" if value < 1 - SURE else f"{value:.0%}"


def percent(value: float | None) -> str:
    """A share in percent."""
    return "–" if value is None else f"{value:.0%}"


def rate(value: float | None) -> str:
    """A learning rate.

    >>> rate(0.0043)
    '4.3e-3'
    """
    if value is None:
        return "–"
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"
