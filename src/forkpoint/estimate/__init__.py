"""Will it fit: memory of training and answering, from shapes alone."""

from forkpoint.estimate.fitting import Fit, fit
from forkpoint.estimate.memory import MemoryEstimate, estimate_memory
from forkpoint.estimate.network import Network
from forkpoint.estimate.reading import read_network
from forkpoint.estimate.setup import Setup
from forkpoint.estimate.shapes import network_from_config
from forkpoint.estimate.stack import OURS, OURS_CPU, STACKS, Stack

__all__ = [
    "OURS",
    "OURS_CPU",
    "STACKS",
    "Fit",
    "MemoryEstimate",
    "Network",
    "Setup",
    "Stack",
    "estimate_memory",
    "fit",
    "network_from_config",
    "read_network",
]
