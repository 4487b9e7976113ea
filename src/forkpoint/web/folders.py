"""Run folders by name: which there are, and that no name leads out of the runs folder."""

import time
from pathlib import Path

from forkpoint.errors import BadInput
from forkpoint.report.visible import visible

AGREEMENT = "race.json"
DRAFT = "draft.json"
LONGEST_NAME = 120  # characters of a folder's name
MOST = 300  # runs listed, the newest first


def folder_of(runs: Path, name: str) -> Path:
    """The run folder of a name; raises BadInput for one that is not there or leads elsewhere."""
    folder = runs / name
    inside = name not in ("", ".", "..") and not set(name) & {"/", "\\", "\0"}
    try:
        if inside and folder.is_dir() and folder.resolve().parent == runs.resolve():
            return folder
    except (OSError, ValueError):
        pass
    raise BadInput("web.no_run", name=visible(name[:LONGEST_NAME]), folder=runs)


def run_names(runs: Path) -> list[str]:
    """The names of all runs and drafts, the last touched first."""
    found: list[tuple[float, str]] = []
    try:
        entries = list(runs.iterdir())
    except OSError:
        return []
    for entry in entries:
        try:
            marks = [entry / name for name in (AGREEMENT, DRAFT)]
            times = [mark.stat().st_mtime for mark in marks if mark.is_file()]
            if times and folder_of(runs, entry.name):
                ledger = entry / "ledger.jsonl"
                times += [ledger.stat().st_mtime] if ledger.is_file() else []
                found.append((max(times), entry.name))
        except (OSError, BadInput):
            continue
    return [name for _, name in sorted(found, reverse=True)[:MOST]]


def free_folder(runs: Path, stem: str) -> Path:
    """A new, empty folder named after the data, numbered where that name is taken."""
    kept = "".join(c if c.isalnum() or c in "-_" else "-" for c in stem)[:60].strip("-_")
    for number in range(1, 10_000):
        folder = runs / (f"{kept or 'race'}-{number}" if number > 1 else kept or "race")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise BadInput("web.too_many_runs", folder=runs, time=time.strftime("%Y"))
