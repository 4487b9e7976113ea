"""How fast one checkpoint loads, trains and answers here: a short run of each, on two clocks."""

import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from forkpoint.facts.stopping import stop_plan
from forkpoint.ledger import Speed
from forkpoint.models.rendering import Rendered
from forkpoint.race.work import SurveyWork
from forkpoint.train.approach import approach
from forkpoint.train.fine_tune import fine_tune
from forkpoint.train.job import (
    GPU_PACK_TOKENS,
    PACK_TOKENS,
    ApproachSettings,
    PreferencePair,
    TrainJob,
    TrainProgress,
    TrainRow,
)

PROBE_STEPS = 4  # optimizer steps; the first one warms up and is not counted
SMALL_PROBE_STEPS = 16  # of a checkpoint whose steps are too short to be timed one by one
ALONE = 4  # prompts answered one by one
ALONE_TOKENS = 8  # of each of them: one step more is then known to a few percent
SMALL_PARAMETERS = 50_000_000  # below it a step takes some hundredths of a second
PAIR_STEPS = 3  # steps on rows for one on pairs, about as in a training of three passes

Report = Callable[[dict[str, Any]], None]


class Probe(NamedTuple):
    """Training rows of each kind, as one checkpoint sees them."""

    rows: Sequence[Rendered]
    texts: Sequence[Rendered] = ()
    pairs: Sequence[PreferencePair] = ()


class Stopwatch:
    """Seconds since it was started, by the clock on the wall and by the processor."""

    def __init__(self) -> None:
        self.wall, self.processor = time.monotonic(), time.process_time()

    def lap(self) -> tuple[float, float]:
        """Seconds since the last lap, on both clocks."""
        wall, processor = time.monotonic(), time.process_time()
        passed = (wall - self.wall, processor - self.processor)
        self.wall, self.processor = wall, processor
        return passed


def measure_speed(
    work: SurveyWork,
    tokenizer: Any,
    probe: Probe,
    started: tuple[float, float],
    report: Report,
) -> dict[str, Any]:
    """Both `Speed`s of a checkpoint and what its probe trainings showed; plain values.

    `started`: seconds until the rows were rendered, on both clocks.
    """
    if not probe.rows:
        return {"approaches": {}}
    answering = _answer_speed(work, tokenizer, probe.rows)
    approaches: dict[str, Any] = {}
    for name in work.approaches:
        report({"approach": name})
        approaches[name] = _train_speed(work, name, probe)
    speeds = [
        Speed(
            start_seconds=started[clock],
            setup_seconds={name: one["setup_seconds"][clock] for name, one in approaches.items()},
            train_tokens_per_second={
                name: one["tokens_per_second"][clock] for name, one in approaches.items()
            },
            **answering[clock],
        ).model_dump()
        for clock in (0, 1)
    ]
    return {"speed": speeds[0], "processor_speed": speeds[1], "approaches": approaches}


def _answer_speed(
    work: SurveyWork, tokenizer: Any, rows: Sequence[Rendered]
) -> list[dict[str, Any]]:
    """Loading, scoring and answering, on both clocks."""
    from forkpoint.measure.likelihood import row_bits
    from forkpoint.models.generation import ANSWER_BATCH, generate
    from forkpoint.models.weights import load_model

    watch = Stopwatch()
    path = str(work.facts.path)
    model = load_model(path, dtype=work.dtype, device=work.device)  # type: ignore[arg-type]
    load = watch.lap()
    few = rows[:ANSWER_BATCH]
    row_bits(model, few)
    warm = watch.lap()
    row_bits(model, few)
    scored = watch.lap()
    prompts = [list(row.prompt_ids) for row in few]
    lengths = sorted(len(row.answer_ids) for row in rows)
    tokens = lengths[len(lengths) * 9 // 10] + 1
    generate(model, tokenizer, prompts, (), tokens)
    first = watch.lap()
    generate(model, tokenizer, prompts, (), tokens)
    second = watch.lap()
    generate(model, tokenizer, prompts, (), 1)
    prompt = watch.lap()
    alone = prompts[:ALONE]
    for one in alone:
        generate(model, tokenizer, [one], (), 1)
    alone_prompt = watch.lap()
    for one in alone:
        generate(model, tokenizer, [one], (), ALONE_TOKENS)
    alone_whole = watch.lap()
    steps = len(alone) * (ALONE_TOKENS - 1)
    return [
        {
            "load_seconds": load[clock],
            "score_row_seconds": scored[clock] / len(few),
            "answer_batch": ANSWER_BATCH,
            "answer_warmup_seconds": max(0.0, first[clock] - second[clock])
            + max(0.0, warm[clock] - scored[clock]),
            "answer_prompt_seconds": prompt[clock],
            "answer_step_seconds": max(0.0, second[clock] - prompt[clock]) / max(1, tokens - 1),
            "answer_tokens": tokens,
            "alone_prompt_seconds": alone_prompt[clock] / len(alone),
            "alone_step_seconds": max(0.0, alone_whole[clock] - alone_prompt[clock]) / steps,
            "prompt_tokens": sum(map(len, prompts)) / len(prompts),
        }
        for clock in (0, 1)
    ]


def _train_speed(work: SurveyWork, name: str, probe: Probe) -> dict[str, Any]:
    """Set-up seconds and tokens a second of a short training, on both clocks, and its facts."""
    seen: list[tuple[TrainProgress, tuple[float, float]]] = []
    shrink = work.shrinks.get(name, 0)
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as scratch:
        job = _probe_job(work, name, probe, shrink, scratch)
        result = fine_tune(
            job, lambda note: seen.append((note, (time.monotonic(), time.process_time())))
        )
    total = watch.lap()
    first, last = seen[0], seen[-1]
    tokens = last[0].tokens - first[0].tokens
    passed = [max(after - before, 1e-6) for before, after in zip(first[1], last[1], strict=True)]
    steps = result.steps
    a_step = [seconds / max(1, steps - 1) for seconds in passed]
    rate = approach(name).default_rate(work.facts.shape.hidden_size or 0, work.facts.family)
    return {
        "tokens_per_second": [tokens / seconds for seconds in passed],
        "setup_seconds": [
            max(0.0, whole - steps * each) for whole, each in zip(total, a_step, strict=True)
        ],
        "trainable_parameters": result.trainable_parameters,
        "peak_bytes": result.peak_memory_bytes,
        "rate": rate.value,
        "rate_key": rate.key,
        "rate_values": rate.values,
    }


def _probe_job(work: SurveyWork, name: str, probe: Probe, shrink: int, folder: str) -> TrainJob:
    """A training with a few steps of every stage that the approach has."""
    size, steps, needs = work.rows_per_step, _probe_steps(work), approach(name).NEEDS
    token_rows = stop_plan(work.facts, work.template).rows
    texts = list(probe.texts[: steps * size]) if "corpus" in needs else []
    pairs = list(probe.pairs[: steps * size // PAIR_STEPS]) if "preferences" in needs else []
    wanted = [probe.rows[index % len(probe.rows)] for index in range(steps * size)]
    return TrainJob(
        checkpoint=str(work.facts.path),
        approach=name,
        settings=ApproachSettings(
            rank=work.lora_rank,
            alpha=work.lora_alpha,
            gradient_checkpointing=shrink > 0,
            token_ids=tuple(row.id for row in token_rows),
            token_starts=tuple(row.start_id for row in token_rows),
        ),
        rows=tuple(
            TrainRow(input_ids=row.input_ids, labels=row.labels) for row in (*wanted, *texts)
        ),
        steps=_in_steps(0, steps * size, size),
        text_steps=_in_steps(steps * size, steps * size + len(texts), size),
        pairs=tuple(pairs),
        pair_steps=_in_steps(0, len(pairs), size),
        rate=1e-6,
        dtype=work.dtype,
        device=work.device,
        pack_tokens=(PACK_TOKENS if work.device == "cpu" else GPU_PACK_TOKENS) >> shrink,
        twin=work.twin if "twin" in needs else None,
        sharding=work.spreads.get(name, "none"),
        folder=folder,
    )


def _in_steps(start: int, end: int, size: int) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(range(at, min(at + size, end))) for at in range(start, end, size))


def _probe_steps(work: SurveyWork) -> int:
    small = (work.facts.shape.parameters or 0) < SMALL_PARAMETERS
    return SMALL_PROBE_STEPS if small else PROBE_STEPS
