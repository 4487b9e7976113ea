"""Where a race runs: on this machine, or on the nodes of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from forkpoint.errors import BadInput
from forkpoint.facts.machine import MachineFacts, read_machine
from forkpoint.ledger import EnginePlan, MemoryPlan, Settings
from forkpoint.race.executor import Executor, LocalExecutor

Plans = Mapping[str, MemoryPlan | None]  # arm -> what a trial of it should take


class Ground(Protocol):
    """What a race needs to know of the place it runs on."""

    plan: EnginePlan

    @property
    def most_gpus(self) -> int:
        """GPUs that one trial may be spread over, once `machine` was asked."""
        ...

    def machine(self, folder: Path) -> MachineFacts:
        """The machine that a single trial can have, at its largest."""
        ...

    def shared(self, settings: Settings, plans: Plans, fitting: int) -> Settings:
        """The settings with the trials that run side by side; `fitting` of them fit `machine`."""
        ...

    def executor(self, folder: Path, settings: Settings, plans: Plans) -> Executor:
        """Who runs the work of a race in `folder`."""
        ...

    def check(self, folder: Path, paths: list[str]) -> None:
        """Raises BadInput when some of the race's files cannot be seen where trials run."""
        ...

    def bring_home(self, folder: Path) -> None:
        """The race has ended: the weights that it kept are to lie in its folder."""
        ...

    def close(self) -> None:
        """Leave the place."""
        ...


class LocalGround:
    """This machine: children of one server process."""

    plan = EnginePlan()
    most_gpus = 1  # several are used by a cluster of this machine: --engine ray

    def machine(self, folder: Path) -> MachineFacts:
        """This machine."""
        return read_machine(folder)

    def shared(self, settings: Settings, plans: Plans, fitting: int) -> Settings:
        """As many trials as fit."""
        return settings.model_copy(update={"workers": fitting})

    def executor(self, folder: Path, settings: Settings, plans: Plans) -> Executor:
        """Forked children."""
        return LocalExecutor(folder, settings.workers, threads_each(settings))

    def check(self, folder: Path, paths: list[str]) -> None:
        """They are here."""

    def bring_home(self, folder: Path) -> None:
        """They do."""

    def close(self) -> None:
        """Nothing is held."""


def threads_each(settings: Settings) -> int:
    """Threads of one child when `settings.workers` of them share the machine."""
    return max(1, read_machine().cores // settings.workers)


def ground_named(
    kind: str, address: str | None, workers: int | None = None, storage: str | None = None
) -> Ground:
    """The place by the words of the command line; raises BadInput."""
    if kind == "ray":
        from forkpoint.race.ray_ground import RayGround

        return RayGround(address, workers, storage)
    if kind != "local":
        raise BadInput("cluster.engine_unknown", engine=kind)
    if address:
        raise BadInput("cluster.address_without_ray", address=address)
    if storage:
        raise BadInput("cluster.storage_without_ray", storage=storage)
    return LocalGround()
