"""Everything that any renderer shows of one race, as one plain record."""

from typing import Literal

from pydantic import Field

from forkpoint.data.profile_record import DataProfile
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.facts.machine import MachineFacts
from forkpoint.ledger import (
    Correction,
    IneligibleArm,
    MemoryPlan,
    OwnSeedNoise,
    Setup,
    UnfitArm,
)
from forkpoint.record import Figure, Record
from forkpoint.run.outcome import Outcome
from forkpoint.verdict.enough import Enough
from forkpoint.verdict.verdict_record import (
    ArmResult,
    Change,
    Comparison,
    CostResult,
    UntrainedResult,
    Verdict,
)
from forkpoint.votes.strengths import Preferences

Progress = Literal["ended", "under_way", "interrupted"]
ArmState = Literal["waiting", "racing", "not_chosen", "dropped", "failed", "finalist", "winner"]
AnswerGroup = Outcome


class Saying(Record):
    """A sentence as a catalogue key and its values, so that it can be told in any language."""

    key: str
    values: dict[str, str | int | float] = Field(default_factory=dict)


class Excerpt(Record):
    """Text of the data or of a model, bounded."""

    text: str
    more_characters: int = 0  # left out after `text`


class TrialView(Record):
    """One trial: what was foreseen, what was measured."""

    arm: str
    rung: int
    rate: float
    seed: int
    rendering: str
    attempt: int
    state: Literal["running", "scored", "failed"]
    chosen: bool  # at the arm's chosen rate and rendering
    planned_tokens: int | None
    tokens: int | None
    predicted_seconds: float | None
    seconds: float | None
    peak_bytes: int | None
    primary: Figure | None
    bits_per_byte: Figure | None
    stop_rate: Figure | None
    stop_bits: Figure | None
    secondary: dict[str, Figure] = Field(default_factory=dict)
    final_loss: float | None
    failure: Saying | None
    retry: str | None


class ArmView(Record):
    """One arm: its plan, its fate, its result, its trials."""

    name: str
    checkpoint: str
    approach: str
    stage: str | None
    sold_as: str | None
    post_training: str | None
    parameters: int | None
    trainable_parameters: int | None
    renderings: tuple[str, ...]
    state: ArmState
    fate: Saying | None  # why it is out
    out_at_rung: int | None
    out_at_tokens: int | None
    centre_rate: float
    rate_reason: Saying
    rate_at_edge: bool
    full_tokens: int
    result: ArmResult
    trials: tuple[TrialView, ...]
    subset: str | None = None  # the rows it was trained on, by name; None: all
    replay: float = 0.0  # rows against forgetting beside each task row


class AnswerView(Record):
    """What one arm answered to one row."""

    arm: str
    text: Excerpt
    group: AnswerGroup
    score: float | None
    stopped: bool
    tokens: int | None


class RowView(Record):
    """One row with its prompt, the expected answer, and what several arms made of it."""

    row_id: str
    file: str
    line: int
    split: str
    prompt: tuple[tuple[str, Excerpt], ...]  # role, text
    gold: Excerpt
    answers: tuple[AnswerView, ...]


class AnswerCounts(Record):
    """How the answers of one arm fall into groups; the groups add up to `n`."""

    arm: str
    split: str
    n: int
    groups: dict[AnswerGroup, int]


class MaskView(Record):
    """One row as an arm trains on it; the pieces with True carry loss."""

    arm: str
    row_id: str
    pieces: tuple[tuple[Excerpt, bool], ...]


class PromptView(Record):
    """One prompt of an untrained arm, as its checkpoint reads it."""

    arm: str
    setup: Setup | None
    row_id: str
    pieces: int  # examples or passages in it
    text: Excerpt


class UntrainedView(Record):
    """One untrained arm: how it is asked and what came of it."""

    result: UntrainedResult
    setup: Setup | None
    tested: bool  # it answered the test rows


class GuideView(Record):
    """What one rule said before the race: the checkpoints it favours and those it is against."""

    code: str
    question: Saying
    favours: tuple[str, ...]
    against: tuple[str, ...]
    strength: str
    why: Saying


class DisagreementView(Record):
    """A question that the guides answer differently: each side and whom it speaks for."""

    question: Saying
    sides: tuple[tuple[Saying, tuple[str, ...]], ...]


class AdvisedView(Record):
    """An arm's place in the order "run these first" of the advice; 1 is the first."""

    checkpoint: str
    approach: str
    place: int
    ruled_out: bool


class SettingView(Record):
    """One setting, its value, and where it comes from."""

    name: str
    value: str | int | float | None
    reason: Saying | None


class RungView(Record):
    """One amount of training."""

    index: int
    unique_rows: int
    passes: float
    steps: int
    share: float


class SplitView(Record):
    """Rows of one split."""

    name: str
    rows: int
    sha256: str | None


class CostView(Record):
    """What the race cost, beside what was foreseen and what brute force would cost."""

    spent: Figure  # tokens
    brute_force: Figure  # tokens
    budget: Figure  # tokens
    budget_text: str
    share: Figure | None  # spent over brute force
    seconds: Figure
    predicted_seconds: Figure
    trials: int
    failed_trials: int
    resumed: int


class Foreseen(Record):
    """The estimates of a race, made before it began."""

    memory: dict[str, MemoryPlan] = {}  # noqa: RUF012 - arm -> peak of one trial
    stations: dict[str, float] = {}  # noqa: RUF012 - seconds of each part of the race
    corrections: dict[str, Correction] = {}  # noqa: RUF012 - approach -> of its trials' seconds
    own_seed_noise: OwnSeedNoise | None = None
    metric: str = ""  # that this noise is of
    unfit: tuple[UnfitArm, ...] = ()
    ineligible: tuple[IneligibleArm, ...] = ()
    price: str | None = None  # of an hour, as the user said it


class View(Record):
    """A run folder as any renderer needs it; parts that are missing are named in `missing`."""

    schema_version: int = 1
    run: str  # the folder's name
    progress: Progress
    created: str
    updated: str  # time of the last ledger line
    forkpoint_version: str
    goal: str | None
    data_files: tuple[str, ...]
    metric: str
    margin: float
    verdict: Verdict | None
    end_reason: Saying | None
    missing: tuple[Saying, ...]
    notices: tuple[Saying, ...]
    arms: tuple[ArmView, ...]
    comparisons: tuple[Comparison, ...]
    changes: tuple[Change, ...]
    general_before: dict[str, dict[str, Figure]]  # checkpoint -> kind of ability -> score
    untrained: dict[str, Figure]  # checkpoint -> primary score on test before training
    untrained_validation: dict[str, Figure]
    rank_agreement: Figure | None
    cost: CostView
    foreseen: Foreseen = Foreseen()
    rungs: tuple[RungView, ...]
    side_by_side: tuple[RowView, ...]
    bad_cases: tuple[RowView, ...]  # of the arm in `bad_arm`
    bad_arm: str | None
    answer_counts: tuple[AnswerCounts, ...]
    masks: tuple[MaskView, ...]
    splits: tuple[SplitView, ...]
    excluded: tuple[tuple[Saying, int], ...]  # reason, rows
    profile: DataProfile | None
    guides: tuple[GuideView, ...]
    disagreements: tuple[DisagreementView, ...]
    advised: tuple[AdvisedView, ...]
    settings: tuple[SettingView, ...]
    checkpoints: dict[str, CheckpointFacts]
    machine: MachineFacts
    versions: dict[str, str]
    hashes: dict[str, str]
    command: str
    votes: Preferences | None = None  # None where nobody voted
    asked: tuple[UntrainedView, ...] = ()  # untrained arms, the best on validation first
    costs: tuple[CostResult, ...] = ()  # of an answer of every arm
    prompts: tuple[PromptView, ...] = ()
    enough: tuple[Enough, ...] = ()  # whether more rows would help, for arms that were asked
