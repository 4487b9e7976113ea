"""The user's own finished races, kept on this machine and nowhere else."""

from forkpoint.store.experience import (
    Experience,
    SeedTally,
    Tally,
    experience,
    machine_key,
    seed_sd,
    stage_differences,
    stage_tally,
)
from forkpoint.store.past_race import PastArm, PastRace
from forkpoint.store.place import home
from forkpoint.store.shelf import Shelf, earlier_races

__all__ = [
    "Experience",
    "PastArm",
    "PastRace",
    "SeedTally",
    "Shelf",
    "Tally",
    "earlier_races",
    "experience",
    "home",
    "machine_key",
    "seed_sd",
    "stage_differences",
    "stage_tally",
]
