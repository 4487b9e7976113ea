"""Few-shot: training rows as earlier turns; which and how many is settled on validation."""

import hashlib
from collections.abc import Sequence
from typing import Any

from forkpoint.data.row import Row, Turn
from forkpoint.errors import BadInput
from forkpoint.ledger import Setup
from forkpoint.untrained.sources import Sources, Usual, Wish, question

NAME = "few-shot"
SHOTS = (2, 4, 8)  # examples tried; without any it is the prompt arm
RANDOM_DRAWS = 2  # fixed sets of examples drawn by chance, beside the nearest ones


def setups(wish: Wish) -> tuple[Setup, ...]:
    """Every number of examples, drawn by chance and nearest to the question.

    Raises BadInput where more examples are asked for than there are training rows.
    """
    if too_many := [shots for shots in wish.shots if shots > wish.rows]:
        raise BadInput("untrained.shots_rows", shots=too_many[0], rows=wish.rows)
    if bad := [shots for shots in wish.shots if shots < 1]:
        raise BadInput("untrained.shots_none", shots=bad[0])
    numbers = sorted(set(wish.shots)) or [shots for shots in SHOTS if shots <= wish.rows]
    draws = [f"random-{draw}" for draw in range(1, RANDOM_DRAWS + 1)]
    return tuple(
        Setup(name=f"{shots}-{how}", values={"shots": shots, "how": how})
        for shots in numbers
        for how in (*draws, "near")
    )


def pieces(row: Row, setup: Setup, sources: Sources) -> Sequence[Row]:
    """Examples, the most useful first: the nearest, or the same drawn ones for every row."""
    shots, how = int(setup.values["shots"]), str(setup.values["how"])
    if how != "near":
        return _drawn(sources, how, shots + 1, row)[:shots]
    near = [sources.rows[at] for at in sources.row_index.nearest(question(row), shots + 1)]
    found = [one for one in near if one.id != row.id][:shots]
    rest = (one for one in _drawn(sources, "random-1", len(sources.rows), row) if one not in found)
    return [*found, *(one for one, _ in zip(rest, range(shots - len(found)), strict=False))]


def _drawn(sources: Sources, how: str, count: int, row: Row) -> list[Row]:
    """The first training rows in an order by chance, without the row itself."""
    key = f"{NAME}:{sources.seed}:{how}"
    if key not in sources.orders:
        sources.orders[key] = sorted(
            sources.rows, key=lambda one: hashlib.sha256(f"{key}:{one.id}".encode()).digest()
        )
    return [one for one in sources.orders[key][:count] if one.id != row.id]


def conversation(row: Row, chosen: Sequence[Any]) -> tuple[Turn, ...]:
    """The examples as earlier turns, the nearest last; the row's own system turn in front."""
    system = [turn for turn in row.turns if turn.role == "system"]
    shown = [turn for one in reversed(chosen) for turn in one.turns if turn.role != "system"]
    return (*system, *shown, *(turn for turn in row.turns if turn.role != "system"))


def prompt_tokens(setup: Setup, usual: Usual) -> float:
    """The row's own and so many rows more."""
    return usual.prompt_tokens + int(setup.values["shots"]) * usual.row_tokens
