"""The files of a run folder, read as they are; nothing outside the folder is ever opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from forkpoint.errors import BadInput, Unreadable
from forkpoint.ledger import Agreement, read_lines
from forkpoint.ledger.book import LOCK
from forkpoint.ledger.lines import AnyLine
from forkpoint.verdict.verdict_record import Verdict

AGREEMENT = "race.json"
VERDICT = "verdict.json"
MASKS = "masks.json"
CLOCK_SLACK_SECONDS = 2.0  # coarse process start times: clock ticks since boot


@dataclass(frozen=True)
class RunFolder:
    """What lies in a run folder; a part that is absent or broken is None and named in `broken`."""

    folder: Path
    agreement: Agreement
    lines: tuple[AnyLine, ...]
    verdict: Verdict | None
    verdict_bytes: bytes | None
    masks: dict[str, Any]
    rows: dict[str, dict[str, Any]]
    broken: tuple[str, ...]  # file names that are there but cannot be read

    @property
    def writer_alive(self) -> bool:
        """Whether the process that last locked the folder still runs."""
        return writer_of(self.folder) is not None

    def answers(self, name: str) -> list[dict[str, Any]]:
        """The answers in a file of this folder; none when it is absent or leads elsewhere."""
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            return []
        return list(_json_lines(path))


def read_folder(folder: Path) -> RunFolder:
    """Read a run folder; raises BadInput or Unreadable when there is no race in it."""
    if not folder.is_dir():
        raise BadInput("report.no_folder", folder=folder)
    path = folder / AGREEMENT
    try:
        agreement = Agreement.from_json(path.read_bytes())
    except FileNotFoundError:
        raise BadInput("report.no_race", folder=folder) from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "-"
        raise Unreadable("report.bad_race", file=path, field=field, problem=first["msg"]) from None
    lines = tuple(read_lines(folder))
    broken: list[str] = []
    verdict_bytes = _bytes(folder / VERDICT)
    verdict = None
    if verdict_bytes is not None:
        try:
            verdict = Verdict.from_json(verdict_bytes)
        except ValidationError:
            broken.append(VERDICT)
    masks = _json(folder / MASKS, broken)
    rows = {
        str(row["id"]): row
        for row in _json_lines(folder / agreement.rows_kept_file)
        if isinstance(row, dict) and "id" in row
    }
    return RunFolder(
        folder=folder,
        agreement=agreement,
        lines=lines,
        verdict=verdict,
        verdict_bytes=verdict_bytes,
        masks=masks if isinstance(masks, dict) else {},
        rows=rows,
        broken=tuple(broken),
    )


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _json(path: Path, broken: list[str]) -> Any:
    content = _bytes(path)
    if content is None:
        return None
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        broken.append(path.name)
        return None


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """One object a line; a torn or broken line of a race under way is left out."""
    content = _bytes(path) if path.is_file() else None
    for piece in (content or b"").splitlines():
        try:
            value = orjson.loads(piece)
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict):
            yield value


def writer_of(folder: Path) -> int | None:
    """The number of the process that writes into this folder; None when nobody does."""
    return _writer(folder / LOCK)


def _writer(lock: Path) -> int | None:
    """Read without touching the lock, so that looking never keeps a race from starting.

    Where the system lists its locks (Linux), the list decides. Elsewhere a live process of that
    number does, unless it started after the lock was written: it only inherited the number.
    """
    import psutil

    try:
        number = int(lock.read_text().strip())
        found = lock.stat()
        listed = _lock_is_listed(number, found.st_ino)
        if listed is not None:
            return number if listed else None
        process = psutil.Process(number)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        inherited = process.create_time() > found.st_mtime + CLOCK_SLACK_SECONDS
        return None if inherited else number
    except (OSError, ValueError, psutil.Error):
        return None


def _lock_is_listed(process: int, inode: int) -> bool | None:
    """Whether /proc/locks holds a lock of this process on this inode; None without such a list.

    A line reads "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF".
    """
    try:
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        words = line.split()
        if len(words) > 5 and words[4] == str(process) and words[5].endswith(f":{inode}"):
            return True
    return False
