"""The user's own finished races, kept on this machine and nowhere else."""

from forkpoint.store.experience import (
    Experience,
    Tally,
    experience,
    machine_key,
    seed_sd,
    stage_tally,
)
from forkpoint.store.past_race import PastArm, PastRace
from forkpoint.store.place import home
from forkpoint.store.shelf import Shelf

__all__ = [
    "Experience",
    "PastArm",
    "PastRace",
    "Shelf",
    "Tally",
    "experience",
    "home",
    "machine_key",
    "seed_sd",
    "stage_tally",
]
