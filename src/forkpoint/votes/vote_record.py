"""What a run folder's votes.jsonl holds: votes, and where answers were sent to be judged."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from forkpoint.record import Record

SCHEMA = 1

Choice = Literal["first", "second", "tie", "both_bad"]  # of two answers in the order shown
CHOICES: tuple[Choice, ...] = ("first", "second", "tie", "both_bad")


class Judged(Record):
    """One question to a judge: which arm stood first, and what came back."""

    first: str
    choice: Choice
    reply: str  # as it came, bounded


class Vote(Record):
    """One decision between two arms' answers to one row."""

    schema_version: int = SCHEMA
    kind: Literal["vote"] = "vote"
    time: str  # ISO 8601, UTC
    voter: str  # the name a person gave, or a judge's model
    by: Literal["person", "judge"]
    row_id: str
    first: str  # arm whose answer was shown first
    second: str
    choice: Choice
    answers_sha256: str  # of the two answers voted on, so that a vote never outlives them
    judged: tuple[Judged, ...] = ()  # a judge's two questions, one in each order

    @property
    def winner(self) -> str | None:
        """The arm that was preferred; None for a tie and for both bad."""
        return {"first": self.first, "second": self.second}.get(self.choice)

    @property
    def arms(self) -> tuple[str, str]:
        """The two arms, in an order that does not depend on the side they were shown on."""
        return (self.first, self.second) if self.first < self.second else (self.second, self.first)


class Sending(Record):
    """Answers were about to be sent to a judge; written before the first request."""

    schema_version: int = SCHEMA
    kind: Literal["sending"] = "sending"
    time: str
    host: str
    loopback: bool
    model: str
    pairs: int
    rows: int
    with_expected: bool  # whether the expected answers went along


VotesLine = Annotated[Vote | Sending, Field(discriminator="kind")]
VOTES_LINE: TypeAdapter[VotesLine] = TypeAdapter(VotesLine)


class Pair(Record):
    """Two arms' different answers to one row, as one voter sees them."""

    id: str  # says nothing about the arms, so that it may be shown
    row_id: str
    first: str
    second: str
    prompt: tuple[tuple[str, str], ...]  # role, text
    answers: tuple[str, str]  # first, second
    expected: str
    answers_sha256: str
