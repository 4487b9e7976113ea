"""How checkpoints behave: asked the same, side by side, and told apart by what they do."""

from forkpoint.behaviour.probes import Probe, prompts_from, shipped_probes
from forkpoint.behaviour.side_by_side import Comparison, Request, compare

__all__ = ["Comparison", "Probe", "Request", "compare", "prompts_from", "shipped_probes"]
