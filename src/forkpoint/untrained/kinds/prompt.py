"""Prompt: the checkpoint as it is, asked as everyone is asked."""

from collections.abc import Sequence

from forkpoint.data.row import Row, Turn
from forkpoint.ledger import Setup
from forkpoint.untrained.sources import Sources, Usual, Wish

NAME = "prompt"


def setups(wish: Wish) -> tuple[Setup, ...]:
    """One: nothing is added to a row."""
    return (Setup(name="plain"),)


def pieces(row: Row, setup: Setup, sources: Sources) -> Sequence[object]:
    """Nothing."""
    return ()


def conversation(row: Row, chosen: Sequence[object]) -> tuple[Turn, ...]:
    """The row itself."""
    return row.turns


def prompt_tokens(setup: Setup, usual: Usual) -> float:
    """The row's own."""
    return usual.prompt_tokens
