"""What this machine can do: cores, memory, disk and GPUs, and what of it is free."""

import os
import platform
import shutil
from pathlib import Path

from forkpoint.record import Record


class GPU(Record):
    """One GPU as its driver reports it."""

    name: str
    memory_bytes: int
    free_bytes: int
    compute_capability: str | None = None


class MachineFacts(Record):
    """The machine that a race would run on."""

    system: str
    cores: int  # usable by this process, cgroup and affinity respected
    memory_bytes: int
    available_bytes: int
    disk_free_bytes: int
    gpus: tuple[GPU, ...] = ()
    unified_memory: bool = False
    gpu_note: str = ""  # why no GPU is listed, if the driver said something


def read_machine(folder: Path = Path()) -> MachineFacts:
    """Read cores, memory, free disk at `folder`, and GPUs through NVML where there is one."""
    import psutil

    memory = psutil.virtual_memory()
    limit = _cgroup_limit_bytes()
    total = min(memory.total, limit) if limit else memory.total
    gpus, note = _nvidia_gpus()
    return MachineFacts(
        system=f"{platform.system()} {platform.machine()}",
        cores=_usable_cores(),
        memory_bytes=total,
        available_bytes=min(memory.available, total),
        disk_free_bytes=shutil.disk_usage(_existing(folder)).free,
        gpus=gpus,
        unified_memory=platform.system() == "Darwin" and platform.machine() == "arm64",
        gpu_note=note,
    )


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cgroup_limit_bytes() -> int | None:
    """The container's memory limit in bytes, if one is set (cgroup v2, then v1)."""
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(name).read_text().strip()
        except OSError:
            continue
        if text.isdigit() and int(text) < 1 << 60:
            return int(text)
    return None


def _nvidia_gpus() -> tuple[tuple[GPU, ...], str]:
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return (), str(error)
    try:
        found = []
        for index in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
            major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
            name = pynvml.nvmlDeviceGetName(handle)
            found.append(
                GPU(
                    name=name if isinstance(name, str) else name.decode(),
                    memory_bytes=memory.total,
                    free_bytes=memory.free,
                    compute_capability=f"{major}.{minor}",
                )
            )
        return tuple(found), ""
    finally:
        pynvml.nvmlShutdown()
