"""Subsets of the training rows as arms, each with a random subset of the same size to beat."""

import hashlib
import re
from collections.abc import Sequence

from forkpoint.data import load
from forkpoint.errors import BadInput
from forkpoint.ledger import SubsetPlan

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}")
RANDOM = "random"  # how the names of random subsets begin


def read_subsets(
    asked: Sequence[str], train_ids: Sequence[str], seed: int
) -> dict[str, SubsetPlan]:
    """The subsets of `NAME=FILE` requests, and a random one for each size among them.

    Rows are known by their content; rows of a file that are no training rows are left out, and
    their number can be told from `named_rows`. Raises BadInput for a bad name, a name given
    twice, or a file without a single training row.
    """
    found: dict[str, SubsetPlan] = {}
    for text in asked:
        name, sign, file = text.partition("=")
        if not sign or not NAME.fullmatch(name) or name.startswith(RANDOM) or not file:
            raise BadInput("race.subset_form", text=text)
        if name in found:
            raise BadInput("race.subset_twice", name=name)
        named = {row.id for row in load(file).rows}
        ids = tuple(key for key in train_ids if key in named)
        if not ids:
            raise BadInput("race.subset_empty", name=name, file=file, rows=len(named))
        null = f"{RANDOM}-{len(ids)}"
        found[name] = SubsetPlan(ids=ids, file=file, named_rows=len(named), null=null)
    for size in sorted({len(subset.ids) for subset in found.values()}):
        found[f"{RANDOM}-{size}"] = SubsetPlan(ids=random_subset(train_ids, size, seed))
    return found


def random_subset(train_ids: Sequence[str], size: int, seed: int) -> tuple[str, ...]:
    """`size` of the rows by chance alone, in the order of the training rows."""
    drawn = sorted(
        train_ids, key=lambda key: hashlib.sha256(f"{RANDOM}:{seed}:{key}".encode()).digest()
    )
    kept = set(drawn[:size])
    return tuple(key for key in train_ids if key in kept)
