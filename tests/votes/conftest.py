"""A run folder to vote on, and judges behind an address."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from run_folder import build_run

SERVER = Path(__file__).with_name("judge_server.py")


@pytest.fixture(scope="session")
def drawn_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished race; never changed."""
    return build_run(tmp_path_factory.mktemp("votes") / "run", rows=150)


@pytest.fixture
def run(drawn_run: Path, tmp_path: Path) -> Path:
    """A copy that a test may vote in."""
    return Path(shutil.copytree(drawn_run, tmp_path / "run"))


@pytest.fixture
def start_judge(tmp_path: Path) -> Iterator[Callable[[str], tuple[str, Path]]]:
    """Start a judge's server as a process of its own; gives its address and its log."""
    started: list[subprocess.Popen[str]] = []

    def start(mode: str) -> tuple[str, Path]:
        log = tmp_path / f"{mode}.log"
        with log.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, str(SERVER), mode], stdout=subprocess.PIPE, stderr=file, text=True
            )
        started.append(process)
        assert process.stdout is not None
        return f"http://127.0.0.1:{process.stdout.readline().strip()}/v1", log

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
