"""The charts of a report as SVG, drawn by matplotlib: text stays text, colours come from CSS."""

import io
import re
import warnings
from typing import Any

from forkpoint.report.visible import bounded, visible
from forkpoint.report.wording import number

INK, MUTED, LINE, BAND = "#000200", "#000300", "#000400", "#000500"  # stand for CSS variables
PAPER = "#000600"
SERIES = 8  # distinct colours before they repeat
NARROW, WIDE = 340, 900  # px, drawn at about the size at which it is read
GROWTH = 1.2  # how far a chart may grow beyond that
NAME_CHARACTERS = 34  # of an arm's name in a chart
VARIABLES = {INK: "--ink", MUTED: "--muted", LINE: "--line", BAND: "--band", PAPER: "--paper"}
MARKERS = ("o", "s", "D", "^", "v", "P")


def colour(place: int) -> str:
    """The stand-in for the CSS variable of a series."""
    return f"#0001{place % SERIES:02x}"


def short(name: str) -> str:
    """A name as it fits into a chart."""
    kept, more = bounded(visible(name).replace("\n", " "), NAME_CHARACTERS)
    return f"{kept}…" if more else kept


class Chart:
    """One set of axes in the report's style; `width` and `height` in CSS pixels."""

    def __init__(
        self, width: int, height: int, left: int = 8, right: int = 8, bottom: int = 26
    ) -> None:
        import matplotlib as mpl
        from matplotlib.figure import Figure as Canvas

        self._mpl = mpl
        self.width, self.height = width, height
        self.canvas = Canvas(figsize=(width / 72, height / 72), dpi=72, frameon=False)
        self.axes: Any = self.canvas.add_axes(
            (left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + 10) / height)
        )
        self.axes.patch.set_visible(False)
        for side in ("top", "right", "left"):
            self.axes.spines[side].set_visible(False)
        self.axes.spines["bottom"].set_color(LINE)
        self.axes.tick_params(colors=MUTED, labelsize=11.5, length=3, width=0.8, color=LINE)

    def say(self, x: float, y: float, text: str, **style: Any) -> Any:
        """Text at a point; never read as mathematics."""
        settings = {"fontsize": 12, "color": INK, "parse_math": False, **style}
        return self.axes.text(x, y, text, **settings)

    def whisker(self, x: Any, y: Any, figure: Any, upright: bool, **style: Any) -> None:
        """The 95 % interval of a figure, as a line through its point."""
        if figure.low is None or figure.high is None:
            return
        settings = {"lw": 1.6, "solid_capstyle": "butt", "zorder": 2, **style}
        ends = [figure.low, figure.high]
        self.axes.plot([x, x] if upright else ends, ends if upright else [y, y], **settings)

    def svg(self, name: str, label: str) -> str:
        """The finished SVG element; `name` keeps its ids apart from those of other charts."""
        out = io.StringIO()
        settings = {"svg.fonttype": "none", "svg.hashsalt": name, "path.simplify": False}
        with self._mpl.rc_context(settings), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            self.canvas.savefig(
                out,
                format="svg",
                transparent=True,
                metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
            )
        return _tidy(out.getvalue(), name, label, self.width, self.height)


def _tidy(text: str, name: str, label: str, width: int, height: int) -> str:
    """Keep the drawing only: no prolog, no metadata, no stray ids, CSS variables for colours."""
    from markupsafe import escape

    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.S)
    used = set(re.findall(r"(?:url\(#|href=\"#)([^\")]+)", text))
    text = re.sub(r' id="([^"]*)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", text)
    text = re.sub(r"(url\(#|href=\"#)", rf"\g<1>{name}-", text)
    for stand_in, variable in VARIABLES.items():
        text = text.replace(stand_in, f"var({variable})")
    for place in range(SERIES):
        text = text.replace(colour(place), f"var(--s{place})")
    text = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", text)
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)
    head = (
        f'<svg class="chart" role="img" aria-label="{escape(label)}" '
        f'viewBox="0 0 {width} {height}" style="max-width: {width * GROWTH:.0f}px" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    text = re.sub(r"<svg[^>]*>", lambda _: head, text, count=1)
    return re.sub(r"\n\s*", "\n", text).strip()


def tick_labels(values: list[float], digits: int = 2) -> list[str]:
    """Plain labels for an axis, as many decimals as needed and no more."""
    texts = [number(value, digits) for value in values]
    while digits > 0 and all(text.endswith("0") for text in texts):
        digits -= 1
        texts = [number(value, digits) for value in values]
    return texts
