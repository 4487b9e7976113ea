"""What is wrong with one row: raised while it is built, kept as a fault, told as a sentence."""

from typing import Any

from forkpoint.data.checks.private import masked
from forkpoint.data.profile_record import RowFault
from forkpoint.errors import BadInput
from forkpoint.words import say

SHOWN_CHARACTERS = 60  # characters of a user's own text that a sentence quotes


class BadRow(Exception):
    """A row that cannot be used: a catalogue key and the values of its sentence."""

    def __init__(self, key: str, **values: str | int | float) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


class BrokenRow(BadInput):
    """A fault that stops the reading: `note` is the catalogue key of what it means."""

    def __init__(self, key: str, *, note: str, file: str, line: int, **values: Any) -> None:
        super().__init__(key, note=note, file=file, line=line, **values)

    def message(self, lang: str = "en") -> str:
        fault = RowFault(
            file=self.values["file"],
            line=self.values["line"],
            key=self.key,
            values={k: v for k, v in self.values.items() if k not in ("note", "file", "line")},
        )
        return f"{say(self.values['note'], lang)}\n  {fault_sentence(fault, lang)}"


def fault_sentence(fault: RowFault, lang: str) -> str:
    """Where the broken row is, what is wrong with it, and how to mend it; secrets blotted out."""
    what = masked(say(fault.key, lang, **fault.values))
    return say("data.fault_at", lang, file=fault.file, line=fault.line, what=what)


def shown(value: object) -> str:
    """A value as a sentence may quote it: one line, short, without control characters."""
    text = value[:400] if isinstance(value, str) else repr(value)[:400]
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def json_type(value: object) -> str:
    """What JSON calls the type of a value."""
    names = {str: "string", bool: "boolean", int: "number", float: "number", dict: "object",
             list: "array", type(None): "null"}  # fmt: skip
    return names.get(type(value), type(value).__name__)
