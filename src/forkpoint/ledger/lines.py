"""The kinds of line in a ledger; every line has `schema`, `seq`, `time` and `kind`."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from forkpoint.record import Record

SCHEMA = 1


class Line(Record):
    """What every line carries; `seq` counts from 1 without gaps."""

    schema_: int = Field(SCHEMA, alias="schema")
    seq: int = 0
    time: str = ""  # ISO 8601, UTC; for people, never for decisions

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class Trial(Record):
    """One arm taken to one rung at one rate with one seed."""

    arm: str
    rung: int
    rate: float
    seed: int
    rendering: str
    fold: int = 0  # which part of the rows is tested, where every row is tested once

    @property
    def folder(self) -> str:
        """Where its files lie inside the run folder."""
        fold = f"-f{self.fold}" if self.fold else ""
        rate = f"{self.rendering}-{self.rate:.2e}"
        return f"arms/{self.arm}/rung-{self.rung}/{rate}-s{self.seed}{fold}"


class Measured(Record):
    """A score with its standard error and n; None where nothing could be scored."""

    value: float | None
    standard_error: float | None
    low: float | None = None
    high: float | None = None
    n: int
    unit: str
    better: Literal["higher", "lower"]


class AnswerCost(Record):
    """What one answer costs, as the mean over answered rows."""

    prompt_tokens: Measured
    generated_tokens: Measured
    seconds: Measured  # answered in batches; n counts the batches
    alone_seconds: Measured | None = None  # asked by itself; n counts the rows so timed
    peak_bytes: int | None = None  # of the child that answered
    answers: int = 0  # rows that were answered


class TrialStarted(Line):
    """A child was asked to run this trial."""

    kind: Literal["trial_started"] = "trial_started"
    trial: Trial
    attempt: int
    predicted_seconds: float
    planned_tokens: int


class TrialScored(Line):
    """A trial came to its end and was scored on the rung's validation rows."""

    kind: Literal["trial_scored"] = "trial_scored"
    trial: Trial
    attempt: int
    tokens: int  # training tokens, by the arm's own tokenizer
    seconds: float
    train_seconds: float
    resumed_at: int = 0  # optimizer steps taken over from a worker that was lost
    peak_bytes: int | None  # largest resident (CPU) or allocated (GPU) memory of the child
    primary: Measured
    secondary: dict[str, Measured]  # exact match, chrF, length, ...
    likelihood: Measured  # answer bits per byte
    stop: Measured  # stop rate
    stop_bits: Measured  # stop bits per row
    final_loss: float | None
    answers: str  # file of answers, relative to the run folder
    answers_sha256: str
    processor_seconds: float | None = None  # of all threads of the child
    cost: AnswerCost | None = None


class TrialFailed(Line):
    """A trial that did not come to its end, and why."""

    kind: Literal["trial_failed"] = "trial_failed"
    trial: Trial
    attempt: int
    tokens: int  # spent before it failed, as far as known
    seconds: float
    key: str  # catalogue key of the reason
    values: dict[str, str | int | float]
    retry: str | None  # "rate", "smaller" or None: given up


class RateChosen(Line):
    """The rate and rendering that an arm goes on with, chosen on validation."""

    kind: Literal["rate_chosen"] = "rate_chosen"
    arm: str
    rate: float
    rendering: str
    tried: dict[str, float | None]  # "rendering rate" -> primary score
    at_edge: bool


class ArmDropped(Line):
    """An arm leaves the race; never silently."""

    kind: Literal["arm_dropped"] = "arm_dropped"
    arm: str
    rung: int
    key: str  # catalogue key of the reason
    values: dict[str, str | int | float]
    p_best: float | None


class RacingEnded(Line):
    """No more trials are raced: the answer is sure, the budget or the time is spent."""

    kind: Literal["racing_ended"] = "racing_ended"
    key: str  # catalogue key of the reason
    values: dict[str, str | int | float]


class Finalists(Line):
    """The choice made on validation, recorded before the test set is opened."""

    kind: Literal["finalists"] = "finalists"
    roles: dict[str, str]  # "winner", "runner_up", "cheapest", "other_stage" -> arm
    trials: dict[str, tuple[Trial, ...]]  # arm -> its trials (one a seed) at its best rung
    p_best: dict[str, float]  # of every arm, on validation
    predicted: dict[str, tuple[float, float]]  # arm -> mean and SD of its expected final score
    untrained: tuple[str, ...] = ()  # untrained arms that answer the test rows, the best first


class TestOpened(Line):
    """The test set was opened; `times` counts all openings of this set on this machine."""

    __test__ = False  # not a test case

    kind: Literal["test_opened"] = "test_opened"
    test_sha256: str
    times: int


class AnswersMade(Line):
    """A finalist's (or an untrained checkpoint's) answers to a set of rows, scored."""

    kind: Literal["answers_made"] = "answers_made"
    arm: str  # or the checkpoint's name with ".untrained" in races of older versions
    split: Literal["validation", "test"]
    trial: Trial | None  # None for untrained
    setup: str | None = None  # how an untrained arm was asked
    primary: Measured
    secondary: dict[str, Measured]
    likelihood: Measured
    stop: Measured
    stop_bits: Measured
    seconds: float
    answers: str
    answers_sha256: str
    processor_seconds: float | None = None  # of all threads of the child
    cost: AnswerCost | None = None
    shortened: int = 0  # rows whose prompt took fewer pieces than asked, for the context
    shown: str | None = None  # file of a rendered prompt, relative to the run folder


class AnswersFailed(Line):
    """A setup of an untrained arm that came to no answers, and why."""

    kind: Literal["answers_failed"] = "answers_failed"
    arm: str
    setup: str
    seconds: float
    key: str  # catalogue key of the reason
    values: dict[str, str | int | float]


class SetupChosen(Line):
    """How an untrained arm is asked from here on, chosen on validation."""

    kind: Literal["setup_chosen"] = "setup_chosen"
    arm: str
    setup: str
    tried: dict[str, float | None]  # setup -> primary score; None: it failed


class GeneralMeasured(Line):
    """General ability of a checkpoint before, or of an arm after training."""

    kind: Literal["general_measured"] = "general_measured"
    subject: str  # checkpoint or arm
    moment: Literal["before", "after", "null_control"]
    trial: Trial | None
    scores: dict[str, Measured]  # kind of ability -> score
    seconds: float
    outcomes: str  # file of per-question outcomes, relative to the run folder
    outcomes_sha256: str
    processor_seconds: float | None = None  # of all threads of the child


class DriftMeasured(Line):
    """How far a training moved what its checkpoint says to general prompts."""

    kind: Literal["drift_measured"] = "drift_measured"
    subject: str  # arm
    moment: Literal["after", "null_control"]
    trial: Trial
    drift: Measured  # KL divergence of the start from the tuned one
    seconds: float
    processor_seconds: float | None = None  # of all threads of the child


class RetainMeasured(Line):
    """Tasks of the evaluation harness, of a checkpoint before or of an arm after training."""

    kind: Literal["retain_measured"] = "retain_measured"
    subject: str  # checkpoint or arm
    moment: Literal["before", "after"]
    trial: Trial | None
    scores: dict[str, Measured]  # task -> score
    unrun: dict[str, str]  # task -> what the harness said
    seconds: float
    outcomes: str  # file of per-question outcomes, relative to the run folder
    outcomes_sha256: str
    processor_seconds: float | None = None  # of all threads of the child


class Resumed(Line):
    """The race was taken up again after an interruption."""

    kind: Literal["resumed"] = "resumed"
    lost_trials: tuple[str, ...]  # trials that were under way and are run again


class RaceEnded(Line):
    """The end; verdict.json has been written and holds these bytes."""

    kind: Literal["race_ended"] = "race_ended"
    reason: str  # catalogue key: why the racing stopped
    tokens: int
    seconds: float
    verdict_sha256: str


AnyLine = Annotated[
    TrialStarted
    | TrialScored
    | TrialFailed
    | RateChosen
    | ArmDropped
    | RacingEnded
    | Finalists
    | TestOpened
    | AnswersMade
    | AnswersFailed
    | SetupChosen
    | GeneralMeasured
    | DriftMeasured
    | RetainMeasured
    | Resumed
    | RaceEnded,
    Field(discriminator="kind"),
]
