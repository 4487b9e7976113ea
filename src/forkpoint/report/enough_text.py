"""Whether more rows would help, in sentences."""

from pathlib import Path

from pydantic import ValidationError

from forkpoint.record import Figure
from forkpoint.report.visible import visible
from forkpoint.report.wording import named, number, percent
from forkpoint.verdict.enough import Enough
from forkpoint.words import say


def read_enough(folder: Path) -> tuple[Enough, ...]:
    """The answers that lie in a run folder; broken ones are left out."""
    found = []
    for path in sorted((folder / "enough").glob("*/enough.json")):
        try:
            found.append(Enough.from_json(path.read_bytes()))
        except (OSError, ValidationError):
            continue
    return tuple(found)


def enough_text(found: Enough, lang: str) -> str:
    """The answer, then the sizes that it rests on."""
    lines = [_say("title", lang, arm=visible(found.arm)), *enough_sentences(found, lang), ""]
    heads = [_say(f"head_{name}", lang) for name in ("rows", "seeds", "score", "gain")]
    lines.append("  " + "  |  ".join(heads))
    gains = [None, *found.gains]
    for point, gain in zip(found.points, gains, strict=False):
        cells = [f"{point.rows:,}", str(point.seeds), score_cell(point.score),
                 score_cell(gain, signed=True) if gain else "–"]  # fmt: skip
        lines.append("  " + "  |  ".join(cells))
    lines += ["", note(found, lang)]
    return "\n".join(lines) + "\n"


def enough_sentences(found: Enough, lang: str) -> list[str]:
    """The answer, the gain of doubling, where it goes flat, and what a target takes."""
    lines = [say(found.reason, lang)]
    if found.next_gain is not None:
        lines.append(
            _say(
                "next_gain",
                lang,
                rows=f"{found.rows:,}",
                gain=number(found.next_gain.value, 3, True),
                metric=named("metric", found.metric, lang),
                interval=_interval(found.next_gain, lang, 3),
                margin=number(found.margin, 2),
                chance=percent(found.p_above_margin),
            )
        )
    lines.append(_rows(found.flat_reason, found.flat_rows, lang))
    if found.target is not None:
        lines.append(
            _rows(
                found.target_reason,
                found.target_rows,
                lang,
                target=number(found.target, 2),
                chance=percent(found.p_target),
                times=number(found.target_rows.value / found.rows, 1) if found.target_rows else "",
            )
        )
    return lines


def note(found: Enough, lang: str) -> str:
    """How the figures came to be."""
    n = next((point.score.n for point in found.points if point.score.n), 0)
    return _say("note", lang, n=n, passes=f"{found.passes:g}")


def score_cell(figure: Figure, signed: bool = False) -> str:
    """A figure with its interval."""
    low, high = figure.low, figure.high
    span = f" ({number(low, 3, signed)} – {number(high, 3, signed)})" if low is not None else ""
    return f"{number(figure.value, 3, signed)}{span}"


def _rows(key: str, figure: Figure | None, lang: str, **values: object) -> str:
    rows = interval = ""
    if figure is not None:
        rows, interval = f"{round(figure.value):,}", _interval(figure, lang)
    return say(key, lang, rows=rows, interval=interval, **values)


def _interval(figure: Figure, lang: str, digits: int | None = None) -> str:
    def shown(value: float | None) -> str:
        if value is None:
            return ""
        return f"{round(value):,}" if digits is None else number(value, digits, True)

    if figure.high is None:
        return _say("interval_open", lang, low=shown(figure.low))
    return _say("interval", lang, low=shown(figure.low), high=shown(figure.high))


def _say(key: str, lang: str, **values: object) -> str:
    return say(f"enough.{key}", lang, **values)
