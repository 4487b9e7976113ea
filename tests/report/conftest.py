"""Run folders that several tests of the report read; built once, never changed."""

from pathlib import Path

import pytest
from run_folder import build_run

from forkpoint.report import View, read_view


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A race with its verdict."""
    return build_run(tmp_path_factory.mktemp("runs") / "finished")


@pytest.fixture(scope="session")
def unfinished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A race that stops in the middle of its second rung, with one trial under way."""
    return build_run(tmp_path_factory.mktemp("runs") / "unfinished", finished=False)


@pytest.fixture(scope="session")
def finished(finished_run: Path) -> View:
    """The view of a race with its verdict."""
    return read_view(finished_run)


@pytest.fixture(scope="session")
def unfinished(unfinished_run: Path) -> View:
    """The view of an interrupted race."""
    return read_view(unfinished_run)
