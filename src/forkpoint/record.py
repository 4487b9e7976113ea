"""The one base of everything that is saved: a frozen record that goes to JSON and back."""

from typing import Self

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A frozen, named set of values; unknown fields are an error, so a typo never passes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self, indent: int | None = None) -> str:
        """JSON text with Chinese kept readable; non-finite numbers become null."""
        return self.model_dump_json(indent=indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The record read back from `to_json`'s text."""
        return cls.model_validate_json(text)


class Figure(Record):
    """A number that a person reads: with its interval, its n, and how it came to be."""

    value: float
    low: float | None = None  # lower end of the 95 % interval
    high: float | None = None  # upper end of the 95 % interval
    n: int | None = None
    unit: str = ""
    origin: str  # "measured" | "estimated" | "published" | "ruled"
    source: str = ""  # key of forkpoint.sources, or where it was measured
