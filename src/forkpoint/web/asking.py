"""Questions put to forkpoint's own command in a child process; answers are kept in the folder."""

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from forkpoint.ledger import write_whole

ANSWERS = ".asked"
SAID_BYTES = 4_000  # of what a failed question said
PATIENCE_SECONDS = 3_600.0  # reading twenty million rows takes less


@dataclass(frozen=True)
class Answer:
    """What came of a question so far."""

    state: Literal["waiting", "done", "failed"]
    content: bytes = b""
    said: str = ""  # why it failed, in the sentence of the command


_waiting: dict[Path, threading.Thread] = {}
_lock = threading.Lock()


def ask(folder: Path, name: str, words: Sequence[str], cwd: Path) -> Answer:
    """The answer of `forkpoint WORDS`; asked once, then the same for the same words."""
    path = folder / ANSWERS / f"{name}-{_digest(w for w in words if w[:7] != '--lang=')}.json"
    failed = path.with_name(f"{name}-{_digest(words)}.txt")  # a sentence has a language
    with _lock:
        running = _waiting.get(path)
        if running and running.is_alive():
            return Answer("waiting")
        _waiting.pop(path, None)
        if path.is_file():
            return Answer("done", content=path.read_bytes())
        if failed.is_file():
            return Answer("failed", said=failed.read_text(encoding="utf-8"))
        path.parent.mkdir(exist_ok=True)
        thread = threading.Thread(target=_run, args=(path, failed, list(words), cwd), daemon=True)
        _waiting[path] = thread
        thread.start()
    return Answer("waiting")


def forget(folder: Path) -> None:
    """Ask failed questions again."""
    for path in (folder / ANSWERS).glob("*.txt"):
        path.unlink(missing_ok=True)


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()[:16]


def _run(path: Path, failed: Path, words: list[str], cwd: Path) -> None:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "forkpoint", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=cwd,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        write_whole(failed, str(error).encode())
        return
    if done.returncode == 0:
        write_whole(path, done.stdout)
    else:
        write_whole(failed, done.stderr[-SAID_BYTES:].strip() or b"-")
