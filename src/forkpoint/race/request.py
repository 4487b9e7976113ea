"""What a user asks of a race, before anything is known."""

from typing import Literal

from forkpoint.data.profile_record import Format
from forkpoint.facts.stopping import TemplateWish
from forkpoint.record import Record

MARGIN = 0.02  # of the primary metric: smaller differences are called equal [docs/method.md]
THRESHOLD = 0.95  # P(best) at which the racing may end
FINALIST_SEEDS = 3  # training seeds of finalists that are close [docs/method.md]


class RaceRequest(Record):
    """Data, candidates and dials; what is None is derived and printed with its reason."""

    data: str
    models: tuple[str, ...]
    approaches: tuple[str, ...] = ("lora", "full")
    budget: str = "auto"
    goal: str | None = None
    metric: str | None = None
    margin: float = MARGIN
    threshold: float = THRESHOLD
    seed: int = 0
    passes: float | None = None
    rows_per_step: int | None = None
    context_tokens: int | None = None
    lora_rank: int = 16
    system_prompt: str | None = None
    loss_turns: Literal["last", "all"] = "last"
    finalist_seeds: int = FINALIST_SEEDS
    test_file: str | None = None
    validation_file: str | None = None
    group_by: str | None = None
    time_field: str | None = None
    data_format: Format | None = None
    columns: dict[str, str] = {}  # noqa: RUF012 - pydantic copies it
    strict: bool = False
    truncate: Literal["no", "answers"] = "no"  # what becomes of rows longer than the context
    template: TemplateWish = "auto"  # whose template rows are written in
    folds: int | None = None  # parts that are each tested once; None: by the number of rows
    skip_general: bool = False  # general ability is neither measured nor shown
    workers: int | None = None
    price: str | None = None  # of an hour of this machine, with the currency as given
    subsets: tuple[str, ...] = ()  # NAME=FILE: arms that train on these rows only
    replay: tuple[float, ...] = ()  # shares of the task rows; one arm each
    replay_rows: str | None = None  # the file of general rows
    retain: tuple[str, ...] = ()  # tasks of lm-evaluation-harness, before and after
    floor: str | None = None  # NAME or NAME:SLACK, a checkpoint of the race
    corpus: str | None = None  # the file of raw text that is read before the rows
    twins: tuple[str, ...] = ()  # checkpoints that may be trained in place of a tuned one
    shots: tuple[int, ...] = ()  # numbers of examples that few-shot arms try; none: the usual
    documents: str | None = None  # the folder that RAG arms retrieve from; None: training rows
    max_latency: float | None = None  # seconds of one answer
    max_memory: str | None = None  # of answering, as the user said it
    licence: str | None = None  # "commercial", "free", or a licence's id
