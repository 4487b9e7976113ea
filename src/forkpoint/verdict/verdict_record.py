"""The answer of a race, as one record: verdict.json."""

from typing import Literal

from forkpoint.record import Figure, Record

VerdictKind = Literal[
    "better",  # the winner's interval over the runner-up is above 0
    "equal_enough",  # the whole interval is within the margin: the cheaper is named
    "not_enough_evidence",
    "floor",  # no arm can be told from the trivial answer
    "ceiling",
    "depends_on_rate",  # the winner changes at neighbouring rates
]


class Comparison(Record):
    """Arm A minus arm B in the primary metric, on the same rows."""

    a: str
    b: str
    difference: Figure
    p_value: float | None  # two-sided, Holm-adjusted except for the headline
    headline: bool
    says: Literal["a_better", "b_better", "equal_enough", "unclear"]


class ArmResult(Record):
    """One line of the table of results."""

    arm: str
    rung: int
    rate: float | None
    rendering: str | None
    seeds: int
    dropped: bool
    roles: tuple[str, ...]
    validation: Figure | None
    test: Figure | None
    untrained: Figure | None  # the same checkpoint before training, on test (else validation)
    bits_per_byte: Figure | None
    stop_bits: Figure | None
    stop_rate: Figure | None
    p_best: float | None
    tokens: int  # spent on this arm in all
    seconds: float
    peak_bytes: int | None
    preferred: Figure | None = None  # chosen found likelier than rejected, on test else validation


WorthKind = Literal[
    "worth_it",  # the interval of trained minus untrained is above 0
    "not_worth_it",  # it is below 0
    "equal_enough",  # within the margin: asking costs no training
    "unclear",
    "floor",  # neither can be told from the trivial answer
]


class Worth(Record):
    """Trained minus untrained in the primary metric, on the same test rows."""

    kind: WorthKind
    trained: str
    untrained: str
    difference: Figure
    p_value: float  # two-sided


class CostResult(Record):
    """What one answer of an arm costs, the mean over its answered rows."""

    arm: str
    split: Literal["validation", "test"]
    prompt_tokens: Figure | None
    generated_tokens: Figure | None
    seconds: Figure | None  # answered in batches
    alone_seconds: Figure | None  # asked by itself
    peak_bytes: int | None
    money: str | None  # of a thousand answers in batches, at the user's price


class UntrainedResult(Record):
    """One arm that costs no training."""

    arm: str
    checkpoint: str
    approach: str
    setup: str | None  # how it is asked, chosen on validation; None: none of its setups answered
    tried: dict[str, float | None]  # setup -> validation score
    validation: Figure | None
    test: Figure | None
    stop_rate: Figure | None
    shortened: int = 0  # test rows whose prompt took fewer pieces than asked, for the context


class Change(Record):
    """General ability of one kind: before, after, and the paired difference."""

    subject: str  # arm
    ability: str  # "knowledge", "instruction", ...
    before: Figure
    after: Figure
    difference: Figure
    null_control: Figure | None = None  # difference that a random adapter makes


class Drift(Record):
    """How far a training moved what its checkpoint says to general prompts."""

    subject: str  # arm
    drift: Figure  # KL divergence of the start from the tuned one, nats a token
    null_control: Figure | None = None  # the same for a random move as long


class FloorStanding(Record):
    """General ability of an arm after training beside the floor's before."""

    arm: str
    difference: Figure  # mean over kinds of ability, paired
    says: Literal["holds", "below", "unclear"]


class FloorVerdict(Record):
    """Who keeps the ability that was asked for."""

    checkpoint: str  # whose ability before training is the floor
    slack: float
    standings: tuple[FloorStanding, ...]


class Verdict(Record):
    """What the race answers, and how sure it is."""

    schema_version: int = 1
    kind: VerdictKind
    fork_point: str | None  # the checkpoint that is named
    arm: str | None  # with its approach
    reasons: tuple[tuple[str, dict[str, str | int | float]], ...]  # catalogue key and values
    metric: str
    margin: float
    p_best: float | None
    p_best_cap: str | None  # catalogue key: why it could not be higher
    expected_regret: float | None
    runner_up: str | None
    runner_up_p_best: float | None
    headline: Comparison | None
    comparisons: tuple[Comparison, ...]
    results: tuple[ArmResult, ...]
    changes: tuple[Change, ...]
    trivial: Figure | None  # score of the trivial answer (majority label, ...)
    seed_sd: Figure | None  # noise between training seeds
    test_rows: int  # compared
    test_folds: int = 0  # trainings that each tested a part of the rows; 0: one test set
    test_unscored: int = 0  # left out for all arms: a scorer gave some answer no score
    test_openings: int
    smallest_difference: float
    spent_tokens: int
    brute_force_tokens: int
    budget_tokens: int
    seconds: float
    predicted_seconds: float
    likelihood_rank_agreement: Figure | None  # Kendall's tau of likelihood against primary
    drifts: tuple[Drift, ...] = ()
    floor: FloorVerdict | None = None  # None: none was asked for
    retain_failed: dict[str, str] = {}  # noqa: RUF012 - task -> why the harness could not run it
    worth: Worth | None = None  # None: no untrained arm was tested, or the metric is likelihood
    untrained: tuple[UntrainedResult, ...] = ()
    costs: tuple[CostResult, ...] = ()
