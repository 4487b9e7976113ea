"""The selection engine: which arm trains next, and how sure the answer is; arithmetic only."""

from forkpoint.engine.arm import Arm, Ask, Paired, Score
from forkpoint.engine.prior import CurveScales, Prior
from forkpoint.engine.selector import Selector
from forkpoint.engine.settings import Settings
from forkpoint.engine.standing import ArmStanding, Reason, Standing

__all__ = [
    "Arm",
    "ArmStanding",
    "Ask",
    "CurveScales",
    "Paired",
    "Prior",
    "Reason",
    "Score",
    "Selector",
    "Settings",
    "Standing",
]
