"""What is kept of a finished race: facts and figures, no row, no answer, no path."""

from forkpoint.record import Record


class PastArm(Record):
    """One arm of a finished race: what it was, how it scored, what it cost beside the estimate."""

    name: str
    checkpoint: str
    identity: str  # of the checkpoint's files
    family: str | None
    stage: str | None
    post_training: str | None
    parameters: int | None
    approach: str
    test: float | None
    validation: float | None
    p_best: float | None
    rate: float | None
    tokens: int
    trials: int  # that came to their end
    seconds: float  # of these trials
    predicted_seconds: float  # of the same, before any correction; 0.0 where none was made
    peak_bytes: int | None
    predicted_bytes: int | None  # before any correction


class PastRace(Record):
    """A finished race as later races learn from it."""

    schema_version: int = 1
    race_id: str
    created: str  # ISO 8601, UTC
    ended: str
    forkpoint_version: str
    data_sha256: str
    test_sha256: str
    rows: int
    test_rows: int
    job: str
    answer_kind: str
    languages: dict[str, float]
    metric: str
    machine: str  # key of the machine and of how it was used
    machine_text: str
    verdict: str
    fork_point: str | None
    arm: str | None
    stage: str | None  # of the fork point
    p_best: float | None
    seed_sd: float | None  # of the primary metric, measured on repeats; None: none were made
    seed_repeats: int = 0
    tokens: int
    seconds: float
    predicted_seconds: float
    arms: tuple[PastArm, ...]
