"""Score every row of a data file by each scorer asked for; what is scored already is left alone."""

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from forkpoint import facts
from forkpoint.data import Dataset
from forkpoint.data.row import Row
from forkpoint.endpoint import Endpoint, EndpointFailed
from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.facts.machine import read_machine
from forkpoint.record import Record
from forkpoint.selecting.heuristics import heuristics, quality
from forkpoint.selecting.rating import PATIENCE, ratings
from forkpoint.selecting.score_file import ScoreFile
from forkpoint.selecting.score_record import RowScore, ScoreHeader, Scorer

if TYPE_CHECKING:
    from forkpoint.models.rendering import Rendered

BATCH = 128  # rows between two writes: what a kill can cost
PROBE_ROWS = 16  # rows timed before the cost is said
SMALL_PARAMETERS = 50_000_000  # checkpoints below it are read in float32 on a CPU


class Cost(Record):
    """What a scorer is about to do, said before it begins."""

    scorer: Scorer
    by: str = ""
    rows: int  # still to be scored
    done_rows: int  # scored in an earlier run
    tokens: int | None = None
    seconds: float | None = None  # estimated from a probe on this machine
    host: str | None = None  # where rows are sent
    leaves_machine: bool = False


class Sum(Record):
    """What came of one scorer."""

    scorer: Scorer
    by: str = ""
    scored: int
    without_value: int  # rows that it could not score; their lines say why
    left: int = 0  # rows never tried
    gave_up: str | None = None  # the message of the failure that ended it
    mean: float | None = None
    low: float | None = None  # 10th percentile of the values
    high: float | None = None  # 90th


class Audience(Protocol):
    """Who is told what the scoring does."""

    def begins(self, cost: Cost) -> None:
        """A scorer is about to begin; said before any row is looked at or sent."""
        ...

    def progressed(self, scorer: Scorer, done: int, rows: int) -> None:
        """Rows of a scorer that are done."""
        ...


def score_header(dataset: Dataset) -> ScoreHeader:
    """The header of a score file for this data."""
    return ScoreHeader(files=dataset.files, data_sha256=dataset.sha256, rows=len(dataset.rows))


def distinct(dataset: Dataset) -> list[Row]:
    """The rows by content, each once, in the order of the file."""
    return list({row.id: row for row in reversed(dataset.rows)}.values())[::-1]


def heuristic_scores(dataset: Dataset) -> list[RowScore]:
    """The heuristics of every distinct row."""
    rows = distinct(dataset)
    return [
        RowScore(row=row.id, line=row.line, scorer="heuristics", value=quality(parts), parts=parts)
        for row, parts in zip(rows, heuristics(rows), strict=True)
    ]


def score_heuristics(dataset: Dataset, file: ScoreFile, audience: Audience) -> Sum:
    """Heuristics of all rows; quick, and of no use row by row, so always computed together."""
    rows = distinct(dataset)
    open_rows = [row for row in rows if (row.id, "heuristics", "") not in file.done]
    audience.begins(
        Cost(scorer="heuristics", rows=len(open_rows), done_rows=len(rows) - len(open_rows))
    )
    if not open_rows:
        return Sum(scorer="heuristics", scored=0, without_value=0)
    wanted = {row.id for row in open_rows}
    found = [score for score in heuristic_scores(dataset) if score.row in wanted]
    file.append(found)
    audience.progressed("heuristics", len(found), len(found))
    return _sum("heuristics", "", found)


def score_ifd(dataset: Dataset, model_name: str, file: ScoreFile, audience: Audience) -> Sum:
    """Instruction-following difficulty of all rows by one checkpoint; raises BadInput."""
    reader = _Reader(model_name)
    rows = distinct(dataset)
    open_rows = [row for row in rows if (row.id, "ifd", reader.by) not in file.done]
    tokens, seconds = reader.probe(open_rows)
    audience.begins(
        Cost(
            scorer="ifd",
            by=reader.by,
            rows=len(open_rows),
            done_rows=len(rows) - len(open_rows),
            tokens=tokens,
            seconds=seconds,
        )
    )
    found: list[RowScore] = []
    for batch in _batches(open_rows):
        scores = reader.scores(batch)
        file.append(scores)
        found += scores
        audience.progressed("ifd", len(found), len(open_rows))
    return _sum("ifd", reader.by, found)


class _Reader:
    """A checkpoint that reads answers with and without their instructions."""

    def __init__(self, name: str) -> None:
        from forkpoint.measure.difficulty import start_id
        from forkpoint.models.rendering import Renderer, choose_renderings
        from forkpoint.models.weights import load_model, load_tokenizer

        found = facts.read_checkpoint(name)
        if found.path is None:
            facts.fetch_weights(name)
            found = facts.read_checkpoint(name)
        self.by = f"{Path(name).name}@{found.identity[:12]}"
        tokenizer = load_tokenizer(str(found.path))
        start = start_id(tokenizer)
        if start is None:
            raise BadInput("score.no_start", name=name)
        self.start = start
        self.renderer = Renderer(tokenizer, choose_renderings(found)[0])
        self.model = load_model(str(found.path), **_kind(found))

    def probe(self, rows: Sequence[Row]) -> tuple[int, float]:
        """Tokens of all rows, from a sample, and the seconds that they should take."""
        from forkpoint.measure.difficulty import difficulties

        sample = rows[:: max(1, len(rows) // PROBE_ROWS)][:PROBE_ROWS]
        rendered = [one for one in (self._rendered(row)[0] for row in sample) if one]
        if not rendered:
            return 0, 0.0
        begin = time.monotonic()
        difficulties(self.model, rendered, self.start)
        seconds = time.monotonic() - begin
        tokens = sum(len(one.input_ids) + len(one.answer_ids) for one in rendered)
        times = len(rows) / len(sample)
        return round(tokens * times), seconds * times

    def scores(self, rows: Sequence[Row]) -> list[RowScore]:
        """The scores of a batch; a row that cannot be read has no value and says why."""
        from forkpoint.measure.difficulty import difficulties

        told = [self._rendered(row) for row in rows]
        usable = [rendered for rendered, _ in told if rendered is not None]
        read = iter(difficulties(self.model, usable, self.start))
        found = []
        for row, (rendered, reason) in zip(rows, told, strict=True):
            values: dict[str, Any] = {"row": row.id, "line": row.line, "scorer": "ifd"}
            if rendered is None:
                found.append(RowScore(**values, by=self.by, value=None, note=reason))
                continue
            one = next(read)
            parts = {
                "with_prompt_bits": round(one.with_prompt_bits, 4),
                "alone_bits": round(one.alone_bits, 4),
                "answer_bytes": float(len(rendered.answer.encode())),
            }
            found.append(RowScore(**values, by=self.by, value=one.ratio, parts=parts))
        return found

    def _rendered(self, row: Row) -> "tuple[Rendered | None, str]":
        from forkpoint.models.rendering import Rendered

        if row.text is not None:
            return None, "raw_text"
        rendered = self.renderer.row(row)
        if not isinstance(rendered, Rendered):
            return None, rendered.reason
        context = getattr(self.model.config, "max_position_embeddings", None)
        if context and len(rendered.input_ids) > context:
            return None, "too_long"
        return rendered, ""


def _kind(found: CheckpointFacts) -> dict[str, Any]:
    machine = read_machine()
    device = "cuda" if machine.gpus else "cpu"
    small = (found.shape.parameters or 0) < SMALL_PARAMETERS and device == "cpu"
    return {"dtype": "float32" if small else "bfloat16", "device": device}


def score_judge(dataset: Dataset, endpoint: Endpoint, file: ScoreFile, audience: Audience) -> Sum:
    """A judge's rating of all rows; ends early, with what it has, when the address fails."""
    by = f"{endpoint.model}@{endpoint.place}"
    rows = [row for row in distinct(dataset) if row.text is None]
    open_rows = [row for row in rows if (row.id, "judge", by) not in file.done]
    audience.begins(
        Cost(
            scorer="judge",
            by=by,
            rows=len(open_rows),
            done_rows=len(rows) - len(open_rows),
            host=endpoint.place,
            leaves_machine=not endpoint.loopback,
        )
    )
    found: list[RowScore] = []
    failed_in_a_row = failed = 0
    for row, rating in ratings(open_rows, endpoint):
        if isinstance(rating, EndpointFailed):
            failed += 1
            failed_in_a_row += 1
            nothing_works = rating.failure == "unreachable" and not found
            if failed_in_a_row >= PATIENCE or nothing_works:
                left = len(open_rows) - len(found)
                return _sum("judge", by, found).model_copy(
                    update={"left": left, "gave_up": str(rating)}
                )
            continue
        failed_in_a_row = 0
        note = "" if rating is not None else "unreadable"
        score = RowScore(row=row.id, line=row.line, scorer="judge", by=by, value=rating, note=note)
        file.append([score])
        found.append(score)
        audience.progressed("judge", len(found) + failed, len(open_rows))
    return _sum("judge", by, found).model_copy(update={"left": failed})


def _batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    waiting = iter(rows)
    while batch := list(islice(waiting, BATCH)):
        yield batch


def _sum(scorer: Scorer, by: str, found: Sequence[RowScore]) -> Sum:
    values = sorted(score.value for score in found if score.value is not None)
    if not values:
        return Sum(scorer=scorer, by=by, scored=0, without_value=len(found))
    return Sum(
        scorer=scorer,
        by=by,
        scored=len(values),
        without_value=len(found) - len(values),
        mean=sum(values) / len(values),
        low=values[len(values) // 10],
        high=values[min(len(values) - 1, len(values) * 9 // 10)],
    )
