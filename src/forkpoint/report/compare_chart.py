"""Several runs' scores: a row an arm, a mark a run, whiskers for the 95 % intervals."""

from typing import TYPE_CHECKING

from forkpoint.report.charts import MARKERS, NARROW, PAPER, Chart, colour, short
from forkpoint.report.interval_charts import scale

if TYPE_CHECKING:
    from forkpoint.report.compare import Comparison

MARK_PX = 15  # height a run needs in an arm's row
NAME_PX = 24  # height of an arm's name
WIDTH = NARROW + 160  # px


def compared_svg(table: "Comparison", lang: str, name: str, label: str) -> str | None:
    """The chart; None where nothing was scored."""
    arms = [arm for arm in table.arms if any(arm.scores)]
    if not arms:
        return None
    row = NAME_PX + MARK_PX * len(table.runs)
    chart = Chart(WIDTH, row * len(arms) + 46)
    axes = chart.axes
    axes.set_ylim(-row * len(arms), 0)
    axes.set_yticks([])
    across = axes.get_yaxis_transform()
    for place, arm in enumerate(arms):
        top = -row * place
        chart.say(0.0, top - NAME_PX / 2, short(arm.arm), va="center", transform=across)
        for run, figure in enumerate(arm.scores):
            if figure is None:
                continue
            y = top - NAME_PX - MARK_PX * (run + 0.4)
            tint = colour(run)
            chart.whisker(figure.value, y, figure, False, color=tint)
            tested = arm.splits[run] == "test"
            axes.plot(
                [figure.value], [y], ls="", marker=MARKERS[run % len(MARKERS)], ms=7, mew=1.5,
                mec=tint, mfc=tint if tested else PAPER, zorder=3,
            )  # fmt: skip
    bounds = None if table.runs[0].metric == "bits_per_byte" else (0.0, 1.0)
    scale(chart, [figure for arm in arms for figure in arm.scores], bounds)
    return chart.svg(name, label)
