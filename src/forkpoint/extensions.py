"""Kinds of arm that other installed packages add, found by their entry points."""

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

from forkpoint.errors import BadInput


def extensions(group: str) -> Iterator[Any]:
    """The modules named in a group of entry points; raises BadInput for one that breaks."""
    for point in entry_points(group=group):
        try:
            yield point.load()
        except Exception as error:  # whatever happens in somebody else's module
            raise BadInput(
                "train.extension_broken", package=point.dist.name if point.dist else "?",
                module=point.value, name=point.name, error=str(error) or type(error).__name__,
            ) from error  # fmt: skip
