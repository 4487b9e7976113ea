"""What is believed of live curves before a race: task scores of short runs, which jump.

The prior that ships with the engine for scores in 0..1 was set without live races. On the first
live ones macro-F1 stayed near the floor for two rungs and then rose by .7 in one (docs/LOG.md,
'Take-off'), so an arm that looks hopeless at a third of its length may still win: a live race
believes in wide, rough curves. At the floor scores say nothing about which arms go on alike, and
likelihood does: most of an arm's course is shared with the arms whose first likelihood is near
(docs/LOG.md, 'Likeness by likelihood').
"""

from forkpoint.engine import CurveScales, Prior

_SETTINGS = (  # SD per doubling: slope, walk, common slope, common walk, wiggle
    (0.03, 0.04, 0.20, 0.30, 0.02),
    (0.06, 0.10, 0.30, 0.50, 0.03),
    (0.12, 0.20, 0.30, 0.50, 0.03),
)
_OWN = 0.4  # of a slope's and a walk's SD that is an arm's own; the whole of it is shared besides
_KIN_REACH = 0.2  # natural log units of answer bits per byte: a fifth more is no longer near

LIVE_PRIOR = Prior(
    scales=tuple(
        CurveScales(
            mean_slope=-0.1,
            bend=0.0,
            own_level=0.3,
            own_slope=slope * _OWN,
            own_walk=walk * _OWN,
            common_slope=common_slope,
            common_walk=common_walk,
            alike_reach=0.2,
            alike_slope=slope,
            alike_walk=walk,
            wiggle=wiggle,
            kin_reach=_KIN_REACH,
        )
        for slope, walk, common_slope, common_walk, wiggle in _SETTINGS
    ),
    origin="ruled: wide enough for the take-off of docs/LOG.md; to be fitted on live curves",
)
