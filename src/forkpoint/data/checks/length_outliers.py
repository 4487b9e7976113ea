"""Questions and answers far longer or shorter than the rest."""

from collections.abc import Iterator, Sequence

from forkpoint.data.checks.flag import Flag, Labels, around, question
from forkpoint.data.row import Row

FENCES = 3.0  # widths of the middle half beyond it; Tukey's 'far out'
LEAST_DOUBLINGS = 3.0  # data of one length still vary: at least 8 times beyond the middle half
MOST_DOUBLINGS = 4.0  # 16 times is far out even where lengths vary much
RARE_SHARE = 0.05  # of rows; more of one side are another kind of row, not outliers
FEWEST_ROWS = 30  # below, a middle half says nothing


def look(rows: Sequence[Row], labels: Labels) -> Iterator[Flag]:
    """Rows whose question or answer is far out on the scale of doublings."""
    import numpy as np

    if len(rows) < FEWEST_ROWS:
        return
    said = {"question": [question(row) for row in rows], "answer": [row.answer for row in rows]}
    flagged: set[int] = set()
    for kind, told in said.items():
        sizes = np.log2([len(text.encode("utf-8", "replace")) + 1 for text in told])
        low, high = np.percentile(sizes, (25, 75))
        fence = np.clip(FENCES * (high - low), LEAST_DOUBLINGS, MOST_DOUBLINGS)
        sides = [sizes > high + fence]
        if kind == "answer":  # a short question is a greeting, not a fault
            sides.append(sizes < low - fence)
        for side in sides:
            places = np.flatnonzero(side).tolist()
            if len(places) > RARE_SHARE * len(rows):
                continue
            for place in places:
                if place not in flagged and told[place] not in labels:
                    flagged.add(place)
                    yield Flag(place, around(told[place], 0, min(len(told[place]), 40)), kind=kind)
