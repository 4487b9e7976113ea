"""Tables of the untrained arms and of the cost of answers, for a terminal."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from forkpoint.record import Figure
from forkpoint.report.series import ordered_costs
from forkpoint.report.untrained_text import cost_columns, setup_text
from forkpoint.report.view_record import View
from forkpoint.report.visible import visible
from forkpoint.report.wording import number, percent, size, tight_span, w
from forkpoint.words import say

if TYPE_CHECKING:
    from rich.padding import Padding
    from rich.table import Table

LEAST_TITLE = 7  # characters of a heading's line
GAP = 2  # between two columns


def indented(table: "Table") -> "Padding":
    """The table, two columns from the edge."""
    from rich.padding import Padding

    return Padding(table, (0, 0, 0, 2))


def plain_table(title: str) -> "Table":
    """A table with its title, without lines."""
    from rich.table import Table

    return Table(
        title=title, title_justify="left", title_style="bold", box=None, pad_edge=False,
        padding=(0, 2, 0, 0), header_style="dim",
    )  # fmt: skip


def asked_table(view: View, lang: str) -> "Table":
    """How each untrained arm is asked, and its scores."""
    table = plain_table(say("untrained.table", lang))
    table.add_column(w("arm", lang), overflow="fold")
    table.add_column(say("untrained.setup", lang), overflow="fold")
    tested = any(one.result.test for one in view.asked)
    for key in ("test", "validation") if tested else ("validation",):
        table.add_column(w(key, lang), overflow="fold")
    table.add_column(w("text_stops", lang), justify="right", overflow="fold")
    for one in view.asked:
        result = one.result
        scores = [result.test, result.validation] if tested else [result.validation]
        stops = result.stop_rate
        table.add_row(
            visible(result.arm),
            setup_text(one.setup, lang),
            *(_score(figure, lang) for figure in scores),
            percent(stops.value if stops else None),
        )
    return table


def cost_table(view: View, lang: str, width: int) -> "Table":
    """Tokens, seconds, memory and money of one answer; cells are whole where `width` allows it."""
    alone, money = cost_columns(view.costs).values()
    keys = ["prompt_tokens", "generated_tokens", "batch_seconds"]
    keys += ["alone_seconds"] if alone else []
    keys += ["memory"] + (["money"] if money else [])
    rows = []
    for one in ordered_costs(view):
        cells = [_mean(one.prompt_tokens, 0), _mean(one.generated_tokens, 1), _mean(one.seconds, 4)]
        cells += [_mean(one.alone_seconds, 3)] if alone else []
        cells += [size(one.peak_bytes)] + ([one.money or "–"] if money else [])
        rows.append([visible(one.arm), *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    titles = [w("arm", lang)]
    for key, wide in zip(keys, widths[1:], strict=True):
        lines = textwrap.wrap(say(f"untrained.{key}", lang), max(wide, LEAST_TITLE))
        titles.append("\n".join(lines))
    whole = sum(max(wide, LEAST_TITLE) + GAP for wide in widths) <= width
    table = plain_table(say("untrained.cost_table", lang))
    for place, title in enumerate(titles):
        justify: Literal["left", "right"] = "right" if place else "left"
        table.add_column(title, justify=justify, no_wrap=whole, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def votes_table(caption: str, rows: Sequence[Sequence[str]]) -> "Table":
    """How often each arm was preferred, with counts; `rows` begin with the head."""
    table = plain_table(caption)
    for place, title in enumerate(rows[0]):
        table.add_column(title, justify="left" if place < 2 else "right", overflow="fold")
    for row in rows[1:]:
        table.add_row(*row)
    return table


def _mean(figure: Figure | None, digits: int) -> str:
    """A mean with half its interval's width."""
    if figure is None:
        return "–"
    if figure.low is None or figure.high is None:
        return number(figure.value, digits)
    return f"{number(figure.value, digits)} ±{number((figure.high - figure.low) / 2, digits)}"


def _score(figure: Figure | None, lang: str) -> str:
    if figure is None:
        return "–"
    interval = tight_span(figure, lang)
    return f"{number(figure.value)}  {interval}" if interval else number(figure.value)
