"""The survey of one checkpoint before a race: rows as its tokens, and its speed on this machine."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from forkpoint.data.row import Row
from forkpoint.models.rendering import Rendered, Renderer, RowExcluded, choose_renderings
from forkpoint.models.weights import load_tokenizer
from forkpoint.race.arm_rows import pair_of
from forkpoint.race.rows_file import read_rows
from forkpoint.race.speed_probe import Probe, Stopwatch, measure_speed
from forkpoint.race.work import SurveyWork
from forkpoint.train.job import PreferencePair

MASKS_SHOWN = 3  # rows whose mask is decoded for the report

Report = Callable[[dict[str, Any]], None]


def run_survey(folder: Path, work: SurveyWork, report: Report) -> dict[str, Any]:
    """Everything the plan needs to know of one checkpoint; plain values."""
    watch = Stopwatch()
    tokenizer = load_tokenizer(str(work.facts.path))
    rows = read_rows(folder)
    renderings: dict[str, dict[str, int]] = {}
    prompt_tokens: dict[str, float] = {}
    excluded: dict[str, str] = {}
    masks: dict[str, list[dict[str, Any]]] = {}
    usable: dict[str, Rendered] = {}
    pairs: dict[str, PreferencePair] = {}
    pair_tokens: dict[str, dict[str, int]] = {}
    answer_tokens = 1
    cuttable = set(work.train_ids) if work.truncate == "answers" else set()
    cut: set[str] = set()
    for rendering in choose_renderings(work.facts, work.template):
        chosen = rendering.model_copy(update={"loss_on": work.loss_turns})
        renderer = Renderer(tokenizer, chosen, work.system_prompt)
        usable = {}
        for row in rows.values():
            rendered = renderer.row(row)
            if row.id in cuttable and isinstance(rendered, Rendered):
                whole, rendered = rendered, rendered.within(work.context_tokens) or rendered
                if rendered is not whole:
                    cut.add(row.id)
            if reason := _exclusion(rendered, work.context_tokens):
                excluded[row.id] = reason
            elif isinstance(rendered, Rendered):
                usable[row.id] = rendered
        pairs = _pairs(renderer, rows, usable, work.context_tokens, excluded)
        pair_tokens[rendering.kind] = {key: pair.tokens for key, pair in pairs.items()}
        renderings[rendering.kind] = {key: len(row.input_ids) for key, row in usable.items()}
        read = [len(row.prompt_ids) for row in usable.values()]
        prompt_tokens[rendering.kind] = sum(read) / max(1, len(read))
        shown = [key for key in work.train_ids if key in usable][:MASKS_SHOWN]
        masks[rendering.kind] = [_mask(renderer, key, usable[key]) for key in shown]
        trained = [len(usable[key].answer_ids) for key in work.train_ids if key in usable]
        answer_tokens = max([answer_tokens, *trained])
    started = watch.lap()
    probe = Probe(
        rows=[usable[key] for key in work.train_ids if key in usable],
        texts=[usable[key] for key in work.corpus_ids if key in usable],
        pairs=[pairs[key] for key in work.train_ids if key in pairs],
    )
    return {
        "pair_tokens": pair_tokens,
        "renderings": renderings,
        "prompt_tokens": prompt_tokens,
        "excluded": excluded,
        "cut": sorted(cut),
        "masks": masks,
        "answer_tokens": answer_tokens,
        **measure_speed(work, tokenizer, probe, started, report),
    }


def _pairs(
    renderer: Renderer,
    rows: Mapping[str, Row],
    usable: dict[str, Rendered],
    context_tokens: int,
    excluded: dict[str, str],
) -> dict[str, PreferencePair]:
    """Both answers of every preference row; a row with a side that cannot be used is left out."""
    pairs = {}
    for key in [key for key in usable if rows[key].rejected is not None]:
        worse = renderer.rejected(rows[key])
        if reason := _exclusion(worse, context_tokens):
            excluded[key] = reason
            del usable[key]
        elif isinstance(worse, Rendered):
            pairs[key] = pair_of(usable[key], worse)
    return pairs


def _exclusion(rendered: Rendered | RowExcluded, context_tokens: int) -> str | None:
    if isinstance(rendered, RowExcluded):
        return f"race.excluded_{rendered.reason}"
    if len(rendered.input_ids) > context_tokens:
        return "race.excluded_too_long"
    return None


def _mask(renderer: Renderer, key: str, rendered: Rendered) -> dict[str, Any]:
    pieces = [{"text": text, "trained": trained} for text, trained in renderer.mask(rendered)]
    return {"row_id": key, "pieces": pieces}
