"""The one catalogue of everything a person reads, in English and Chinese.

`AREA.toml` holds entries `[key]` with `en` and `zh`; `say("AREA.key", lang, **values)` fills
the `{placeholders}`. A test holds both languages to the same keys and placeholders.
"""

import locale
import os
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "zh")


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
    return area(name)[entry][lang].format(**values)


def system_language() -> str:
    """`zh` when the locale says Chinese, else `en`."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "zh" if (locale.getlocale()[0] or "").lower().startswith("zh") else "en"
