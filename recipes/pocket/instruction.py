"""What an instruction is, how it is worded, and how an answer is checked."""

import re
import tomllib
from functools import cache
from typing import Any, NamedTuple

from recipes.pocket.world import EN, HERE, LANGUAGES, Draw

Wordings = dict[str, Any]


class Task(NamedTuple):
    """An instruction with the answer that is right."""

    kind: str
    prompt: str
    answer: str
    check: dict[str, Any]


@cache
def wordings() -> Wordings:
    """The tables of wordings.toml."""
    return tomllib.loads((HERE / "wordings.toml").read_text("utf-8"))


def worded(d: Draw, kind: str, **slots: object) -> str:
    """The instruction of this kind in one of its wordings, with something before it or not."""

    def pick(name: str) -> str:
        table: Any = wordings()
        for part in name.split("."):
            table = table[part]
        return str(d.rng.choice(table["held" if d.held else "seen"][LANGUAGES[d.language]]))

    return pick("lead") + pick(kind).format(**slots)


def exactly(answer: str) -> dict[str, Any]:
    """The check that the answer's first line or lines are this; a full stop may follow."""
    return {"type": "regex", "value": rf"^\s*{re.escape(answer)}[.。!！]?\s*(\n|$)"}


# What a refusal looks like, in either language.
DECLINES = "(?i)(can ?not|can't|will not|won't) help|it is wrong|不能帮|不会帮|无法帮|是不对的"


def listing(d: Draw, items: list[str]) -> str:
    """Items in a row as one writes them in this language."""
    return (", " if d.language == EN else "，").join(items)
