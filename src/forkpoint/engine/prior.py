"""What is believed of curves before a race begins, learned from published curves.

A prior is a handful of settings of the curve model; a race weighs them by how well each
explains the scores seen so far, so that a task with rough curves is treated as rough.
"""

from functools import cache
from importlib.resources import files

from forkpoint.record import Record


class CurveScales(Record):
    """Standard deviations of the curve model, in the scale's units per doubling of training.

    `common_*` is shared by all arms of a race, `own_*` is each arm's own. `slope` is the mean
    change per doubling at the first rung, `bend` its mean change per doubling. `*_walk` is
    how fast a slope wanders (per square root of a doubling), `wiggle` the roughness of cells.
    """

    slope: float
    bend: float
    own_level: float
    common_slope: float
    own_slope: float
    common_walk: float
    own_walk: float
    wiggle: float


class Prior(Record):
    """Settings of equal weight; `origin` says from which curves, by which script."""

    scales: tuple[CurveScales, ...]
    origin: str


@cache
def shipped(scale: str) -> Prior:
    """The prior that ships for "log", "bounded" or "linear"; raises KeyError for others."""
    folder = files("forkpoint.engine").joinpath("priors")
    path = folder.joinpath(f"{scale}.json")
    if not path.is_file():
        raise KeyError(scale)
    return Prior.from_json(path.read_bytes())
