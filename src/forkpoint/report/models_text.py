"""The catalogue as a table."""

from rich.cells import cell_len

from forkpoint.catalogue.choice import Choice, Chosen
from forkpoint.catalogue.refresh import Refreshed
from forkpoint.report.paragraph import pad, wrap
from forkpoint.report.visible import visible
from forkpoint.words import say

NAMED = 8  # names of a list
GB = 1e9


def models_text(choice: Choice, lang: str, sources: bool) -> str:
    """The text that `forkpoint models` prints."""
    lines = [wrap(_w("head", lang, count=len(choice.found), of=choice.of,
                     wish=_wish(choice, lang))), ""]  # fmt: skip
    if choice.found:
        lines += _table(choice, lang)
    else:
        lines.append(wrap(_w("none", lang)))
    if choice.unjudged:
        names = ", ".join(one.entry.id for one in choice.unjudged[:NAMED])
        more = ", ..." if len(choice.unjudged) > NAMED else ""
        lines += ["", wrap(_w("unjudged", lang, count=len(choice.unjudged), names=names + more))]
    shown = [*choice.found, *choice.unjudged]
    if any(one.entry.kind == "vision" and one.high_bytes for one in shown):
        lines += ["", wrap(_w("note_vision", lang))]
    lines += ["", wrap(_w("note", lang))]
    if sources:
        lines += [line for one in shown for line in _sources(one, lang)]
    return "\n".join(lines) + "\n"


def refreshed_text(found: Refreshed, lang: str) -> str:
    """What a refresh found."""
    lines = [wrap(_w("refreshed", lang, count=len(found.updated), day=found.day.isoformat(),
                     changed=len(found.changed), failed=len(found.failed)))]  # fmt: skip
    lines += [wrap(_w("refreshed_change", lang, name=name, facts=", ".join(facts)), "    ", "  ")
              for name, facts in found.changed.items()]  # fmt: skip
    lines += [wrap(say(key, lang, name=name, reason="-"), "    ", "  ")
              for name, key in found.failed.items()]  # fmt: skip
    return "\n".join(lines) + "\n"


def _w(key: str, lang: str, **values: object) -> str:
    return say(f"models.{key}", lang, **values)


def _wish(choice: Choice, lang: str) -> str:
    """What was asked for, in a bracket."""
    wish = choice.wish
    parts = []
    if wish.memory_bytes is not None:
        parts.append(_w("wish_fits", lang, approach=wish.approach,
                        memory=f"{wish.memory_bytes / GB:g} GB",
                        context=f"{wish.context_tokens:,}"))  # fmt: skip
    asked = (wish.licence, wish.language, wish.task, wish.stage, wish.family)
    parts += [visible(str(value)) for value in asked if value]
    if not parts:
        return ""
    joined = ("；" if lang == "zh" else "; ").join(parts)
    return _w("wish", lang, parts=joined)


def _table(choice: Choice, lang: str) -> list[str]:
    needs = choice.wish.memory_bytes is not None
    dated = any(one.entry.released for one in choice.found)
    columns = ["checkpoint", "stage", "kind", "size", *(["needs"] if needs else []), "use",
               "licence", *(["released"] if dated else [])]  # fmt: skip
    rows = [[_w(f"column_{name}", lang) for name in columns]]
    for one in choice.found:
        cells = {
            "checkpoint": visible(one.entry.id),
            "stage": _w(f"stage_{one.entry.stage}", lang),
            "kind": _w(f"kind_{one.entry.kind}", lang),
            "size": _size(one),
            "needs": _needs(one, lang),
            "use": _w(f"use_{one.commercial}", lang),
            "licence": visible(one.licence or "–"),
            "released": one.entry.released or "–",
        }
        rows.append([cells[name] for name in columns])
    widths = [max(cell_len(row[place]) for row in rows) for place in range(len(columns))]
    return ["  ".join(pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows]  # fmt: skip


def _size(one: Chosen) -> str:
    """Parameters in billions, with those at work on a token where they are fewer."""
    if one.parameters is None:
        return "–"
    text = f"{one.parameters / GB:.3g}B"
    if one.active_parameters is not None and one.active_parameters < one.parameters:
        text += f" (A{one.active_parameters / GB:.2g}B)"
    return text


def _needs(one: Chosen, lang: str) -> str:
    if one.low_bytes is None or one.high_bytes is None:
        return "–"
    span = _w("needs", lang, low=f"{one.low_bytes / GB:.0f}", high=f"{one.high_bytes / GB:.0f}")
    return f"{span} {_w(f'fits_{one.fits}', lang)}" if one.fits else span


def _sources(one: Chosen, lang: str) -> list[str]:
    lines = ["", visible(one.entry.id)]
    if one.entry.twins:
        lines.append("  " + _w("twins", lang, twins=", ".join(one.entry.twins)))
    lines += ["  " + _w("source_line", lang, fact=fact, address=visible(address),
                        day=one.entry.read.isoformat())
              for fact, address in one.entry.sources.items()]  # fmt: skip
    return lines
