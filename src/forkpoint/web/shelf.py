"""What has been read and drawn of each run, kept until its files change."""

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from forkpoint.report import View, read_view
from forkpoint.web.folders import folder_of
from forkpoint.web.process import alive, pausing

WATCHED = (
    "race.json", "ledger.jsonl", "verdict.json", "votes.jsonl", "rows.jsonl", "draft.json", "pause",
)  # fmt: skip
LOOK_SECONDS = 0.5  # a run's files are looked at no more often, however many readers there are
KEPT_RUNS = 64  # views in memory, some 2 MB each

Mark = tuple[object, ...]


@dataclass
class Kept:
    """One run: what its files looked like, its view, and pages made of it."""

    mark: Mark = ()
    looked: float = 0.0
    view: View | None = None
    pages: dict[tuple[str, ...], tuple[str, bytes]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


class Shelf:
    """Views and pages by run; one thread reads or draws a run, others wait for its result."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self._kept: dict[str, Kept] = {}
        self._lock = threading.Lock()

    def view(self, name: str) -> View:
        """The view of a run; raises BadInput or Unreadable as `read_view` does."""
        kept = self._fresh(name)
        with kept.lock:
            if kept.view is None:
                kept.view = self._read(name)
            return kept.view

    def page(self, name: str, kind: tuple[str, ...], make: Callable[[], str]) -> tuple[str, bytes]:
        """A page of a run and its ETag, made when the files have changed since the last time."""
        kept = self._fresh(name)
        found = kept.pages.get(kind)
        if found is None:
            with kept.lock:
                found = kept.pages.get(kind)
                if found is None:
                    content = make().encode()
                    tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
                    found = kept.pages[kind] = (tag, content)
        return found

    def _fresh(self, name: str) -> Kept:
        folder = folder_of(self.runs, name)
        with self._lock:
            kept = self._kept.pop(name, None) or Kept()
            self._kept[name] = kept  # the last used at the end
            while len(self._kept) > KEPT_RUNS:
                del self._kept[next(iter(self._kept))]
        now = time.monotonic()
        if kept.mark and now - kept.looked < LOOK_SECONDS:
            return kept
        mark = _mark(folder)
        with kept.lock:
            kept.looked = now
            if mark != kept.mark:
                kept.mark, kept.view, kept.pages = mark, None, {}
        return kept

    def _read(self, name: str) -> View:
        folder = folder_of(self.runs, name)
        view = read_view(folder)
        if view.progress == "interrupted" and alive(folder) is not None:
            return view.model_copy(update={"progress": "under_way"})  # it is about to write
        return view


def _mark(folder: Path) -> Mark:
    """What changes whenever anything worth showing does."""
    found: list[object] = [alive(folder) is not None, pausing(folder)]
    for name in WATCHED:
        try:
            stat = (folder / name).stat()
            found.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
        except OSError:
            found.append(None)
    return tuple(found)
