"""What a race notes down before it starts: library versions, and what carried loss."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson

from forkpoint.ledger import Agreement, write_whole

VERSIONS = ("torch", "transformers", "trl", "peft", "datasets", "tokenizers", "numpy", "scipy")


def library_versions() -> dict[str, str]:
    """Library -> version, of those that are installed."""
    found = {}
    for name in VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def write_masks(folder: Path, agreement: Agreement, surveys: Mapping[str, dict[str, Any]]) -> None:
    """Write decoded rows of each arm, with what carried loss."""
    masks: dict[str, list[dict[str, Any]]] = {
        arm.name: next(iter(surveys[arm.checkpoint]["masks"].values()), [])
        for arm in agreement.arms
    }
    write_whole(folder / "masks.json", orjson.dumps(masks))
