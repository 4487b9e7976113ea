"""A server on a folder of runs, and a browser that is let in."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile import HOSTILE
from run_folder import build_run
from watched_window import Watched
from wire import Served, let_in, start_server

HOSTILE_NAME = "<img src=x onerror=alert(9)>{{7*7}}'\"&"


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished race, an interrupted one, a hostile one, a broken one."""
    folder = tmp_path_factory.mktemp("served") / "runs"
    build_run(folder / "finished")
    build_run(folder / "unfinished", finished=False)
    everything = " ".join(HOSTILE[:-1])
    build_run(folder / HOSTILE_NAME, rows=60, spoil=lambda text: f"{text} {everything}")
    build_run(folder / "broken", rows=60)
    ledger = folder / "broken" / "ledger.jsonl"
    lines = ledger.read_bytes().split(b"\n")
    ledger.write_bytes(b"\n".join([lines[0], b'{"torn": ', *lines[2:]]))
    return folder


@pytest.fixture(scope="session")
def served(runs: Path) -> Iterator[Served]:
    """One server for all tests that only look."""
    server = start_server(runs)
    yield server
    server.process.terminate()
    server.process.wait(10)


@pytest.fixture(scope="session")
def cookie(served: Served) -> str:
    """What lets a client in."""
    return let_in(served)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    path = os.environ.get("FORKPOINT_BROWSER") or shutil.which("chromium")
    if path is None:
        pytest.skip("no Chromium here: install it, or name it with FORKPOINT_BROWSER")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="no Playwright here, FORKPOINT_BROWSER needs it"
    )
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def window(chromium: Any, served: Served) -> Iterator[Any]:
    """Makes windows: `window(lang, width, scheme)`."""
    made: list[Watched] = []

    def make(lang: str = "en", width: int = 1600, scheme: str = "light") -> Watched:
        made.append(Watched(chromium, served, lang, width, scheme))
        return made[-1]

    yield make
    for one in made:
        one.context.close()
