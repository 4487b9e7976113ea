"""Where the real checkpoints are."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def real_checkpoints() -> Path:
    """The folder of FORKPOINT_REAL, `.real` of the repository by default."""
    folder = Path(os.environ.get("FORKPOINT_REAL", Path(__file__).parents[2] / ".real"))
    if not (folder / "gemma-3-270m-base" / "model.safetensors").exists():
        pytest.skip(f"no real checkpoints in {folder} (FORKPOINT_REAL)")
    return folder
