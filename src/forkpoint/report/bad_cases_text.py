"""Bad cases on a terminal: counts by arm, then a few of each kind."""

from pathlib import Path

from rich.cells import cell_len

from forkpoint.report.paragraph import pad, wrap
from forkpoint.report.visible import bounded, visible
from forkpoint.report.wording import named
from forkpoint.run.bad_cases import BadCase, BadCases
from forkpoint.run.outcome import OUTCOMES
from forkpoint.words import say

SHOWN_OF_EACH = 3  # cases of one kind on a terminal
TEXT_SHOWN = 160  # characters of one text


def bad_cases_text(found: BadCases, lang: str) -> str:
    """What went wrong, for a terminal."""
    lines = [_w("title", lang, split=_w(f"split_{found.split}", lang)), *_counts(found, lang)]
    kinds = list(dict.fromkeys(case.outcome for case in found.cases))
    for kind in kinds:
        cases = [case for case in found.cases if case.outcome == kind]
        lines += ["", f"{named('group', kind, lang)} ({len(cases)})"]
        for case in cases[:SHOWN_OF_EACH]:
            lines += _case(case, lang)
        if len(cases) > SHOWN_OF_EACH:
            lines.append("  " + _w("more", lang, count=len(cases) - SHOWN_OF_EACH))
    if not found.cases:
        lines += ["", _w("nothing", lang)]
    return "\n".join(lines) + "\n"


def _counts(found: BadCases, lang: str) -> list[str]:
    kinds = [kind for kind in OUTCOMES if any(kind in arm.outcomes for arm in found.arms)]
    head = [_w("arm", lang), _w("n", lang), *(named("group", kind, lang) for kind in kinds)]
    rows = [
        [visible(arm.arm), str(arm.n), *(str(arm.outcomes.get(kind, 0)) for kind in kinds)]
        for arm in found.arms
    ]
    widths = [max(cell_len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    return [
        "  " + "  ".join(
            pad(cell, width) if at == 0 else " " * (width - cell_len(cell)) + cell
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (head, *rows)
    ]  # fmt: skip


def _case(case: BadCase, lang: str) -> list[str]:
    place = _w("case", lang, file=_short(Path(case.file).name), line=case.line, arm=case.arm)
    asked = " / ".join(text for role, text in case.prompt if role != "system")
    lines = [f"  {visible(place)}"]
    texts = (("asked", asked), ("expected", case.expected), ("said", case.said))
    lines += [wrap(_w(key, lang, text=_short(text)), "      ", "    ") for key, text in texts]
    for row in case.nearest[:1]:
        near = _w(
            "near", lang, file=_short(Path(row.file).name), line=row.line,
            similarity=f"{row.similarity:.2f}", prompt=_short(row.prompt),
            answer=_short(row.answer),
        )  # fmt: skip
        lines.append(wrap(near, "      ", "    "))
    return lines


def _short(text: str) -> str:
    kept, more = bounded(" ".join(text.split()), TEXT_SHOWN)
    return visible(kept) + (f" … +{more:,}" if more else "")


def _w(key: str, lang: str, **values: object) -> str:
    return say(f"bad_cases.{key}", lang, **values)
