"""Checkpoints side by side as text: what each said, what it did, what differs."""

from forkpoint.behaviour.difference import Difference
from forkpoint.behaviour.features import FEATURES, Features
from forkpoint.behaviour.probes import Probe
from forkpoint.behaviour.side_by_side import Comparison, Said
from forkpoint.behaviour.talker import Decoding
from forkpoint.models.generation import Answer
from forkpoint.report.paragraph import heading, pad, wrap
from forkpoint.report.visible import visible
from forkpoint.report.wording import number
from forkpoint.words import say

SHOWN = 1_200  # characters of an answer
JOIN = {"en": "; ", "zh": "；"}


def w(key: str, lang: str, **values: object) -> str:
    """An entry of the comparison's catalogue."""
    return say(f"compare.{key}", lang, **values)


def comparison_text(found: Comparison, lang: str, answers: bool = True) -> str:
    """The whole comparison; without `answers` only what follows from them."""
    parts = [head(found, lang)]
    if answers:
        parts += [_answers(found, lang)]
    parts += [_counts(found, lang), _differences(found, lang)]
    return "\n".join(parts) + "\n"


def head(found: Comparison, lang: str) -> str:
    """What was compared and how."""
    request = found.request
    said = sum(one.answer is not None for one in found.said)
    lines = [
        wrap(w("head_one" if len(request.probes) == 1 else "head", lang,
               count=len(request.probes), answers=said,
               decoding=decoding(request.decoding, lang))),
        wrap(room(found, lang)),
    ]  # fmt: skip
    for one in found.checkpoints:
        stage = say(f"facts.stage_{one.stage or 'unknown'}", lang)
        lines.append(wrap(w("by_files", lang, name=visible(one.name), stage=stage)))
        if not one.template and "template" in request.ways:
            lines.append(wrap(w("no_template", lang, name=visible(one.name))))
    return "\n".join(lines)


def decoding(one: Decoding, lang: str) -> str:
    """How tokens were chosen, in a sentence."""
    if one.temperature <= 0:
        return w("decoding_greedy", lang, limit=one.limit_tokens)
    return w("decoding_drawn", lang, limit=one.limit_tokens, temperature=f"{one.temperature:g}",
             top_p=f"{one.top_p:g}", seed=one.seed)  # fmt: skip


def room(found: Comparison, lang: str) -> str:
    """How the checkpoints were held in memory."""
    held = found.room
    needed = sum(held.needs_bytes) if held.at_once == "all" else max(held.needs_bytes)
    return w(f"room_{held.at_once}", lang, device=held.device, dtype=held.dtype,
             needed=f"{needed / 1e9:.1f} GB", free=f"{held.free_bytes / 1e9:.1f} GB")  # fmt: skip


def prompt_title(probe: Probe, lang: str) -> str:
    """The prompt with its name."""
    where = w("form", lang, form=probe.form) if probe.form else w("own", lang)
    return w("prompt_line_text", lang, id=probe.id, where=where, text=visible(probe.text))


def deed(found: Features, answer: Answer, lang: str) -> str:
    """What one answer did, in a line."""
    words = [w(f"did_{found.did}", lang)]
    if found.followed is not None:
        words.append(w("did_followed" if found.followed else "did_missed", lang))
    words += [w(f"did_{name}", lang) for name in ("offered", "echoed", "repeated") if
              found.has(name)]  # fmt: skip
    words.append(w("did_stopped" if found.stopped else "did_unstopped", lang, tokens=answer.tokens))
    return JOIN[lang].join(words)


def _answers(found: Comparison, lang: str) -> str:
    lines = [heading(w("section_answers", lang))]
    by_probe: dict[str, list[Said]] = {}
    for one in found.said:
        by_probe.setdefault(one.probe, []).append(one)
    for probe in found.request.probes:
        lines += ["", wrap(prompt_title(probe, lang))]
        for one in by_probe.get(probe.id, []):
            if one.answer is not None and one.features is not None:
                lines.append(_said(found, one, one.answer, one.features, lang))
    return "\n".join(lines)


def _said(found: Comparison, one: Said, answer: Answer, seen: Features, lang: str) -> str:
    name = visible(found.checkpoints[one.checkpoint].name)
    text = visible(answer.text[:SHOWN]) if answer.text.strip() else w("said_nothing", lang)
    body = [wrap(line, "    │ ") for line in text.strip("\n").split("\n")]
    return "\n".join(
        [f"  {name} - {w(f'way_{one.way}', lang)}", *body,
         wrap(deed(seen, answer, lang), "      ", "    → ")]
    )  # fmt: skip


def _counts(found: Comparison, lang: str) -> str:
    """A table of counts, a line for each checkpoint and way."""
    rows = [[w("column_checkpoint", lang), w("column_way", lang),
             *(w(f"feature_{name}", lang) for name in FEATURES), "n"]]  # fmt: skip
    groups: dict[tuple[int, str], list[str]] = {}
    for tally in found.tallies:
        row = groups.setdefault((tally.checkpoint, tally.way), [])
        row.append(str(tally.hits))
        if tally.feature == FEATURES[-1]:
            row.append(str(tally.share.n))
    for (checkpoint, way), counts in groups.items():
        name = visible(found.checkpoints[checkpoint].name)
        rows.append([name, w(f"way_{way}", lang), *counts])
    widths = [max(_cells(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["  ".join(pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
             for row in rows]  # fmt: skip
    return "\n".join([heading(w("section_counts", lang)), *lines, wrap(w("counts_note", lang))])


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _differences(found: Comparison, lang: str) -> str:
    lines = [wrap(sentence, "  ", "- ") for sentence in difference_sentences(found, lang)]
    return "\n".join([heading(w("section_differs", lang)), *lines])


def difference_sentences(found: Comparison, lang: str) -> list[str]:
    """What sets the checkpoints apart, from the measured features."""
    if len(found.request.probes) == 1:
        return [w("differ_single", lang)]
    clear = [one for one in found.differences if one.clear]
    sentences = [difference_sentence(found, one, lang) for one in clear]
    unclear = len(found.differences) - len(clear)
    if not found.differences:
        sentences.append(w("differ_none", lang))
    elif not clear:
        sentences.append(w("differ_none_clear", lang))
    if unclear:
        sentences.append(w("differ_unclear", lang, count=unclear))
    return sentences


def difference_sentence(found: Comparison, one: Difference, lang: str) -> str:
    """One difference, the checkpoint that shows more of the feature first."""
    figure = one.second_minus_first
    names = [found.checkpoints[place].name for place in (one.first, one.second)]
    hits = [one.first_hits, one.second_hits]
    low, high = figure.low or 0.0, figure.high or 0.0
    if figure.value < 0:
        low, high = -high, -low
    else:
        names.reverse()
        hits.reverse()
    text = w(f"differ_{one.feature}", lang, more=visible(names[0]), less=visible(names[1]),
             a=hits[0], b=hits[1], n=one.n)  # fmt: skip
    return text + w("differ_tail", lang, way=w(f"way_{one.way}", lang), low=number(low, 2),
                    high=number(high, 2))  # fmt: skip
