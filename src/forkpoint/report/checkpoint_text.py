"""A checkpoint's facts as calm text: what it is, how that is known, what will bite."""

import unicodedata
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from forkpoint.facts.checkpoint_facts import CheckpointFacts, Evidence, Judgement, Notice
from forkpoint.facts.judgement import SURE
from forkpoint.report.notice_text import notice_text
from forkpoint.report.paragraph import wrap
from forkpoint.report.visible import visible
from forkpoint.words import say

if TYPE_CHECKING:
    from forkpoint.behaviour.stop_trial import StopTrial

EVIDENCE_LINES = 6  # lines a judgement; the rest is counted, and all of it is in --json
LEVEL_ORDER = ("danger", "warning", "info")


def checkpoint_text(facts: CheckpointFacts, lang: str, trials: "Sequence[StopTrial]" = ()) -> str:
    """The text that `forkpoint inspect CHECKPOINT` prints; `trials`: the probe's trainings."""
    blocks = [
        _head(facts, lang),
        _table(_is(facts, lang)),
        _judged("text_sold_as", facts.sold_as, lang),
        _judged("text_post_training", facts.post_training, lang),
        _judged("text_kind", facts.kind, lang),
        _titled("text_template", _template(facts, lang), lang),
        _rows(facts, lang),
        *_stopping(facts, lang, trials),
        _notices(facts, lang),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def printable(text: str) -> str:
    """Text from a checkpoint on one line, so that it can neither act nor pose as ours."""
    return visible(" ".join(text.split()))


def _word(key: str, lang: str, **values: object) -> str:
    return say(f"facts.{key}", lang, **values)


def _head(facts: CheckpointFacts, lang: str) -> str:
    stage = _word(f"stage_{facts.stage or 'unknown'}", lang)
    return printable(facts.name) + "\n" + _word("text_head", lang, stage=stage)


def _is(facts: CheckpointFacts, lang: str) -> list[tuple[str, str]]:
    """Labels and values of what the files state or let be counted."""
    shape, unknown = facts.shape, _word("value_unknown", lang)
    rows = [
        ("text_family", facts.family or unknown),
        ("text_architecture", unknown if shape.architecture == "unknown" else shape.architecture),
        ("text_parameters", _parameters(facts, lang)),
        ("text_context", f"{shape.context_tokens:,}" if shape.context_tokens else unknown),
        ("text_precision", shape.quantisation or shape.dtype or unknown),
        ("text_weights", _size(facts.weights_bytes) if facts.weights_bytes else unknown),
        ("text_base_model", _base_model(facts, lang)),
        ("text_licence", _licence(facts, lang)),
        ("text_ends", _ends(facts, lang)),
        ("text_revision", facts.revision or _word("value_no_revision", lang)),
        ("text_identity", facts.identity[:16]),
        ("text_path", facts.path or _word("value_hub_only", lang)),
    ]
    return [(_word(key, lang), printable(value)) for key, value in rows if value]


def _parameters(facts: CheckpointFacts, lang: str) -> str:
    shape = facts.shape
    if shape.parameters is None:
        return _word("value_unknown", lang)
    if shape.active_parameters is not None:
        return _word(
            "value_active", lang,
            total=f"{shape.parameters:,}", active=f"{shape.active_parameters:,}",
            experts=shape.experts,
        )  # fmt: skip
    return f"{shape.parameters:,}"


def _size(count: int) -> str:
    """Bytes in the unit that a person would choose."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


def _base_model(facts: CheckpointFacts, lang: str) -> str:
    if facts.base_model is None:
        return ""
    if facts.relation is None:
        return facts.base_model
    return f"{facts.base_model} ({_word(f'relation_{facts.relation}', lang)})"


def _licence(facts: CheckpointFacts, lang: str) -> str:
    named = facts.licence or _word("value_unknown", lang)
    use = _word(f"commercial_{facts.commercial_use}", lang)
    return _word("value_licence", lang, named=named, use=use)


def _ends(facts: CheckpointFacts, lang: str) -> str:
    unknown = _word("value_unknown", lang)
    turn = facts.template.end_of_turn
    if not (facts.tokenizer_eos or facts.generation_eos or turn):
        return ""
    return _word(
        "value_ends" if turn else "value_ends_no_turn", lang,
        eos=facts.tokenizer_eos or unknown, ends=" ".join(facts.generation_eos) or unknown,
        turn=turn or "",
    )  # fmt: skip


def _judged(title: str, judgement: Judgement, lang: str) -> str:
    """A judgement with its chance and the evidence behind it, the strongest first."""
    undecided = judgement.value == "unknown" and judgement.probability < SURE
    head = _word(
        f"{title}_open" if undecided else title, lang,
        value=_word(f"is_{judgement.value}", lang), chance=f"{judgement.probability:.0%}",
    )  # fmt: skip
    others = sorted(judgement.probabilities.items(), key=lambda item: -item[1])
    shown = _word("value_comma", lang).join(
        f"{_word(f'is_{value}', lang)} {chance:.0%}"
        for value, chance in others
        if chance >= 0.01 and (undecided or value != judgement.value)
    )
    lines = [head + (_word("text_others", lang, shown=shown) if shown else "")]
    told = [
        _evidence(list(items), lang)
        for _, items in groupby(
            sorted(judgement.evidence, key=lambda item: (-abs(item.weight), *_clue(item))), _clue
        )
    ]
    lines += told[:EVIDENCE_LINES]
    if len(told) > EVIDENCE_LINES:
        more = len(told) - EVIDENCE_LINES
        lines.append("  " + _word("text_more_evidence", lang, count=more))
    if not judgement.evidence:
        lines.append("  " + _word("text_no_evidence", lang))
    return "\n".join(lines)


def _clue(item: Evidence) -> tuple[str, str, float]:
    return item.signal, item.found, item.weight


def _evidence(same: list[Evidence], lang: str) -> str:
    """One clue in a line, with every value that it speaks for or against."""
    item = same[0]
    key = "text_for" if item.weight > 0 else "text_against"
    return "  " + _word(
        key, lang,
        weight=f"{item.weight:+.1f}",
        value=" / ".join(_word(f"is_{each.says}", lang) for each in same),
        signal=_word(f"signal_{item.signal}", lang), found=printable(item.found)[:160],
    )  # fmt: skip


def _template(facts: CheckpointFacts, lang: str) -> str:
    template = facts.template
    if not template.present:
        return _word("value_no_template", lang)
    if template.error is not None:
        return _word("value_template_error", lang, error=printable(template.error))
    yes, no = _word("value_yes", lang), _word("value_no", lang)
    rows = [
        (_word("text_source", lang), template.source or ""),
        (_word("text_turn_tokens", lang), printable(" ".join(template.turn_tokens))),
    ]
    for name in (
        "generation_prompt", "system_role", "prefix_preserving", "trims_answers", "clock",
        "thinking", "bos_twice",
    ):  # fmt: skip
        rows.append((_word(f"text_{name}", lang), yes if getattr(template, name) else no))
    return _table(rows)


def _rows(facts: CheckpointFacts, lang: str) -> str:
    """Special tokens whose rows were looked up, and how near they are to the unused ones."""
    turn = {*facts.template.turn_tokens, facts.template.end_of_turn, facts.tokenizer_eos}
    asked = [row for row in facts.special_rows if row.token in turn or not row.trained]
    if not asked:
        return ""
    lines = [_word("text_rows", lang, unused=asked[0].never_used_rows, used=asked[0].used_rows)]
    for row in asked[:EVIDENCE_LINES]:
        state = {True: "row_trained", False: "row_untrained", None: "row_open"}[row.trained]
        lines.append(
            "  " + _word(
                state, lang,
                token=printable(row.token), cosine=f"{row.cosine:.2f}",
                matrix=_word(f"matrix_{row.matrix}", lang),
                low=f"{row.never_used_low:.2f}", high=f"{row.used_high:.2f}",
            )
        )  # fmt: skip
    if len(asked) > EVIDENCE_LINES:
        more = len(asked) - EVIDENCE_LINES
        lines.append("  " + _word("text_more_evidence", lang, count=more))
    return "\n".join(lines)


def _stopping(facts: CheckpointFacts, lang: str, trials: "Sequence[StopTrial]") -> list[str]:
    """Whether a tuned model would stop, and how the checkpoint behaved if it was asked."""
    from forkpoint.facts.stopping import stop_plan
    from forkpoint.report.stopping_text import behaviour_text, stopping_text, trials_text

    if facts.relation == "adapter":
        return []
    seen = [behaviour_text(facts.behaviour, lang)] if facts.behaviour else []
    trained = [trials_text(trials, lang)] if trials else []
    return [stopping_text(stop_plan(facts), lang), *seen, *trained]


def _unsaid(facts: CheckpointFacts) -> tuple[Notice, ...]:
    """The notices that are no cause of not stopping: those were told with their remedy."""
    from forkpoint.facts.stopping import NO_LOSS, NOT_AN_END, stop_plan

    told: frozenset[str] = frozenset()
    if facts.relation != "adapter":
        told = NOT_AN_END | NO_LOSS
        if any(cause.cause == "untrained_rows" for cause in stop_plan(facts).causes):
            told |= {"untrained-rows"}
    return tuple(notice for notice in facts.notices if notice.code not in told)


def _notices(facts: CheckpointFacts, lang: str) -> str:
    if not facts.notices:
        return _word("text_no_notices", lang)
    if not (unsaid := _unsaid(facts)):
        return ""
    ordered = sorted(unsaid, key=lambda notice: LEVEL_ORDER.index(notice.level))
    lines = [
        wrap(
            printable(notice_text(notice, lang)),
            "    ",
            f"  [{_word(f'level_{notice.level}', lang)}] ",
        )
        for notice in ordered
    ]
    return "\n".join([_word("text_notices", lang), *lines])


def _titled(key: str, body: str, lang: str) -> str:
    return _word(key, lang) + "\n" + body


def _table(rows: list[tuple[str, str]]) -> str:
    """Two columns; Chinese characters take two cells."""
    width = max(_cells(label) for label, _ in rows)
    return "\n".join(f"  {label}{' ' * (width - _cells(label))}  {value}" for label, value in rows)


def _cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
