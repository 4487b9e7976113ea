"""From the rows of a data file to what is known of it, as one record."""

import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from forkpoint.data.answers import AnswerTally
from forkpoint.data.language import language_shares
from forkpoint.data.profile_record import AnswerKind, DataProfile, Job, Spread
from forkpoint.data.reader import Dataset
from forkpoint.data.row import Row
from forkpoint.errors import BadInput

FAULTS_SHOWN = 1_000  # faults a profile carries; all are counted
LANGUAGE_ROWS = 1_000  # rows looked at for languages: a share of one half is known to 3 points
TOKEN_ROWS = 5_000  # rows looked at for tokens
IMAGE_JOB_SHARE = 0.1  # of rows with images for the job to be about images
DIALOGUE_SHARE = 0.2  # of rows with several user turns for the job to be dialogue
TOOLS_SHARE = 0.5  # of rows with tools for the job to be dialogue
QUESTION_SHARE = 0.6  # of rows that ask a bare question for the job to be knowledge
QUESTION_CHARACTERS = 300  # a longer prompt brings its own material: a task
_QUESTION = re.compile(
    r"\s*(?:who|what|when|where|which|why|how|is|are|was|were|do|does|did|can|name)\b|"
    r"\s*(?:谁|什么|何时|哪|为什么|怎么|如何|多少|请问)",
    re.IGNORECASE,
)
EXTRACTED: tuple[AnswerKind, ...] = ("label", "number", "json", "code")


def profile(
    dataset: Dataset, tokenizers: Mapping[str, str | Path] | None = None, seed: int = 0
) -> DataProfile:
    """What a data set is; tokens by each `tokenizer.json` and languages on seeded samples."""
    rows = dataset.rows
    answers = AnswerTally()
    roles: Counter[str] = Counter()
    systems: set[str] = set()
    with_system = multi = tools = images = questions = 0
    for row in rows:
        answers.add(row.answer)
        users = 0
        for turn in row.turns:
            roles[turn.role] += 1
            users += turn.role == "user"
        if row.turns and row.turns[0].role == "system":
            systems.add(row.turns[0].content)
            with_system += 1
        multi += users > 1
        tools += row.tools is not None
        images += "images" in row.extra
        questions += _asks(row)
    count = len(rows)
    shares = answers.shares()
    kind = next(iter(shares))
    job, evidence = _job(
        dataset, kind, multi / count, tools / count, images / count, questions / count
    )
    sample = _sample(rows, LANGUAGE_ROWS, seed)
    return DataProfile(
        files=dataset.files,
        file_format=dataset.file_format,
        format=dataset.format,
        format_evidence=dataset.format_evidence,
        rows=count,
        faults=dataset.faults[:FAULTS_SHOWN],
        fault_count=dataset.fault_count,
        sha256=dataset.sha256,
        turns=spread(len(row.turns) for row in rows),
        multi_turn_share=multi / count,
        roles=dict(roles.most_common()),
        languages=language_shares(_spoken(row) for row in sample),
        language_sample_rows=len(sample),
        prompt_characters=spread(sum(len(t.content) for t in row.prompt) for row in rows),
        answer_characters=spread(len(row.answer) for row in rows),
        tokens=_tokens(_sample(rows, TOKEN_ROWS, seed), tokenizers or {}),
        token_sample_rows=min(count, TOKEN_ROWS) if tokenizers else 0,
        system_prompts=len(systems),
        system_prompt_share=with_system / count,
        answer_kinds={str(name): share for name, share in shares.items()},
        answer_kind=kind,
        labels=answers.labels() if kind == "label" else {},
        exact_duplicates=count - len({row.id for row in rows}),
        tools_share=tools / count,
        image_share=images / count,
        job=job,
        job_evidence=evidence,
        notices=dataset.notices,
    )


def spread(values: Iterable[float]) -> Spread:
    """Five points and the mean of a distribution; zeros for an empty one."""
    import numpy as np

    numbers = np.fromiter(values, dtype=float)
    if not len(numbers):
        numbers = np.zeros(1)
    points = np.percentile(numbers, (0, 10, 50, 90, 100))
    smallest, p10, median, p90, largest = (round(float(p), 2) for p in points)
    return Spread(
        smallest=smallest, p10=p10, median=median, p90=p90, largest=largest,
        mean=round(float(numbers.mean()), 2),
    )  # fmt: skip


def _sample(rows: Sequence[Row], size: int, seed: int) -> Sequence[Row]:
    return rows if len(rows) <= size else random.Random(seed).sample(rows, size)


def _spoken(row: Row) -> str:
    """The text that shows a row's language: what was asked, then what was answered."""
    asked = [turn.content for turn in row.prompt if turn.role == "user"]
    return " ".join([*asked[-1:], row.answer])


def _asks(row: Row) -> bool:
    """Whether a row is a bare question: one user turn, short, worded as a question."""
    asked = [turn.content for turn in row.prompt if turn.role == "user"]
    if len(asked) != 1 or len(asked[0]) > QUESTION_CHARACTERS:
        return False
    text = asked[0].rstrip()
    return text.endswith(("?", "？")) or (_QUESTION.match(text) is not None and "\n" not in text)


def _job(
    dataset: Dataset, kind: AnswerKind, multi: float, tools: float, images: float, asks: float
) -> tuple[Job, tuple[str, ...]]:
    """The kind of job and the facts that say so, written name=value, free of language."""
    seen, single = f"multi_turn_share={multi:.3f}", f"single_turn_share={1 - multi:.3f}"
    if images >= IMAGE_JOB_SHARE:
        return "images", (f"image_share={images:.3f}",)
    if dataset.format == "preference":
        return "preference", (f"format={dataset.format}",)
    if dataset.format == "text":
        return "raw_text", (f"format={dataset.format}",)
    if multi >= DIALOGUE_SHARE:
        return "dialogue", (seen,)
    if tools >= TOOLS_SHARE:
        return "dialogue", (f"tools_share={tools:.3f}", seen)
    if kind in EXTRACTED:
        return "task", (f"answer_kind={kind}", single)
    if asks >= QUESTION_SHARE:
        return "knowledge", (f"question_share={asks:.3f}", single)
    return "task", (f"question_share={asks:.3f}", single)


def _tokens(rows: Sequence[Row], tokenizers: Mapping[str, str | Path]) -> dict[str, Spread]:
    """Checkpoint name -> tokens of a row's texts, the template's own tokens left out."""
    found = {}
    for name, path in tokenizers.items():
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # noqa: BLE001 - tokenizers raises bare Exception
            reason = str(error).split("\n")[0][:120]
            raise BadInput("data.bad_tokenizer", file=str(path), reason=reason) from None
        tokenizer.no_truncation()
        tokenizer.no_padding()
        counts = []
        for row in rows:
            texts = [t.content for t in row.turns] or [row.answer]
            coded = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
            counts.append(sum(len(one) for one in coded))
        found[name] = spread(counts)
    return found
