"""The files of a checkpoint, wherever they lie: listed, and read in small pieces."""

import re
import stat
from pathlib import Path
from typing import Protocol

from forkpoint.errors import BadInput, Unreadable

SMALL_FILE_LIMIT_BYTES = 64_000_000  # bytes; the largest tokenizer.json in use has some 35 MB
FILE_COUNT_LIMIT = 20_000  # entries; the largest public checkpoints have under 300 shards
POCKET_NAME = re.compile(r"pocket-(base|instruct|chat)")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)


class CheckpointFiles(Protocol):
    """What is needed of a place that holds a checkpoint."""

    name: str
    path: Path | None  # a local folder, or a GGUF file
    revision: str | None
    hub_tags: tuple[str, ...]
    sizes: dict[str, int]  # file name -> bytes

    def read(self, file: str) -> bytes | None:
        """A small file whole, None when there is none; Unreadable when it is too large."""
        ...

    def read_range(self, file: str, start: int, length: int) -> bytes:
        """Some bytes of a file that may be large."""
        ...


class LocalFiles:
    """A folder on this machine, or a single GGUF file in `path`."""

    def __init__(self, name: str, path: Path, revision: str | None = None) -> None:
        self.name = name
        self.path: Path | None = path
        self.revision = revision
        self.hub_tags: tuple[str, ...] = ()
        self._folder = path if path.is_dir() else path.parent
        self.sizes = _list_folder(path) if path.is_dir() else _list_one(path)

    def read(self, file: str) -> bytes | None:
        if file not in self.sizes:
            return None
        check_small(file, self.sizes[file])
        return self.read_range(file, 0, self.sizes[file])

    def read_range(self, file: str, start: int, length: int) -> bytes:
        try:
            with (self._folder / file).open("rb") as stream:
                stream.seek(start)
                return stream.read(length)
        except OSError as error:
            raise Unreadable(
                "facts.file_unreadable", file=str(self._folder / file), reason=_reason(error)
            ) from None


def check_small(file: str, size_bytes: int) -> None:
    """Refuse a file that should be small and is not."""
    if size_bytes > SMALL_FILE_LIMIT_BYTES:
        raise Unreadable("facts.file_too_large", file=file, size=f"{size_bytes:,}")


def locate(name: str) -> CheckpointFiles:
    """The files behind a local folder, a GGUF file, a pocket name or a Hub id."""
    if POCKET_NAME.fullmatch(name):
        from forkpoint.pocket import checkpoint_path

        return LocalFiles(name, Path(checkpoint_path(name)), revision="bundled")
    path = Path(name).expanduser()
    try:
        found = path.stat()
    except FileNotFoundError:
        found = None
    except (OSError, ValueError) as error:
        raise Unreadable("facts.file_unreadable", file=name, reason=_reason(error)) from None
    if found is not None:
        return _local(name, path, found.st_mode)
    if name.startswith(("/", "./", "../", "~")) or not HUB_ID.fullmatch(name):
        raise BadInput("facts.not_found", name=name)
    from forkpoint.facts.hub_files import hub_files

    return hub_files(name)


def _local(name: str, path: Path, mode: int) -> CheckpointFiles:
    if stat.S_ISDIR(mode):
        files = LocalFiles(name, path)
        recognised = {"config.json", "adapter_config.json", "params.json"} & set(files.sizes)
        if not recognised and not any(file.endswith(".gguf") for file in files.sizes):
            raise BadInput("facts.no_checkpoint", name=name)
        return files
    if stat.S_ISREG(mode) and path.suffix == ".gguf":
        return LocalFiles(name, path)
    if stat.S_ISREG(mode) and path.suffix == ".safetensors":
        raise BadInput("facts.give_folder", name=name, folder=str(path.parent))
    raise BadInput("facts.no_checkpoint", name=name)


def _list_folder(folder: Path) -> dict[str, int]:
    """Regular files of the folder and of the template folder below it, with their sizes."""
    sizes: dict[str, int] = {}
    try:
        entries = sorted(folder.iterdir())
        extra = folder / "1_Pooling"  # marks sentence-transformers checkpoints
        entries += sorted(extra.iterdir()) if extra.is_dir() else []
    except OSError as error:
        raise Unreadable("facts.file_unreadable", file=str(folder), reason=_reason(error)) from None
    if len(entries) > FILE_COUNT_LIMIT:
        raise BadInput("facts.too_many_files", name=str(folder), count=len(entries))
    for entry in entries:
        try:
            found = entry.stat()
        except OSError as error:
            raise Unreadable(
                "facts.file_unreadable", file=str(entry), reason=_reason(error)
            ) from None
        if stat.S_ISREG(found.st_mode):
            sizes[entry.relative_to(folder).as_posix()] = found.st_size
    return sizes


def _list_one(path: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size}


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
