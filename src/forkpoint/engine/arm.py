"""What goes into the engine and what comes out of it: arms, asks, scores."""

from typing import Literal

from forkpoint.record import Record

Kind = Literal["fresh", "continued"]
Channel = Literal["primary", "likelihood"]


class Arm(Record):
    """One candidate; its name is an identity and nothing is ever inferred from it.

    `stage` only serves the rule that a stage's last arm is not dropped on likelihood alone.
    `rungs` limits the arm to some rung indices (None: all). An arm that does not train
    (a prompt, RAG) has the same expected score at every rung and costs nothing to run.
    """

    name: str
    cost_per_token: float = 1.0
    stage: str | None = None
    rungs: tuple[int, ...] | None = None
    trains: bool = True


class Score(Record):
    """One measured figure of a trial; `standard_error` is over rows, 0 when exact."""

    value: float
    standard_error: float
    n: int
    unit: str
    better: Literal["higher", "lower"]
    channel: Channel = "primary"


class Ask(Record):
    """A trial that may run now: an arm to a rung; `amount_tokens` counts from the arm's start."""

    arm: str
    rung: int
    amount_tokens: int
    kind: Kind


class Paired(Record):
    """Covariance of the errors of this trial's primary score and another's on the same rows."""

    arm: str
    rung: int
    covariance: float
