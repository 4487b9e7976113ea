"""Checkpoints that people fine-tune today: verified facts with their sources, and a choice."""

from forkpoint.catalogue.choice import Choice, Chosen, Wish, choose
from forkpoint.catalogue.entry import Entry
from forkpoint.catalogue.shelf import entries

__all__ = ["Choice", "Chosen", "Entry", "Wish", "choose", "entries"]
