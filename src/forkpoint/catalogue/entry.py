"""One checkpoint of the catalogue."""

from datetime import date
from typing import Any, Literal

from pydantic import Field

from forkpoint.facts.checkpoint_facts import SoldAs, Stage
from forkpoint.record import Record

Kind = Literal["text", "code", "vision", "thinking"]
STAGES: dict[str, Stage] = {  # the guides' stage of what a publisher sells
    "base": "base", "instruct": "instruct", "it": "instruct", "chat": "chat", "thinking": "chat",
    "none": "chat",
}  # fmt: skip


class Entry(Record):
    """Facts as they were read; one that could not be read is absent."""

    id: str  # on the Hub
    family: str
    sold_as: SoldAs  # "none": tuned, and the name says nothing of it
    kind: Kind
    licence: str | None = None  # as the card names it
    context_tokens: int | None = None
    languages: tuple[str, ...] = ()  # that the source lists
    released: str | None = None  # ISO date
    twins: tuple[str, ...] = ()  # the other stage of the same size
    shape: dict[str, Any] | None = None  # fields of config.json
    read: date
    sources: dict[str, str] = Field(default_factory=dict)  # fact -> address

    @property
    def stage(self) -> Stage:
        """The guides' stage: what it is sold as, and tuned where the name says nothing."""
        return STAGES[self.sold_as]
