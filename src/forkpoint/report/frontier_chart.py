"""Task score against general ability kept: one mark an arm, with its checkpoint before."""

import math
from collections.abc import Sequence

from forkpoint.record import Figure
from forkpoint.report.charts import (
    INK,
    LINE,
    MARKERS,
    MUTED,
    NARROW,
    PAPER,
    Chart,
    colour,
    short,
)
from forkpoint.report.series import approaches, places
from forkpoint.report.view_record import ArmView, View
from forkpoint.report.wording import named, w
from forkpoint.verdict.verdict_record import Change

HEIGHT = 340  # px
BELOW = 46  # px under the axes: tick labels and what the axis measures
NAME_POINTS = 13  # points between the middles of two names
Z95 = 1.959964  # standard normal quantile of a two-sided 95 % interval


def mean_ability(figures: Sequence[Figure]) -> Figure | None:
    """The mean over kinds of ability, every kind with the same weight, its errors independent."""
    if not figures:
        return None
    count = len(figures)
    value = math.fsum(one.value for one in figures) / count
    errors = [
        (one.high - one.low) / (2 * Z95)
        for one in figures
        if one.high is not None and one.low is not None
    ]
    half = Z95 * math.sqrt(math.fsum(error**2 for error in errors)) / count
    return Figure(
        value=value,
        low=value - half if len(errors) == count else None,
        high=value + half if len(errors) == count else None,
        n=sum(one.n or 0 for one in figures),
        origin="measured",
    )


def frontier_svg(view: View, lang: str, name: str, label: str) -> str | None:
    """Score (up) against mean ability after training (right); None with fewer than two arms."""
    changes: dict[str, list[Change]] = {}
    for change in view.changes:
        changes.setdefault(change.subject, []).append(change)
    arms = [a for a in view.arms if a.name in changes and (a.result.test or a.result.validation)]
    if len(arms) < 2:
        return None
    chart = Chart(NARROW, HEIGHT, left=40, right=12, bottom=BELOW)
    marks = [_mark(chart, view, arm, changes[arm.name]) for arm in arms]
    _draw_floor(chart, view, {mark[0]: mark[1] for mark in marks if mark}, lang)
    chart.axes.grid(True, color=LINE, lw=0.6, alpha=0.7)
    chart.axes.set_axisbelow(True)
    from matplotlib.ticker import MaxNLocator

    for axis in (chart.axes.xaxis, chart.axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "\u2212"))
    chart.axes.tick_params(axis="y", length=0, pad=4)
    chart.axes.margins(0.12)
    _name(chart, [mark for mark in marks if mark])
    _title_axes(chart, view, lang)
    return chart.svg(name, label)


def _title_axes(chart: Chart, view: View, lang: str) -> None:
    metric = w("axis_score", lang, metric=named("metric", view.metric, lang))
    style = {"fontsize": 11.5, "color": MUTED, "parse_math": False, "annotation_clip": False}
    chart.axes.annotate(
        metric, (0, 1), xycoords="axes fraction", xytext=(-36, 2), textcoords="offset points",
        va="bottom", **style,
    )  # fmt: skip
    chart.axes.annotate(
        w("axis_ability", lang), (1, 0), xycoords="axes fraction", xytext=(0, 4 - BELOW),
        textcoords="offset points", ha="right", va="bottom", **style,
    )  # fmt: skip


def _draw_floor(chart: Chart, view: View, ability: dict[str, float], lang: str) -> None:
    """Where the named checkpoint stood untuned, less the slack, if a floor was asked for."""
    floor = view.verdict.floor if view.verdict else None
    for one in floor.standings if floor else ():
        if floor and short(one.arm) in ability:
            level = ability[short(one.arm)] - one.difference.value - floor.slack
            if level < 0:  # nothing can end below it
                return
            chart.axes.axvline(level, color=MUTED, lw=1.2, ls=(0, (5, 3)), zorder=1)
            chart.axes.annotate(
                w("axis_floor", lang), (level, 1), xycoords=("data", "axes fraction"),
                xytext=(4, -2), textcoords="offset points", va="top",
                fontsize=11.5, color=MUTED, parse_math=False, annotation_clip=False,
            )  # fmt: skip
            return


def _name(chart: Chart, marks: Sequence[tuple[str, float, float]]) -> None:
    """Names beside their marks, on the side with room, moved apart where marks are close."""
    chart.axes.autoscale_view()
    edge_low, edge_high = chart.axes.get_xlim()
    to_points = 72 / chart.axes.figure.dpi
    taken = -math.inf
    for name, across, up in sorted(marks, key=lambda mark: mark[2]):
        height = chart.axes.transData.transform((across, up))[1] * to_points
        lifted = max(height, taken + NAME_POINTS)
        taken = lifted
        right = across < (edge_low + edge_high) / 2
        chart.axes.annotate(
            name, (across, up), xytext=(14 if right else -14, lifted - height),
            textcoords="offset points", ha="left" if right else "right", va="center",
            fontsize=10, color=INK, parse_math=False,
        )  # fmt: skip


def _mark(
    chart: Chart, view: View, arm: ArmView, changes: Sequence[Change]
) -> tuple[str, float, float] | None:
    """The arm after training, and a line from its checkpoint before; its name and its place."""
    across = mean_ability([change.after for change in changes])
    before = mean_ability([change.before for change in changes])
    up, start = arm.result.test or arm.result.validation, arm.result.untrained
    if across is None or up is None:
        return None
    tint = colour(places(view)[arm.checkpoint])
    kind = approaches(view)[arm.approach]
    if before is not None and start is not None:
        chart.axes.plot(
            [before.value, across.value], [start.value, up.value],
            color=tint, lw=1, ls=(0, (1.5, 1.5)), zorder=2,
        )  # fmt: skip
        chart.axes.plot(
            [before.value], [start.value], ls="", marker="o", ms=7, mec=tint, mew=1.4, mfc=PAPER,
            zorder=3,
        )  # fmt: skip
    chart.whisker(None, up.value, across, False, color=tint, alpha=0.45, lw=1.2)
    chart.whisker(across.value, None, up, True, color=tint, alpha=0.45, lw=1.2)
    chart.axes.plot(
        [across.value], [up.value], ls="", marker=MARKERS[kind % len(MARKERS)], ms=8, mec=tint,
        mew=1.6, mfc=tint, zorder=4,
    )  # fmt: skip
    return short(arm.name), across.value, up.value
