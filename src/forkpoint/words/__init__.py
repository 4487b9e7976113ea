"""The one catalogue of everything a person reads, in English and Chinese.

`AREA.toml` holds entries `[key]` with `en` and `zh`; `say("AREA.key", lang, **values)` fills
the `{placeholders}`. A test holds both languages to the same keys and placeholders. Beside Python's
own formats a placeholder may ask for `{p:chance}`, `{value:score}`, `{regret:gap}` and `{why:key}`.
"""

import locale
import os
import tomllib
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

LANGUAGES = ("en", "zh")
MINUS = "\u2212"
MANY_DIGITS = 10.0  # from here on a score is written with four digits, below with three decimals


@cache
def area(name: str) -> dict[str, dict[str, str]]:
    """All entries of one area: key -> language -> text; raises KeyError for an unknown area."""
    path = files(__package__).joinpath(f"{name}.toml")
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise KeyError(f"the catalogue has no area {name!r}") from None
    entries: dict[str, dict[str, str]] = tomllib.loads(text)
    return entries


def say(key: str, lang: str, **values: Any) -> str:
    """The text of `AREA.key` in a language, its placeholders filled; raises KeyError."""
    name, _, entry = key.partition(".")
    return Words(lang, values).vformat(area(name)[entry][lang], (), values)


class Words(Formatter):
    """Python's formats, and those of numbers and reasons as a person reads them."""

    def __init__(self, lang: str, values: dict[str, Any]) -> None:
        self.lang = lang
        self.values = values

    def format_field(self, value: Any, format_spec: str) -> str:
        """One placeholder's text."""
        match format_spec:
            case "chance":
                return _chance(value, self.lang)
            case "score":
                return _score(value)
            case "gap" if f"{value:.3f}" == "0.000":
                return say("number.least_gap", self.lang)
            case "gap":
                return _score(value)
            case "key":
                return self._reason(str(value))
        return str(super().format_field(value, format_spec))

    def _reason(self, key: str) -> str:
        """The sentence of a key with the values at hand; the key where it needs others."""
        try:
            return say(key, self.lang, **self.values)
        except KeyError:
            return key


def _chance(value: float, lang: str) -> str:
    """A probability in percent, never rounded to none or to certainty."""
    text = f"{value:.1%}"
    if text in ("0.0%", "100.0%"):
        return say("number.least_chance" if value < 0.5 else "number.most_chance", lang)
    return text


def _score(value: float) -> str:
    text = f"{abs(value):.3f}" if abs(value) < MANY_DIGITS else f"{abs(value):,.4g}"
    return MINUS + text if value < 0 and text.strip("0.") else text


def system_language() -> str:
    """`zh` when the locale says Chinese, else `en`."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "zh" if (locale.getlocale()[0] or "").lower().startswith("zh") else "en"
