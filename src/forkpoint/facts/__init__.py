"""Facts about checkpoints and the machine: frozen records and the functions that read them."""

from forkpoint.facts.checkpoint import read_checkpoint
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.facts.hub_files import fetch_weights
from forkpoint.facts.machine import MachineFacts, read_machine

__all__ = ["CheckpointFacts", "MachineFacts", "fetch_weights", "read_checkpoint", "read_machine"]
