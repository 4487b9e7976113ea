"""A run folder with trained arms, built once: training takes a second or two."""

from pathlib import Path

import exported_run
import pytest


@pytest.fixture(scope="session")
def trained_run(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A race of a LoRA arm in chat form and a full arm in plain text; never changed."""
    return exported_run.build(tmp_path_factory.mktemp("export") / "run", tiny_checkpoint)


@pytest.fixture(scope="session")
def staged_run(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A race of every approach that needs more than rows, without weights; never changed."""
    return exported_run.build_staged(tmp_path_factory.mktemp("staged") / "run", tiny_checkpoint)
