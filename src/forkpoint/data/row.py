"""One row of training data, whatever file format it came from."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Role = Literal["system", "user", "assistant", "tool"]
NOTHING_ELSE: Mapping[str, str] = {}


class Turn(NamedTuple):
    """One message of a conversation."""

    role: Role
    content: str


class Row(NamedTuple):
    """One example: a conversation that ends in an answer, a preference pair, or raw text.

    A named tuple, for a million of them are made: five times quicker than a frozen dataclass.

    `turns` holds all messages; for a row with an answer the last turn is the assistant's.
    `rejected` is the worse answer of a preference pair (the better one is the last turn).
    `text` is set for raw text only, and then `turns` is empty.
    """

    id: str  # first 16 hex digits of the SHA-256 of the row's canonical content
    file: str
    line: int  # 1-based line, or 1-based index in a JSON array or a table
    turns: tuple[Turn, ...] = ()
    rejected: str | None = None
    text: str | None = None
    tools: str | None = None  # JSON text of the tools offered, if any
    extra: Mapping[str, str] = NOTHING_ELSE  # other fields: group, time, id, ...

    @property
    def answer(self) -> str:
        """The text to be learned: the last assistant turn, or the raw text."""
        return self.text if self.text is not None else self.turns[-1].content

    @property
    def prompt(self) -> tuple[Turn, ...]:
        """All turns before the answer."""
        return self.turns[:-1]
