"""A run folder's files at an address that all nodes reach, where they share no file system.

Any address that fsspec reads: a path, file://, s3://, gs://, memory:// in tests. The process that
drives the race sends what a trial needs and fetches what it left; a worker does the reverse in a
folder of its own. Weights stay at the address until the race has ended. The ledger is never sent.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from forkpoint.errors import BadInput
from forkpoint.ledger import Trial
from forkpoint.race.driver import AGREEMENT
from forkpoint.race.executor import note_path
from forkpoint.race.weights import WEIGHTS
from forkpoint.race.work import WORK, TrialWork, Work
from forkpoint.train.resume import FOLDER as RESUME

CHECKPOINTS = "checkpoints"
SEND_SECONDS = 5.0  # between two notes of how far a trial is
GIVEN = (AGREEMENT, "rows.jsonl", "documents.jsonl", "replay/rows.jsonl")  # what a trial reads
OWN = ("children.log", ".work")  # of the machine where they are
CHECKPOINT_FILES = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")


class Storage:
    """Files under one address; names are relative to it, with slashes."""

    def __init__(self, address: str) -> None:
        import fsspec

        self.address = address
        try:
            self._files, self._root = fsspec.url_to_fs(address)
            self._files.makedirs(self._root, exist_ok=True)
        except Exception as error:  # noqa: BLE001 - each file system has errors of its own
            said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            raise BadInput("cluster.storage_unreachable", storage=address, error=said) from None
        self._sent: dict[str, tuple[int, int]] = {}  # name -> size and time when it was sent

    def send(self, folder: Path, names: Iterable[str]) -> None:
        """Copy files of a folder to the address: those that exist and have changed since."""
        for name in names:
            path = folder / name
            if not path.is_file():
                continue
            now = path.stat().st_size, path.stat().st_mtime_ns
            if self._sent.get(name) != now:
                self.send_as(path, name)
                self._sent[name] = now

    def send_as(self, path: Path, name: str) -> None:
        """Copy one file to the address."""
        self._files.makedirs(self._at(name).rpartition("/")[0], exist_ok=True)
        self._files.put_file(str(path), self._at(name))

    def fetch(self, folder: Path, names: Iterable[str]) -> None:
        """Copy files from the address into a folder, whole at any moment."""
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.part")
            self._files.get_file(self._at(name), str(part))
            part.replace(path)

    def sizes(self, under: str = "") -> dict[str, int]:
        """Name -> bytes of every file there, as it is now."""
        self._files.invalidate_cache()
        try:
            found: dict[str, Any] = self._files.find(self._at(under), detail=True)
        except FileNotFoundError:
            return {}
        start = len(self._root.rstrip("/")) + 1
        return {path[start:]: int(entry["size"] or 0) for path, entry in found.items()}

    def remove(self, under: str) -> None:
        """Remove everything under a name."""
        if self.sizes(under):
            self._files.rm(self._at(under), recursive=True)

    def _at(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}".rstrip("/")


def checkpoint_name(path: str) -> str:
    """Under which a checkpoint's folder lies at the address."""
    return f"{CHECKPOINTS}/{hashlib.sha256(path.encode()).hexdigest()[:16]}"


def send_checkpoint(storage: Storage, path: str) -> None:
    """Send a checkpoint's weights, tokenizer and configuration, unless they are there."""
    name, folder = checkpoint_name(path), Path(path)
    there = storage.sizes(name)
    files = [file for kind in CHECKPOINT_FILES for file in folder.glob(kind) if file.is_file()]
    for file in files:
        if there.get(f"{name}/{file.name}") != file.stat().st_size:
            storage.send_as(file, f"{name}/{file.name}")


class Mirror:
    """A worker's own copy of what one piece of work needs, and the way back of what it made."""

    def __init__(self, storage: Storage, paths: Iterable[str], scratch: Path, shelf: Path) -> None:
        self.storage = storage
        self.paths = tuple(paths)  # of checkpoints, as the race names them
        self.folder = scratch
        self.shelf = shelf  # checkpoints, fetched once a node
        self._before: dict[str, tuple[int, int]] = {}

    def take(self, work_json: bytes) -> bytes:
        """Fetch what the work needs; the work with its paths as they are here."""
        work = WORK.validate_json(work_json)
        there = self.storage.sizes()
        wanted = [name for name in GIVEN if name in there]
        if trial := trial_of(work):
            kept = f"{trial.folder}/{WEIGHTS}/"
            only = f"{kept}{RESUME}/" if isinstance(work, TrialWork) else kept
            wanted += [name for name in there if name.startswith(only)]
        self.storage.fetch(self.folder, wanted)
        here = {path: self._checkpoint(path, there) for path in self.paths}
        agreed = self.folder / AGREEMENT
        if agreed.exists():
            agreed.write_bytes(orjson.dumps(_moved(orjson.loads(agreed.read_bytes()), here)))
        self._before = self._stamps()
        return orjson.dumps(_moved(orjson.loads(work_json), here))

    def send_on(self, work: Work) -> None:
        """While the work is under way: how far it is, and what it could go on from elsewhere."""
        note = note_path(self.folder, work, "progress").relative_to(self.folder).as_posix()
        names = [note]
        if isinstance(work, TrialWork):
            under = f"{work.trial.folder}/{WEIGHTS}/{RESUME}"
            kept = [f"{under}/{file.name}" for file in (self.folder / under).glob("*")]
            kept = [name for name in kept if not name.endswith(".part")]
            names += sorted(kept, key=lambda name: name.endswith(".json"))  # the note last
        with contextlib.suppress(FileNotFoundError):  # replaced by a newer one: the next time
            self.storage.send(self.folder, names)

    def leave(self, work: Work) -> list[str]:
        """Send what the work made; the names of it. Its weights are then no longer here."""
        made = [name for name, stamp in self._stamps().items() if self._before.get(name) != stamp]
        self.storage.send(self.folder, made)
        self.clear(work)
        if isinstance(work, TrialWork):
            self.storage.remove(f"{work.trial.folder}/{WEIGHTS}/{RESUME}")
        note = note_path(self.folder, work, "progress").relative_to(self.folder).as_posix()
        self.storage.remove(note)
        return made

    def clear(self, work: Work) -> None:
        """Remove the trial's files that were fetched or made here."""
        if trial := trial_of(work):
            shutil.rmtree(self.folder / trial.folder, ignore_errors=True)

    def _checkpoint(self, path: str, there: Mapping[str, int]) -> str:
        if Path(path).exists():
            return path
        name = checkpoint_name(path)
        files = {file: size for file, size in there.items() if file.startswith(f"{name}/")}
        missing = [
            file
            for file, size in files.items()
            if not (self.shelf / file).exists() or (self.shelf / file).stat().st_size != size
        ]
        self.storage.fetch(self.shelf, missing)
        return str(self.shelf / name)

    def _stamps(self) -> dict[str, tuple[int, int]]:
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        names = {path: path.relative_to(self.folder).as_posix() for path in files}
        return {
            name: (path.stat().st_size, path.stat().st_mtime_ns)
            for path, name in names.items()
            if name.split("/")[0] not in OWN and name not in GIVEN
        }


def own_mirror(address: str, paths: Iterable[str]) -> Mirror:
    """This worker process's mirror; checkpoints lie beside it for all of the node's."""
    shelf = Path(tempfile.gettempdir()) / f"forkpoint-{os.getuid()}"
    shelf.mkdir(mode=0o700, exist_ok=True)
    shelf /= hashlib.sha256(address.encode()).hexdigest()[:16]
    folder = shelf / str(os.getpid())
    folder.mkdir(parents=True, exist_ok=True)
    return Mirror(Storage(address), paths, folder, shelf)


class Sender:
    """Sends on how far a piece of work is, not too often."""

    def __init__(self, mirror: Mirror, work: Work) -> None:
        self.mirror = mirror
        self.work = work
        self.last = 0.0

    def started(self, work: Work) -> None:
        """Known where the race runs."""

    def progressed(self, work: Work, values: dict[str, Any]) -> None:
        """Send the note that says so."""
        if time.monotonic() - self.last >= SEND_SECONDS:
            self.mirror.send_on(self.work)
            self.last = time.monotonic()


class Home:
    """The run folder's side: sends what is needed, fetches all but weights, tidies up there."""

    def __init__(self, storage: Storage, folder: Path, paths: Sequence[str]) -> None:
        self.storage = storage
        self.folder = folder
        self.paths = tuple(paths)  # of checkpoints
        self._left: set[str] = set()  # folders of weights at the address
        self._looked = 0.0

    def provide(self) -> None:
        """Everything that a trial reads of the run folder."""
        self.storage.send(self.folder, GIVEN)

    def receive(self, names: Iterable[str]) -> None:
        """Fetch what a piece of work left, but for tensors: their folder stands for them."""
        for name in names:
            if WEIGHTS in name.split("/"):
                self._left.add(name[: name.index(f"/{WEIGHTS}/")] + f"/{WEIGHTS}")
            if not name.endswith(".safetensors"):
                self.storage.fetch(self.folder, [name])

    def fetch_notes(self) -> None:
        """How far the trials are, not too often."""
        if time.monotonic() - self._looked >= SEND_SECONDS:
            notes = [name for name in self.storage.sizes(".work") if name.endswith(".json")]
            self.storage.fetch(self.folder, notes)
            self._looked = time.monotonic()

    def tidy(self) -> None:
        """Weights that the race has swept here are removed there."""
        for name in [name for name in self._left if not (self.folder / name).exists()]:
            self.storage.remove(name)
            self._left.discard(name)


def bring_weights(storage: Storage, folder: Path) -> None:
    """Fetch the weights of the trials that the race has kept."""
    for name, size in storage.sizes("arms").items():
        path = folder / name
        swept = not path.parent.exists()
        if name.endswith(".safetensors") and RESUME not in name.split("/") and not swept:
            there = path.stat().st_size if path.exists() else -1
            if there != size:
                storage.fetch(folder, [name])


def trial_of(work: Work) -> Trial | None:
    """The trial whose weights a piece of work makes or reads."""
    return getattr(work, "trial", None)


def _moved(value: Any, paths: Mapping[str, str]) -> Any:
    """A JSON value in which strings that are one of the paths are as they are here."""
    if isinstance(value, str):
        return paths.get(value, value)
    if isinstance(value, list):
        return [_moved(one, paths) for one in value]
    if isinstance(value, dict):
        return {key: _moved(one, paths) for key, one in value.items()}
    return value
