"""Dots with whiskers: scores of the arms, differences, forgetting, likelihood beside the metric."""

from forkpoint.record import Figure
from forkpoint.report.charts import (
    BAND,
    INK,
    LINE,
    MARKERS,
    MUTED,
    NARROW,
    PAPER,
    Chart,
    colour,
    short,
    tick_labels,
)
from forkpoint.report.series import approaches, ordered, places
from forkpoint.report.view_record import ArmView, View
from forkpoint.report.wording import named, number, span, w

ROW_PX = 44  # a row: its name above, its dots below
FRAME_PX = 36  # axis and margins above and below the rows


def _rows(count: int) -> Chart:
    """A chart of `count` rows; row k has its dots at y = -k."""
    chart = Chart(NARROW, count * ROW_PX + FRAME_PX + 6)
    chart.axes.set_ylim(-count + 0.68, 0.82)
    chart.axes.set_yticks([])
    return chart


def scale(chart: Chart, figures: list[Figure | None], bounds: tuple[float, float] | None) -> None:
    """An x axis that holds all figures with their intervals, inside `bounds` where they are."""
    ends = [e for f in figures if f for e in (f.value, f.low, f.high) if e is not None]
    low, high = min(ends), max(ends)
    room = 0.04 * ((high - low) or 1.0)
    low, high = low - room, high + room
    if bounds and bounds[0] <= min(ends) and max(ends) <= bounds[1]:
        low, high = max(low, bounds[0] - 0.01), min(high, bounds[1] + 0.01)
    chart.axes.set_xlim(low, high)
    from matplotlib.ticker import MaxNLocator

    ticks = [
        t
        for t in MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        if low <= t <= high
    ]
    chart.axes.set_xticks(ticks, tick_labels(list(ticks)))
    chart.axes.xaxis.grid(True, color=LINE, lw=0.6, alpha=0.7)
    chart.axes.set_axisbelow(True)


def _title(
    chart: Chart,
    row: int,
    name: str,
    figure: Figure | None,
    lang: str,
    strong: bool = False,
    signed: bool = False,
) -> None:
    """The name of a row at its left, its number with interval at its right."""
    across = chart.axes.get_yaxis_transform()
    weight = "bold" if strong else "normal"
    chart.say(0.0, 0.42 - row, short(name), va="center", transform=across, fontweight=weight)
    if figure:
        interval = span(figure, lang, 2, signed)
        value = number(figure.value, 2 if interval else 3, signed)
        text = f"{value} ({interval})" if interval else value
        chart.say(
            1.0,
            0.42 - row,
            text,
            va="center",
            ha="right",
            transform=across,
            color=MUTED,
            fontsize=11.5,
        )


def _dot(
    chart: Chart,
    row: float,
    figure: Figure,
    tint: str,
    filled: bool,
    kind: int = 0,
    faint: bool = False,
) -> None:
    alpha = 0.55 if faint else 1.0
    chart.whisker(None, row, figure, False, color=tint, lw=1.4 if faint else 2.2, alpha=alpha)
    chart.axes.plot(
        [figure.value],
        [row],
        ls="",
        marker=MARKERS[kind % len(MARKERS)],
        ms=6 if faint else 8,
        mec=tint,
        mew=1.5,
        mfc=tint if filled else PAPER,
        zorder=4,
    )


def scores_svg(view: View, lang: str, name: str, label: str) -> str | None:
    """Test (filled), validation (hollow, below) and untrained (bar) of every scored arm."""
    arms = [arm for arm in ordered(view) if arm.result.validation or arm.result.test]
    if not arms:
        return None
    chart = _rows(len(arms))
    trivial = view.verdict.trivial if view.verdict else None
    figures = [f for arm in arms for f in _scores(arm)] + [trivial]
    scale(chart, figures, (0.0, 1.0))
    if trivial:
        chart.axes.axvline(trivial.value, color=MUTED, lw=1.2, ls=(0, (1.5, 2)))
    for row, arm in enumerate(arms):
        tint = colour(places(view)[arm.checkpoint])
        kind = approaches(view)[arm.approach]
        result = arm.result
        _title(chart, row, arm.name, result.test or result.validation, lang, arm.state == "winner")
        if result.test:
            _dot(chart, -row + 0.06, result.test, tint, True, kind)
        if result.validation:
            _dot(
                chart,
                -row - (0.17 if result.test else -0.06),
                result.validation,
                tint,
                False,
                kind,
                faint=bool(result.test),
            )
        if result.untrained:
            chart.axes.plot(
                [result.untrained.value],
                [-row + 0.06],
                ls="",
                marker="|",
                ms=13,
                mew=2,
                color=MUTED,
                zorder=3,
            )
    return chart.svg(name, label)


def _scores(arm: ArmView) -> list[Figure | None]:
    return [arm.result.test, arm.result.validation, arm.result.untrained]


def differences_svg(view: View, lang: str, name: str, label: str) -> str | None:
    """The named arm minus each other finalist, with the margin as a band around zero."""
    if not view.comparisons:
        return None
    chart = _rows(len(view.comparisons))
    band = Figure(value=0, low=-view.margin, high=view.margin, origin="ruled")
    scale(chart, [band, *(comparison.difference for comparison in view.comparisons)], None)
    chart.axes.axvspan(-view.margin, view.margin, color=BAND, lw=0, zorder=0)
    chart.axes.axvline(0, color=MUTED, lw=1)
    for row, comparison in enumerate(view.comparisons):
        title = f"− {comparison.b}"
        _title(chart, row, title, comparison.difference, lang, comparison.headline, True)
        _dot(chart, -row + 0.02, comparison.difference, INK, comparison.headline)
    return chart.svg(name, label)


def forgetting_svg(view: View, lang: str, name: str, label: str) -> str | None:
    """Before (hollow) to after (filled, with whisker), by kind of ability, for every finalist."""
    if not view.changes:
        return None
    kinds = list(dict.fromkeys(change.ability for change in view.changes))
    changes = sorted(view.changes, key=lambda change: kinds.index(change.ability))
    chart = _rows(len(changes))
    figures = [f for change in changes for f in (change.before, change.after)]
    scale(chart, list(figures), (0.0, 1.0))
    tints = {arm.name: colour(places(view)[arm.checkpoint]) for arm in view.arms}
    for row, change in enumerate(changes):
        tint = tints.get(change.subject, INK)
        title = named("ability", change.ability, lang) + w("comma", lang) + short(change.subject)
        across = chart.axes.get_yaxis_transform()
        chart.say(0.0, 0.42 - row, title, va="center", transform=across)
        y = -row + 0.02
        ends = [change.before.value, change.after.value]
        chart.axes.plot(ends, [y, y], color=tint, lw=1, ls=(0, (1.5, 1.5)), zorder=2)
        _dot(chart, y, change.after, tint, True)
        chart.axes.plot(
            [change.before.value],
            [y],
            ls="",
            marker="o",
            ms=8,
            mec=tint,
            mew=1.5,
            mfc=PAPER,
            zorder=3,
        )
        chart.say(
            1.0,
            0.42 - row,
            number(change.difference.value, 2, True),
            va="center",
            ha="right",
            transform=across,
            color=MUTED,
            fontsize=11.5,
        )
    return chart.svg(name, label)


def ranks_svg(view: View, lang: str, name: str, label: str) -> str | None:
    """Primary score (up) against answer bits per byte (left is better), one mark an arm."""
    arms = [a for a in view.arms if a.result.bits_per_byte and a.result.validation]
    if len(arms) < 2:
        return None
    chart = Chart(NARROW, 300, left=34, right=10)
    for arm in arms:
        across, up = arm.result.bits_per_byte, arm.result.validation
        if across is None or up is None:
            continue
        tint = colour(places(view)[arm.checkpoint])
        kind = approaches(view)[arm.approach]
        chart.whisker(None, up.value, across, False, color=tint, alpha=0.45, lw=1.2)
        chart.whisker(across.value, None, up, True, color=tint, alpha=0.45, lw=1.2)
        chart.axes.plot(
            [across.value],
            [up.value],
            ls="",
            marker=MARKERS[kind % len(MARKERS)],
            ms=8,
            mec=tint,
            mew=1.6,
            mfc=tint if kind == 0 else PAPER,
            zorder=4,
        )
    chart.axes.grid(True, color=LINE, lw=0.6, alpha=0.7)
    chart.axes.set_axisbelow(True)
    from matplotlib.ticker import MaxNLocator

    for axis in (chart.axes.xaxis, chart.axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "\u2212"))
    chart.axes.tick_params(axis="y", length=0, pad=4)
    return chart.svg(name, label)
