"""What a race agreed on before it started: race.json, written once and never changed."""

from typing import Literal

from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.facts.machine import MachineFacts
from forkpoint.facts.stopping import StopPlan, TemplateWish, TokenRow
from forkpoint.ledger.lines import Trial
from forkpoint.record import Record


class RungPlan(Record):
    """An amount of training, the same rows in the same steps for every arm."""

    index: int  # 1 is the first; 0 means untrained
    unique_rows: int
    passes: float
    steps: int
    share: float  # of the full length, in row visits


Spread = Literal["none", "zero2", "zero3"]  # what the GPUs of one training hold in parts


class MemoryPlan(Record):
    """Peak memory of an arm's largest trial, estimated from shapes before anything was loaded."""

    estimated_bytes: int
    low_bytes: int  # nine measurements in ten should lie between these two
    high_bytes: int
    dominates: str  # the largest part at the peak
    free_bytes: int  # what was free on this machine
    fits: Literal["yes", "perhaps", "no"]
    shrink: int = 0  # how much smaller than usual its trials start, so that they fit
    correction: float = 1.0  # by earlier trials on this machine, already in the figures
    corrected_by: int = 0  # those trials
    devices: int = 1  # GPUs that a trial is spread over; the figures are of one of them
    spread: Spread = "none"
    host_bytes: int = 0  # of a spread trial, in the machine's memory beside each GPU


class DialChange(Record):
    """One dial turned, from what to what."""

    dial: str
    before: str
    after: str


class UnfitArm(Record):
    """An arm that was asked for and never started: this machine's memory cannot hold it."""

    name: str
    checkpoint: str
    approach: str
    memory: MemoryPlan
    changes: tuple[DialChange, ...]  # the cheapest that make it fit; empty: none here does
    changed_bytes: int | None  # the upper end with these changes


class Setup(Record):
    """One way to ask an untrained arm, tried on validation; the kind of arm reads its values."""

    name: str
    values: dict[str, str | int | float] = {}  # noqa: RUF012 - pydantic copies it
    rendering: str = ""  # "chat" or "plain"
    prompt_tokens: float | None = None  # of a usual row, estimated from the rows' lengths


class UntrainedArm(Record):
    """An arm that costs no training: a checkpoint and a way to ask it."""

    name: str  # checkpoint.approach, as of every arm
    checkpoint: str
    approach: str
    stage: str | None
    setups: tuple[Setup, ...]
    left_out: dict[str, str] = {}  # noqa: RUF012 - setup -> catalogue key of the reason


class IneligibleArm(Record):
    """An arm that was asked for and taken out before the race: over a limit, or lacking a need."""

    name: str
    checkpoint: str
    approach: str
    key: str  # catalogue key of the reason
    values: dict[str, str | int | float]


class DocumentsPlan(Record):
    """The folder that is retrieved from."""

    folder: str
    files: int
    passages: int
    passage_characters: float  # mean
    left_out: dict[str, str]  # file -> catalogue key of the reason


class Limits(Record):
    """What an arm must keep to if it is to be used; None: no matter."""

    latency_seconds: float | None = None  # of one answer asked alone
    memory_bytes: int | None = None  # while answering
    licence: str | None = None  # "commercial", "free", or a licence's id


class Speed(Record):
    """How fast one checkpoint is on this machine by the speed probe, in seconds of one clock."""

    start_seconds: float  # of a child process until its rows are rendered
    load_seconds: float  # of the weights
    score_row_seconds: float  # of the likelihood of one row
    answer_batch: int  # prompts answered together
    answer_warmup_seconds: float  # more for a process's first batch than for the others
    answer_prompt_seconds: float  # of reading a batch of prompts
    answer_step_seconds: float  # of one more token of a batch
    answer_tokens: int  # after which a tuned checkpoint's batch is done
    setup_seconds: dict[str, float]  # approach -> loading, wrapping and saving in one training
    train_tokens_per_second: dict[str, float]  # by approach
    alone_prompt_seconds: float | None = None  # of reading one usual prompt by itself
    alone_step_seconds: float | None = None  # of one more token of an answer by itself
    prompt_tokens: float | None = None  # of the prompts that were read


class Correction(Record):
    """What earlier trials on this machine say of an estimate: it is multiplied by `factor`."""

    factor: float
    trials: int
    races: int


class ArmPlan(Record):
    """One arm: a checkpoint and an approach, and how it will be trained."""

    name: str  # checkpoint.approach in lower case; also its folder's name
    checkpoint: str  # as the user named it
    approach: str
    stage: str | None
    renderings: tuple[str, ...]  # settings to be chosen on validation: "chat", "plain"
    centre_rate: float
    rate_reason: str  # catalogue key
    rate_values: dict[str, str | int | float]
    full_tokens: int  # training tokens of one trial at full length, by its own tokenizer
    trainable_parameters: int | None = None
    load_seconds: float  # by the speed probe, here and in the next two
    train_tokens_per_second: float
    answers_per_second: float
    subset: str | None = None  # the rows it trains on, by name; None: all training rows
    replay: float = 0.0  # rows against forgetting beside each task row
    memory: MemoryPlan | None = None  # None: its architecture cannot be computed


class SubsetPlan(Record):
    """Some of the training rows, for arms that train on these only."""

    ids: tuple[str, ...]
    file: str | None = None  # where they were named; None: drawn at random
    named_rows: int = 0  # rows of the file, those that are no training rows included
    null: str | None = None  # the random subset of the same size that it has to beat


class OwnSeedNoise(Record):
    """What earlier races on this machine's store measured of the noise between training seeds."""

    sd: float  # of the same metric, pooled over repeats
    repeats: int
    races: int
    weight: float  # share of it in the noise that is assumed; studies have the rest
    freedom: float  # degrees of freedom of the noise that is assumed


class Settings(Record):
    """Everything that is the same for all arms."""

    seed: int
    metric: str
    metric_reason: str
    margin: float
    threshold: float  # P(best) at which the race may end
    rows_per_step: int
    passes: float
    rate_factors: tuple[float, ...]  # around the centre, the same number for all
    rate_horizon: float = 0.0  # a shorter run's rate is higher: by its share to minus this power
    loss_turns: Literal["last", "all"]
    system_prompt: str | None
    context_tokens: int
    answer_tokens: dict[str, int]  # checkpoint -> limit of new tokens, from training answers
    answer_limit_bytes: int
    truncate: Literal["no", "answers"]
    template: TemplateWish = "auto"  # auto: each checkpoint as its stop plan says
    dtype: str
    device: str
    lora_rank: int
    lora_alpha: int
    schedule: str
    warmup_share: float  # of the optimizer steps of a trial
    finalist_seeds: int
    known_seed_sd: float  # of the primary metric over training seeds, from studies and own races
    general_set: str | None  # which questions measure general ability, None for none
    workers: int  # trials that run at the same time
    decoding: str = "greedy"
    drift: bool = False  # whether the finalists' drift on general prompts is measured
    retain: tuple[str, ...] = ()  # tasks of the evaluation harness, by name or as a file
    floor: str | None = None  # checkpoint whose general ability before is asked of the arms after
    floor_slack: float = 0.0  # how far below it an arm may end
    folds: int = 0  # parts of the rows that are each tested once; 0: one test set

    @property
    def repeats(self) -> int:
        """Trainings of a close finalist beyond its first: further folds, or further seeds."""
        return (self.folds or self.finalist_seeds) - 1


class Sides(Record):
    """What is trained on, decided with and tested together."""

    train_ids: tuple[str, ...]
    rung_validation_ids: tuple[str, ...]
    test_ids: tuple[str, ...]


class NodePlan(Record):
    """A node of the cluster as it was before the race."""

    name: str
    cpus: float
    memory_bytes: int  # that the cluster gives out
    gpus: float


class EnginePlan(Record):
    """Where the trials run, and what each arm's ask for there."""

    kind: Literal["local", "ray"] = "local"
    address: str | None = None  # of the cluster; None: this machine
    storage: str | None = None  # where files come and go; None: a path that all nodes share
    parallel: int = 1  # trials that the racing has under way before it is told of the first
    nodes: tuple[NodePlan, ...] = ()
    cpus: dict[str, float] = {}  # noqa: RUF012 - arm -> of one trial
    gpus: dict[str, float] = {}  # noqa: RUF012 - arm -> of one trial; below 1 it shares one


class Agreement(Record):
    """race.json: arms, splits, settings, versions, budget."""

    schema_version: int = 1
    forkpoint_version: str
    created: str  # ISO 8601, UTC
    goal: str | None
    data_files: tuple[str, ...]
    data_sha256: str
    rows_kept_file: str = "rows.jsonl"  # the rows in use, so that the folder stands alone
    train_ids: tuple[str, ...]
    validation_ids: tuple[str, ...]
    rung_validation_ids: tuple[str, ...]  # the fixed subset that rungs are scored on
    test_ids: tuple[str, ...]
    test_sha256: str
    excluded: dict[str, str]  # row id -> catalogue key of the reason it is left out of all arms
    removed: dict[str, str]  # row id -> catalogue key: duplicates across the splits
    arms: tuple[ArmPlan, ...]
    rungs: tuple[RungPlan, ...]
    settings: Settings
    budget_text: str  # as the user said it
    budget_tokens: int
    brute_force_tokens: int
    predicted_seconds: float
    smallest_difference: float  # that this test set can show, 80 % power
    checkpoints: dict[str, CheckpointFacts]
    machine: MachineFacts
    versions: dict[str, str]
    profile_json: str  # the DataProfile, as JSON
    request_json: str  # what the user asked for, as JSON
    subsets: dict[str, SubsetPlan] = {}  # noqa: RUF012 - pydantic copies it
    speeds: dict[str, Speed] = {}  # noqa: RUF012 - checkpoint -> by the clock on the wall
    processor_speeds: dict[str, Speed] = {}  # noqa: RUF012 - the same in processor seconds
    stations: dict[str, float] = {}  # noqa: RUF012 - predicted seconds of each part of the race
    corrections: dict[str, Correction] = {}  # noqa: RUF012 - approach -> of its trials' seconds
    own_seed_noise: OwnSeedNoise | None = None  # the part of earlier races in `known_seed_sd`
    price: str | None = None  # of an hour of this machine, as the user said it
    unfit: tuple[UnfitArm, ...] = ()  # asked for, and never started
    replay_ids: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 - checkpoint -> rows against forgetting
    advice_json: str | None = None  # the Advice before the race, as JSON
    cut: tuple[str, ...] = ()  # training rows whose answer is cut to the context in some arm
    pair_ids: tuple[str, ...] = ()  # rows with a chosen and a rejected answer, where used
    corpus_ids: tuple[str, ...] = ()  # pieces of raw text, where an approach reads any
    corpus_left_out: int = 0  # pieces that hold the prompt of a held-out row
    twins: dict[str, CheckpointFacts] = {}  # noqa: RUF012 - checkpoint -> trained in its place
    folds: tuple[Sides, ...] = ()  # few rows: the finalists are trained once a fold, and every
    # row is tested once; the race itself runs on the first fold

    untrained: tuple[UntrainedArm, ...] = ()  # races of older versions name none
    ineligible: tuple[IneligibleArm, ...] = ()  # asked for, and against the user's limits
    limits: Limits = Limits()
    documents: DocumentsPlan | None = None
    engine: EnginePlan = EnginePlan()
    curve_prior_json: str | None = None  # what the engine believes of curves; older races: none
    stopping: dict[str, StopPlan] = {}  # noqa: RUF012 - checkpoint -> how its arms learn to stop

    def token_rows(self, checkpoint: str) -> tuple[TokenRow, ...]:
        """Rows of the matrices that a checkpoint's arms train beside their adapters."""
        plan = self.stopping.get(checkpoint)
        return plan.rows if plan else ()

    def prompt_of(self, checkpoint: str) -> str:
        """The name under which a checkpoint's answers before training are written down."""
        name = f"{checkpoint}.prompt"
        named = any(arm.name == name for arm in self.untrained)
        return name if named else f"{checkpoint}.untrained"

    def is_untrained(self, subject: str) -> bool:
        """Whether answers are those of an untrained arm, in races of every version."""
        named = any(arm.name == subject for arm in self.untrained)
        return named or subject.endswith(".untrained")

    def run_rate(self, trial: Trial) -> float:
        """The peak learning rate of a trial's run: its arm's at full length, and higher for a
        shorter run [docs/method.md, 'Rates'].
        """
        share = self.rungs[trial.rung - 1].share
        return float(trial.rate * share**-self.settings.rate_horizon)

    def sides(self, fold: int) -> Sides:
        """The rows of a trial; without folds there is one division of the rows."""
        if self.folds:
            return self.folds[fold]
        return Sides(
            train_ids=self.train_ids,
            rung_validation_ids=self.rung_validation_ids,
            test_ids=self.test_ids,
        )
