"""From the rows of a data file to what is known of it, as one record."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat
from pathlib import Path

from forkpoint.data.answers import AnswerTally
from forkpoint.data.checks import checked_rows, masked
from forkpoint.data.language import language_shares
from forkpoint.data.profile_record import (
    AnswerKind,
    ContentCheck,
    DataProfile,
    Job,
    RowFault,
    Spread,
)
from forkpoint.data.reader import Dataset
from forkpoint.data.row import Row, Turn
from forkpoint.data.sampling import SAMPLE_ROWS, Sample
from forkpoint.errors import BadInput

FAULTS_SHOWN = 1_000  # faults a profile carries; all are counted
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
_STARTS = frozenset("whiadcnWHIADCN谁什何哪为怎如多请")  # spares most the slower look
EXTRACTED: tuple[AnswerKind, ...] = ("label", "number", "json", "code")


class Counts:
    """What is counted on every row."""

    def __init__(self) -> None:
        self.answers = AnswerTally()
        self.shapes: Counter[tuple[str, ...]] = Counter()  # roles of the turns in order -> rows
        self.prompt_characters: list[int] = []
        self.answer_characters: list[int] = []
        self.contents: set[int] = set()  # hashes of 64 bits: of a million, two clash in 3e-8
        self.systems: set[str] = set()
        self.rows = self.tools = self.images = self.questions = 0

    @property
    def multi(self) -> int:
        """Rows with more than one user turn."""
        return sum(rows for shape, rows in self.shapes.items() if shape.count("user") > 1)

    @property
    def with_system(self) -> int:
        """Rows that begin with a system prompt."""
        return sum(rows for shape, rows in self.shapes.items() if shape[:1] == ("system",))

    @property
    def roles(self) -> dict[str, int]:
        """Role -> turns, the most common first."""
        turns: Counter[str] = Counter()
        for shape, rows in self.shapes.items():
            for role in shape if rows else ():
                turns[role] += rows
        return dict(turns.most_common())

    def labels(self) -> dict[str, int]:
        """Label -> rows; empty where most answers are of another kind."""
        kind = next(iter(self.answers.shares()), None)
        return self.answers.labels() if kind == "label" else {}


def counted(rows: Iterable[Row]) -> Counts:
    """Count turns, roles, lengths, copies, kinds of answer and questions; lean by design."""
    seen = Counts()
    add_answer, add_content = seen.answers.add, seen.contents.add
    add_told, add_asked = seen.answer_characters.append, seen.prompt_characters.append
    plain = questions = 0
    for _, _, _, turns, rejected, text, tools, extra in rows:
        if len(turns) == 2:
            (asker, asked), (teller, answer) = turns
            simple = asker == "user" and teller == "assistant"
            add_asked(len(asked))
            if len(asked) <= QUESTION_CHARACTERS:
                questions += _is_question(asked)
        else:
            simple = False
            answer = text if text is not None else turns[-1].content
            add_asked(sum([len(turn.content) for turn in turns[:-1]]))
            questions += _asks(turns)
        if simple and rejected is None and tools is None:
            plain += 1
            add_content(hash((asked, answer)))
        else:
            seen.shapes[tuple([turn.role for turn in turns])] += 1
            add_content(hash((turns, rejected, text, tools)))
            if turns and turns[0].role == "system":
                seen.systems.add(turns[0].content)
            if tools is not None:
                seen.tools += 1
        add_answer(answer)
        add_told(len(answer))
        if extra and "images" in extra:
            seen.images += 1
    seen.rows, seen.questions = len(seen.answer_characters), questions
    seen.shapes["user", "assistant"] += plain
    return seen


def profile(
    dataset: Dataset,
    tokenizers: Mapping[str, str | Path] | None = None,
    seed: int = 0,
    *,
    checks: bool = True,
) -> DataProfile:
    """What a data set is; contents, languages and tokens on a seeded sample of its rows."""
    seen = counted(dataset.rows)
    sample = Sample(SAMPLE_ROWS, seed)
    for _ in sample.passing(dataset.rows):
        pass
    looked = checked_rows(sample.rows, seen.labels(), all_rows=seen.rows) if checks else ()
    return recorded(dataset, seen, sample.rows, tokenizers or {}, looked)


def recorded(
    dataset: Dataset,
    seen: Counts,
    sample: Sequence[Row],
    tokenizers: Mapping[str, str | Path],
    checks: tuple[ContentCheck, ...],
) -> DataProfile:
    count = seen.rows
    shares = seen.answers.shares()
    kind = next(iter(shares))
    job, evidence = _job(dataset, kind, seen)
    return DataProfile(
        files=dataset.files,
        file_format=dataset.file_format,
        format=dataset.format,
        format_evidence=dataset.format_evidence,
        rows=count,
        faults=tuple(_blotted(fault) for fault in dataset.faults[:FAULTS_SHOWN]),
        fault_count=dataset.fault_count,
        sha256=dataset.sha256,
        turns=spread(chain.from_iterable(repeat(len(s), n) for s, n in seen.shapes.items())),
        multi_turn_share=seen.multi / count,
        roles=seen.roles,
        languages=language_shares(_spoken(row) for row in sample),
        language_sample_rows=len(sample),
        prompt_characters=spread(seen.prompt_characters),
        answer_characters=spread(seen.answer_characters),
        tokens=_tokens(sample, tokenizers),
        token_sample_rows=len(sample) if tokenizers else 0,
        system_prompts=len(seen.systems),
        system_prompt_share=seen.with_system / count,
        answer_kinds={str(name): share for name, share in shares.items()},
        answer_kind=kind,
        labels={masked(name): rows for name, rows in seen.labels().items()},
        exact_duplicates=count - len(seen.contents),
        tools_share=seen.tools / count,
        image_share=seen.images / count,
        job=job,
        job_evidence=evidence,
        notices=dataset.notices,
        sample_rows=len(sample),
        checks=checks,
    )


def _blotted(fault: RowFault) -> RowFault:
    """A fault whose quotes of the user's text show no secret."""
    values = {name: masked(told) if isinstance(told, str) else told
              for name, told in fault.values.items()}  # fmt: skip
    return fault.model_copy(update={"values": values})


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


def _spoken(row: Row) -> str:
    """The text that shows a row's language: what was asked, then what was answered."""
    asked = [turn.content for turn in row.prompt if turn.role == "user"]
    return " ".join([*asked[-1:], row.answer])


def _asks(turns: Sequence[Turn]) -> bool:
    """Whether a row is a bare question: one user turn, short, worded as a question."""
    if len(turns) == 2:
        asked = turns[0].content
    elif len(turns) == 3 and turns[0].role == "system":
        asked = turns[1].content
    else:
        return False
    return len(asked) <= QUESTION_CHARACTERS and _is_question(asked)


def _is_question(text: str) -> bool:
    text = text.strip()
    if text[-1:] in ("?", "？"):
        return True
    return "\n" not in text and text[:1] in _STARTS and _QUESTION.match(text) is not None


def _job(dataset: Dataset, kind: AnswerKind, seen: Counts) -> tuple[Job, tuple[str, ...]]:
    """The kind of job and the facts that say so, written name=value, free of language."""
    multi, tools = seen.multi / seen.rows, seen.tools / seen.rows
    images, asks = seen.images / seen.rows, seen.questions / seen.rows
    many, single = f"multi_turn_share={multi:.3f}", f"single_turn_share={1 - multi:.3f}"
    if images >= IMAGE_JOB_SHARE:
        return "images", (f"image_share={images:.3f}",)
    if dataset.format == "preference":
        return "preference", (f"format={dataset.format}",)
    if dataset.format == "text":
        return "raw_text", (f"format={dataset.format}",)
    if multi >= DIALOGUE_SHARE:
        return "dialogue", (many,)
    if tools >= TOOLS_SHARE:
        return "dialogue", (f"tools_share={tools:.3f}", many)
    if kind in EXTRACTED:
        return "task", (f"answer_kind={kind}", single)
    job: Job = "knowledge" if asks >= QUESTION_SHARE else "task"
    return job, (f"question_share={asks:.3f}", single)


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
