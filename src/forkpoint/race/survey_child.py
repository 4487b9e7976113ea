"""The survey of one checkpoint before a race: rows as its tokens, and its speed on this machine."""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from forkpoint.models.rendering import Rendered, Renderer, RowExcluded, choose_renderings
from forkpoint.models.weights import load_tokenizer
from forkpoint.race.rows_file import read_rows
from forkpoint.race.work import SurveyWork
from forkpoint.train.approach import approach
from forkpoint.train.fine_tune import fine_tune
from forkpoint.train.job import (
    GPU_PACK_TOKENS,
    PACK_TOKENS,
    ApproachSettings,
    TrainJob,
    TrainProgress,
    TrainRow,
)

PROBE_STEPS = 4  # optimizer steps of the speed probe; the first one warms up and is not counted
PROBE_ANSWERS = 32  # prompts that the speed probe answers
MASKS_SHOWN = 3  # rows whose mask is decoded for the report

Report = Callable[[dict[str, Any]], None]


def run_survey(folder: Path, work: SurveyWork, report: Report) -> dict[str, Any]:
    """Everything the plan needs to know of one checkpoint; plain values."""
    path = str(work.facts.path)
    tokenizer = load_tokenizer(path)
    rows = read_rows(folder)
    renderings: dict[str, dict[str, int]] = {}
    excluded: dict[str, str] = {}
    masks: dict[str, list[dict[str, Any]]] = {}
    usable: dict[str, Rendered] = {}
    answer_tokens = 1
    for rendering in choose_renderings(work.facts):
        chosen = rendering.model_copy(update={"loss_on": work.loss_turns})
        renderer = Renderer(tokenizer, chosen, work.system_prompt)
        usable = {}
        for row in rows.values():
            rendered = renderer.row(row)
            if reason := _exclusion(rendered, work.context_tokens):
                excluded[row.id] = reason
            elif isinstance(rendered, Rendered):
                usable[row.id] = rendered
        renderings[rendering.kind] = {key: len(row.input_ids) for key, row in usable.items()}
        shown = [key for key in work.train_ids if key in usable][:MASKS_SHOWN]
        masks[rendering.kind] = [_mask(renderer, key, usable[key]) for key in shown]
        trained = [len(usable[key].answer_ids) for key in work.train_ids if key in usable]
        answer_tokens = max([answer_tokens, *trained])
    probe = [usable[key] for key in work.train_ids if key in usable]
    return {
        "renderings": renderings,
        "excluded": excluded,
        "masks": masks,
        "answer_tokens": answer_tokens,
        **_speed(work, path, tokenizer, probe, report),
    }


def _exclusion(rendered: Rendered | RowExcluded, context_tokens: int) -> str | None:
    if isinstance(rendered, RowExcluded):
        return f"race.excluded_{rendered.reason}"
    if len(rendered.input_ids) > context_tokens:
        return "race.excluded_too_long"
    return None


def _mask(renderer: Renderer, key: str, rendered: Rendered) -> dict[str, Any]:
    pieces = [{"text": text, "trained": trained} for text, trained in renderer.mask(rendered)]
    return {"row_id": key, "pieces": pieces}


def _speed(
    work: SurveyWork, path: str, tokenizer: Any, rows: Sequence[Rendered], report: Report
) -> dict[str, Any]:
    """Seconds to load, tokens trained and answers given a second, by a short run of each."""
    from forkpoint.models.generation import generate
    from forkpoint.models.weights import load_model

    if not rows:
        return {"load_seconds": 0.0, "answers_per_second": 1.0, "approaches": {}}
    begin = time.monotonic()
    model = load_model(path, dtype=work.dtype, device=work.device)  # type: ignore[arg-type]
    load_seconds = time.monotonic() - begin
    prompts = [list(row.prompt_ids) for row in rows[:PROBE_ANSWERS]]
    lengths = sorted(len(row.answer_ids) for row in rows)
    limit = lengths[len(lengths) * 9 // 10] + 1
    begin = time.monotonic()
    generate(model, tokenizer, prompts, (), limit)
    answers_per_second = len(prompts) / max(time.monotonic() - begin, 1e-6)
    del model
    approaches = {}
    for name in work.approaches:
        report({"approach": name})
        approaches[name] = _train_speed(work, path, name, rows)
    return {
        "load_seconds": load_seconds,
        "answers_per_second": answers_per_second,
        "approaches": approaches,
    }


def _train_speed(
    work: SurveyWork, path: str, name: str, rows: Sequence[Rendered]
) -> dict[str, Any]:
    size = work.rows_per_step
    wanted = [rows[index % len(rows)] for index in range(PROBE_STEPS * size)]
    seen: list[TrainProgress] = []
    shrink = work.shrinks.get(name, 0)
    with tempfile.TemporaryDirectory() as scratch:
        job = TrainJob(
            checkpoint=path,
            approach=name,
            settings=ApproachSettings(
                rank=work.lora_rank, alpha=work.lora_alpha, gradient_checkpointing=shrink > 0
            ),
            rows=tuple(TrainRow(input_ids=row.input_ids, labels=row.labels) for row in wanted),
            steps=tuple(
                tuple(range(step * size, (step + 1) * size)) for step in range(PROBE_STEPS)
            ),
            rate=1e-6,
            dtype=work.dtype,
            device=work.device,
            pack_tokens=(PACK_TOKENS if work.device == "cpu" else GPU_PACK_TOKENS) >> shrink,
            folder=scratch,
        )
        result = fine_tune(job, seen.append)
    first, last = seen[0], seen[-1]
    rate = approach(name).default_rate(work.facts.shape.hidden_size or 0, work.facts.family)
    return {
        "train_tokens_per_second": (last.tokens - first.tokens)
        / max(last.seconds - first.seconds, 1e-6),
        "setup_seconds": result.total_seconds - result.seconds,
        "trainable_parameters": result.trainable_parameters,
        "peak_bytes": result.peak_memory_bytes,
        "rate": rate.value,
        "rate_key": rate.key,
        "rate_values": rate.values,
    }
