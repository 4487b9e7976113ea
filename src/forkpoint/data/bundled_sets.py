"""The demo data sets that ship with the package."""

from importlib.resources import files
from pathlib import Path

BUNDLED = ("tickets", "even")


def bundled(name: str) -> Path:
    """The file of a bundled data set: `tickets` (a task) or `even` (answers are a fair coin)."""
    if name not in BUNDLED:
        raise KeyError(name)
    return Path(str(files("forkpoint.data").joinpath(f"bundled/{name}.jsonl")))
