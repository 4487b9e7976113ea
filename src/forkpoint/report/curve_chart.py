"""Learning curves: the primary score against training tokens, one line an arm."""

from forkpoint.record import Figure
from forkpoint.report.charts import INK, LINE, MARKERS, MUTED, NARROW, PAPER, Chart, colour, short
from forkpoint.report.series import approaches, curve, ordered, places, repeats
from forkpoint.report.view_record import ArmView, View
from forkpoint.report.wording import count

LABEL_PX = 15  # height that a line's label needs
SHIFT = 0.006  # of the x range, between arms, so that whiskers stay apart


def curves_svg(view: View, lang: str, name: str, label: str, width: int) -> str | None:
    """The curves of all arms that were scored; None before there is any."""
    arms = [arm for arm in ordered(view) if curve(arm)]
    if not arms:
        return None
    narrow = width <= NARROW
    height = 300 if narrow else 400
    chart = Chart(width, height, left=34, right=14 if narrow else 178)
    axes = chart.axes
    ends: list[tuple[float, float, ArmView]] = []
    longest = max(curve(arm)[-1].tokens or 0 for arm in arms)
    for place, arm in enumerate(arms):
        shift = SHIFT * longest * (place - (len(arms) - 1) / 2)
        ends.append(_line(chart, view, arm, shift))
    axes.set_xlim(-0.02 * longest, longest * 1.03)
    axes.margins(y=0.06)
    low, high = axes.get_ylim()
    if high <= 1.15 and low >= -0.15:
        axes.set_ylim(max(low, -0.02), min(high, 1.02))
    axes.yaxis.set_major_locator(_ticks(6))
    axes.xaxis.set_major_locator(_ticks(4 if narrow else 6))
    axes.xaxis.set_major_formatter(lambda value, _: count(value, lang))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "\u2212"))
    axes.yaxis.grid(True, color=LINE, lw=0.6, alpha=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0, pad=4)
    if not narrow:
        _labels(chart, ends)
    return chart.svg(name, label)


def _ticks(most: int) -> object:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(most, steps=[1, 2, 2.5, 5, 10])


def _line(chart: Chart, view: View, arm: ArmView, shift: float) -> tuple[float, float, ArmView]:
    """Draw one arm; returns where its line ends."""
    tint = colour(places(view)[arm.checkpoint])
    kind = approaches(view)[arm.approach]
    points: list[tuple[float, Figure]] = [
        (float(trial.tokens or 0) + shift, trial.primary) for trial in curve(arm) if trial.primary
    ]
    start = view.untrained_validation.get(arm.checkpoint)
    line = [(0.0, start), *points] if start else points
    out = arm.state in ("dropped", "failed")
    style = {"color": tint, "alpha": 0.75 if out else 1.0}
    chart.axes.plot(
        [x for x, _ in line],
        [figure.value for _, figure in line],
        lw=1.3 if out else 2.2,
        ls="-" if kind == 0 else (0, (5, 2.2)),
        zorder=3,
        **style,
    )
    if not out:
        _band(chart, points, tint)
    for x, figure in points:
        chart.whisker(x, figure.value, figure, True, color=tint, alpha=0.45, lw=1.2)
    chart.axes.plot(
        [x for x, _ in points],
        [figure.value for _, figure in points],
        ls="",
        zorder=4,
        marker=MARKERS[kind % len(MARKERS)],
        ms=6,
        mew=1.4,
        mec=tint,
        mfc=tint if kind == 0 else PAPER,
    )
    for trial in repeats(arm):
        value = trial.primary.value if trial.primary else 0.0
        chart.axes.plot(
            [float(trial.tokens or 0) + shift],
            [value],
            ls="",
            marker="_",
            ms=7,
            mew=1.4,
            color=tint,
            zorder=4,
        )
    x, last = points[-1]
    if out:
        chart.axes.plot([x], [last.value], ls="", marker="x", ms=10, mew=2, color=INK, zorder=5)
    return x, last.value, arm


def _band(chart: Chart, points: list[tuple[float, Figure]], tint: str) -> None:
    """The 95 % intervals of an arm still in the race, joined to a band."""
    held = [(x, f.low, f.high) for x, f in points if f.low is not None and f.high is not None]
    if len(held) > 1:
        xs, lows, highs = zip(*held, strict=True)
        chart.axes.fill_between(xs, lows, highs, color=tint, alpha=0.1, lw=0, zorder=1)


def _labels(chart: Chart, ends: list[tuple[float, float, ArmView]]) -> None:
    """Name every line at the right, moved apart where they would touch."""
    low, high = chart.axes.get_ylim()
    step = LABEL_PX / (chart.height - 36) * (high - low)
    at = high
    right = chart.axes.get_xlim()[1]
    wanted = sorted(ends, key=lambda end: -end[1])
    floor = low + step * (len(wanted) - 1)
    for x, y, arm in wanted:
        spot = min(max(y, floor), at)
        at, floor = spot - step, floor - step
        out = arm.state in ("dropped", "failed")
        chart.axes.annotate(
            "",
            (x, y),
            (right * 1.012, spot),
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": LINE, "lw": 0.8, "shrinkA": 0, "shrinkB": 6},
        )
        chart.say(
            right * 1.02,
            spot,
            f"× {short(arm.name)}" if out else short(arm.name),
            va="center",
            color=MUTED if out else INK,
            fontweight="bold" if arm.state == "winner" else "normal",
        )
