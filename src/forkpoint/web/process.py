"""A race as a process of its own: started, paused, resumed and stopped, never part of a server."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from forkpoint.errors import BadInput
from forkpoint.ledger import write_whole
from forkpoint.race.executor import PAUSE
from forkpoint.record import Record
from forkpoint.run.folder import writer_of

STARTED = "process.json"
LOG = "race.log"  # what the race says on stderr
GRACE_SECONDS = 6.0  # from asking a race to stop to stopping it: children are killed, files closed
SLACK_SECONDS = 1.0  # between a process's start and its note
LOG_BYTES = 4_000  # of the log's end that a page shows


class Started(Record):
    """The process that was started for a run folder."""

    process: int
    created: float  # seconds since 1970, as the system tells it: numbers are used again
    words: tuple[str, ...]


_children: list[subprocess.Popen[bytes]] = []  # kept so that ended ones do not linger


def start(folder: Path, words: Sequence[str], cwd: Path | None = None) -> int:
    """Start `forkpoint WORDS` for this folder; raises BadInput while a race runs in it."""
    if alive(folder) is not None:
        raise BadInput("web.already_running", folder=folder)
    (folder / PAUSE).unlink(missing_ok=True)
    with (folder / LOG).open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "forkpoint", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
            cwd=cwd,
        )
    _children.append(child)
    note = Started(process=child.pid, created=_created(child.pid) or time.time(),
                   words=tuple(words))  # fmt: skip
    write_whole(folder / STARTED, note.to_json().encode())
    return child.pid


def resume(folder: Path, lang: str) -> int:
    """Go on with an interrupted race."""
    return start(folder, ["race", "--resume", str(folder), "--json", "--lang", lang])


def alive(folder: Path) -> int | None:
    """The number of the process that races in this folder, also before it writes; else None."""
    for child in list(_children):
        if child.poll() is not None:
            _children.remove(child)
    if (writer := writer_of(folder)) is not None:
        return writer
    try:
        note = Started.from_json((folder / STARTED).read_bytes())
    except (OSError, ValueError):
        return None
    created = _created(note.process)
    same = created is not None and abs(created - note.created) <= SLACK_SECONDS
    return note.process if same else None


def pausing(folder: Path) -> bool:
    """Whether a running race has been asked to pause."""
    return (folder / PAUSE).exists() and alive(folder) is not None


def pause(folder: Path) -> None:
    """Let what is under way end, begin nothing more."""
    (folder / PAUSE).touch()


def stop(folder: Path) -> None:
    """Stop the race now; the ledger stays whole, the trials under way are lost. Waits for it."""
    process = alive(folder)
    if process is None:
        return
    for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, kind)
        end = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < end:
            if alive(folder) is None:
                (folder / PAUSE).unlink(missing_ok=True)
                return
            time.sleep(0.05)


def memory_bytes(folder: Path) -> int | None:
    """Resident memory of the race and its children; None when nothing runs."""
    import psutil

    process = alive(folder)
    if process is None:
        return None
    try:
        head = psutil.Process(process)
        family = [head, *head.children(recursive=True)]
    except psutil.Error:
        return None
    total = 0
    for one in family:
        with contextlib.suppress(psutil.Error):
            info = one.memory_info()
            total += info.rss - getattr(info, "shared", 0)  # pages that children share count once
    return total


def log_end(folder: Path) -> str:
    """The end of what the race said."""
    try:
        with (folder / LOG).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LOG_BYTES))
            return file.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _created(process: int) -> float | None:
    """When a process began; None for none, or for one that has ended and was not collected."""
    import psutil

    try:
        found = psutil.Process(process)
        return None if found.status() == psutil.STATUS_ZOMBIE else float(found.create_time())
    except psutil.Error:
        return None
