"""Kinds of arm that are not trained: one file each behind one small interface.

A file in `kinds` is a kind; another package adds one as an entry point of the group
`forkpoint.untrained` that names its module, and may say in a `TITLE` what it is called in reports,
by language.
"""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol

from forkpoint.data.row import Row, Turn
from forkpoint.errors import BadInput
from forkpoint.extensions import extensions
from forkpoint.ledger import Setup
from forkpoint.untrained import kinds as _kinds
from forkpoint.untrained.sources import Sources, Usual, Wish

GROUP = "forkpoint.untrained"  # of entry points
PROMPT = "prompt"  # the kind that every race shows


class Kind(Protocol):
    """One way to ask a checkpoint without training it."""

    NAME: str

    def setups(self, wish: Wish) -> tuple[Setup, ...]:
        """What is tried on validation, the shortest prompt first; raises BadInput."""
        ...

    def pieces(self, row: Row, setup: Setup, sources: Sources) -> Sequence[Any]:
        """What is put into the row's prompt, the most useful first."""
        ...

    def conversation(self, row: Row, chosen: Sequence[Any]) -> tuple[Turn, ...]:
        """The turns with the chosen pieces; the last turn is the row's expected answer."""
        ...

    def prompt_tokens(self, setup: Setup, usual: Usual) -> float:
        """How long a usual prompt will be, before any was made."""
        ...


@cache
def kinds() -> dict[str, Kind]:
    """Name -> kind, our own first."""
    found: dict[str, Any] = {}
    for file in iter_modules(_kinds.__path__):
        module = import_module(f"{_kinds.__name__}.{file.name}")
        found[module.NAME] = module
    for module in extensions(GROUP):
        found.setdefault(module.NAME, module)
    return found


def kind(name: str) -> Kind:
    """The kind of this name; raises BadInput."""
    try:
        return kinds()[name]
    except KeyError:
        known = ", ".join(sorted(kinds()))
        raise BadInput("untrained.unknown_kind", name=name, known=known) from None
