"""What is known of a data file, as one record."""

from typing import Literal

from pydantic import Field

from forkpoint.facts.checkpoint_facts import Notice
from forkpoint.record import Record

Format = Literal["alpaca", "sharegpt", "messages", "prompt_completion", "preference", "text"]
AnswerKind = Literal["label", "number", "json", "code", "short", "long"]
CheckName = Literal[
    "near_duplicates", "contradictions", "empty_answers", "echoes", "refusals", "cut_offs",
    "wrong_language", "template_tokens", "private", "length_outliers", "label_imbalance",
    "test_leaks", "benchmark_leaks",
]  # fmt: skip
Job = Literal["dialogue", "task", "knowledge", "raw_text", "preference", "images"]


class Spread(Record):
    """Five points of a distribution."""

    smallest: float
    p10: float
    median: float
    p90: float
    largest: float
    mean: float


class RowFault(Record):
    """A row that cannot be used, by file and line, with what is wrong and how to mend it."""

    file: str
    line: int
    key: str  # catalogue key
    values: dict[str, str | int | float]


class FlaggedRow(Record):
    """A row that a content check stopped at, with what gave it away; secrets are blotted out."""

    file: str
    line: int
    quote: str
    kind: str = ""  # which of several kinds, where a check knows several
    other_file: str = ""  # the row it clashes with, if any
    other_line: int | None = None


class ContentCheck(Record):
    """What one content check found: how many of how many rows, and where."""

    check: CheckName
    skipped: str = ""  # catalogue key of the reason; then nothing was looked at
    count: int = 0  # rows flagged
    n: int = 0  # rows looked at
    sampled: bool = False
    low: float | None = None  # 95 % interval of the share in all rows, where sampled
    high: float | None = None
    at_least: bool = False  # rows are compared within the sample only: all rows hold more
    kinds: dict[str, int] = Field(default_factory=dict)
    examples: tuple[FlaggedRow, ...] = ()
    lines: tuple[int, ...] = ()  # the first 1,000


class DataProfile(Record):
    """What the data are: counts, lengths, languages, kinds of answer, kind of job."""

    files: tuple[str, ...]
    file_format: str  # "jsonl", "json", "csv", "parquet", ...
    format: Format
    format_evidence: str  # "format=rows, ...", free of language
    rows: int  # usable rows
    faults: tuple[RowFault, ...]  # the first 1,000 of them
    fault_count: int
    sha256: str
    turns: Spread  # messages a row, the answer included
    multi_turn_share: float  # rows with more than one user turn
    roles: dict[str, int]
    languages: dict[str, float]  # ISO 639-1 -> share of a sample
    language_sample_rows: int
    prompt_characters: Spread
    answer_characters: Spread
    tokens: dict[str, Spread]  # checkpoint name -> tokens a row by its tokenizer
    token_sample_rows: int = 0
    system_prompts: int  # distinct
    system_prompt_share: float
    answer_kinds: dict[str, float]  # AnswerKind -> share
    answer_kind: AnswerKind  # the most common one
    labels: dict[str, int]  # label -> rows, when answers are labels
    exact_duplicates: int
    tools_share: float
    image_share: float
    job: Job
    job_evidence: tuple[str, ...]  # "name=value", free of language
    notices: tuple[Notice, ...] = ()
    sample_rows: int = 0  # rows looked at for contents, languages and tokens
    checks: tuple[ContentCheck, ...] = ()
