"""What is believed of curves before a race begins, learned from published curves.

A prior is a handful of settings of the curve model; a race weighs them by how well each
explains the scores seen so far, so that a task with rough curves is treated as rough.
"""

from functools import cache
from importlib.resources import files

from forkpoint.record import Record


class CurveScales(Record):
    """Means and standard deviations of the curve model, in the scale's units per doubling.

    `mean_slope` is the mean change per doubling at the first rung, `bend` the mean change of
    that per doubling. `common_*` is shared by all arms of a race, `alike_*` by arms whose first
    scores lie within about `alike_reach`, `own_*` is each arm's own: `*_slope` is the SD of a
    slope at the first rung, `*_walk` how fast it wanders (per square root of a doubling),
    `wiggle` the roughness of single cells. With a `kin_reach` above 0, arms are alike by the
    gap of the logs of their first likelihood losses, where these were told, not of their scores.
    """

    mean_slope: float
    bend: float
    own_level: float
    own_slope: float
    own_walk: float
    common_slope: float
    common_walk: float
    alike_reach: float
    alike_slope: float
    alike_walk: float
    wiggle: float
    kin_reach: float = 0.0


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
