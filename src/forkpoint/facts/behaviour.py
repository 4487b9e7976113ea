"""What a checkpoint did when it was asked: the record that a behaviour probe leaves."""

from typing import Literal

from forkpoint.record import Record


class Count(Record):
    """How often something happened."""

    hits: int
    n: int

    @property
    def share(self) -> float:
        """The part, 0 where nothing was asked."""
        return self.hits / self.n if self.n else 0.0


class Behaviour(Record):
    """Measured on the shipped probes, greedily, in one rendering."""

    # its own template; one borrowed from its family, whose turn tokens it has; or plain text
    rendering: Literal["chat", "borrowed", "plain"]
    end_probability: float  # the greatest P(end of turn) after a finished answer
    end_probability_mean: float
    answers: int  # finished answers that the probability was read after
    stopped: Count  # ended the turn before the limit
    followed: Count  # did what the instruction asked for
    echoed: Count  # wrote a turn of another role
    continued: Count  # went on with the prompt's text
    offered: Count  # offered a follow-up
    declined: Count  # of requests that an aligned checkpoint declines
    limit_tokens: int
    seconds: float
