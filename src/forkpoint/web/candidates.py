"""Checkpoints that can be picked: the pocket family, folders here, the Hub's cache."""

import os
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

from forkpoint.catalogue import Chosen, Wish, choose, entries
from forkpoint.errors import ForkpointError
from forkpoint.estimate import OURS, OURS_CPU, Setup, estimate_memory, read_network
from forkpoint.estimate.fitting import answer
from forkpoint.facts import read_checkpoint, read_machine
from forkpoint.facts.machine import MachineFacts
from forkpoint.record import Figure, Record

Place = Literal["pocket", "folder", "cache"]
DEPTH = 3  # folders below the working folder that are looked into
FOLDERS = 4_000  # folders looked at before the search gives up: a home can be huge
MOST = 60  # checkpoints listed
CONTEXT_TOKENS = 1_024  # of the setup whose memory is shown; most instruction rows are shorter
ROOM_STEP_BYTES = 10**9  # free memory moves all the time; what fits is judged in whole GB
SKIPPED = {"node_modules", "__pycache__", "site-packages", "runs"}


class Candidate(Record):
    """One checkpoint to pick, and what is known of it at a glance."""

    name: str  # what forkpoint is given
    title: str
    place: Place
    stage: str | None
    parameters: int | None
    licence: str | None
    memory: Figure | None  # bytes that LoRA needs here, estimated
    fits: Literal["yes", "perhaps", "no"] | None
    trouble: str | None = None  # key of the reason why it cannot be read


_known: dict[tuple[str, float], Candidate | None] = {}
_lock = threading.Lock()


def candidates(home: Path) -> list[Candidate]:
    """All that are found, the pocket family first; what cannot be read is left out."""
    machine = read_machine(home)
    found: list[Candidate] = []
    for name, place in _names(home):
        if len(found) >= MOST:
            break
        if one := _candidate(name, place, machine):
            found.append(one)
    return found


def from_catalogue(machine: MachineFacts) -> tuple[Chosen, ...]:
    """What of the catalogue LoRA can tune in this machine's memory; none of it is fetched."""
    return _fitting(_room_bytes(machine) // ROOM_STEP_BYTES)


@cache
def _fitting(steps: int) -> tuple[Chosen, ...]:
    wish = Wish(memory_bytes=steps * ROOM_STEP_BYTES, context_tokens=CONTEXT_TOKENS)
    return choose(wish, entries()).found[:MOST]


def _room_bytes(machine: MachineFacts) -> int:
    return min((gpu.memory_bytes for gpu in machine.gpus), default=machine.available_bytes)


def _names(home: Path) -> Iterator[tuple[str, Place]]:
    from forkpoint.pocket import CHECKPOINTS

    for name in CHECKPOINTS:
        yield name, "pocket"
    for folder in _folders(home, DEPTH, [FOLDERS]):
        yield str(folder), "folder"
    for name in _cached():
        yield name, "cache"


def _folders(top: Path, depth: int, left: list[int]) -> Iterator[Path]:
    """Folders that hold a configuration and safetensors, nearest first."""
    try:
        entries = sorted(entry for entry in top.iterdir() if entry.is_dir())
    except OSError:
        return
    deeper = []
    for entry in entries:
        left[0] -= 1
        if left[0] < 0:
            return
        if entry.name.startswith(".") or entry.name in SKIPPED or entry.is_symlink():
            continue
        if (entry / "config.json").is_file() and any(entry.glob("*.safetensors")):
            yield entry
        elif depth > 1 and not (entry / "race.json").exists():
            deeper.append(entry)
    for entry in deeper:
        yield from _folders(entry, depth - 1, left)


def _cached() -> list[str]:
    """Names of models in the Hub's cache that have weights."""
    from huggingface_hub import constants

    cache = Path(os.environ.get("HF_HUB_CACHE", constants.HF_HUB_CACHE))
    found = []
    for entry in sorted(cache.glob("models--*")):
        if next(entry.glob("snapshots/*/*.safetensors"), None) is not None:
            found.append(entry.name.removeprefix("models--").replace("--", "/"))
    return found


def _candidate(name: str, place: Place, machine: MachineFacts) -> Candidate | None:
    """What is known of one, read once as long as its configuration does not change."""
    path = Path(name) / "config.json"
    try:
        changed = path.stat().st_mtime if place == "folder" else 0.0
    except OSError:
        changed = 0.0
    with _lock:
        if (name, changed) not in _known:
            _known[(name, changed)] = _read(name, place, machine)
        return _known[(name, changed)]


def _read(name: str, place: Place, machine: MachineFacts) -> Candidate | None:
    try:
        facts = read_checkpoint(name)
        if facts.path is None or facts.kind.value not in ("text", "code", "thinking", "unknown"):
            return None
        memory, fits = _memory(name, machine)
    except ForkpointError:
        return None
    return Candidate(
        name=name,
        title=Path(facts.path).name if place == "folder" else facts.name,
        place=place,
        stage=facts.stage,
        parameters=facts.shape.parameters,
        licence=facts.licence,
        memory=memory,
        fits=fits,
    )


def _memory(
    name: str, machine: MachineFacts
) -> tuple[Figure | None, Literal["yes", "perhaps", "no"] | None]:
    """What LoRA needs on this machine, and whether that fits."""
    try:
        network = read_network(name).network
        context = min(CONTEXT_TOKENS, network.context_tokens or CONTEXT_TOKENS)
        stack = OURS if machine.gpus else OURS_CPU
        setup = Setup(approach="lora", context_tokens=context, checkpointing=True)
        needs = estimate_memory(network, setup, stack)
    except ForkpointError:
        return None, None
    figure = Figure(
        value=needs.estimated_bytes, low=needs.low_bytes, high=needs.high_bytes, unit="bytes",
        origin="estimated",
    )  # fmt: skip
    return figure, answer(needs, _room_bytes(machine))
