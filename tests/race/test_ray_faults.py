"""Work on Ray nodes of this machine: workers and nodes that die, and each outcome counted once."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from forkpoint.ledger import Trial
from forkpoint.race.executor import Outcome
from forkpoint.race.ray_cluster import PATIENCE, START_TRIES
from forkpoint.race.room import Need, Needs
from forkpoint.race.work import TrialWork, Work

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "1"
for name, value in PATIENCE.items():  # before Ray is imported
    os.environ.setdefault(name, value)
pytest.importorskip("ray", reason="Ray is not installed: pip install forkpoint[cluster]")
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1500)]

NODE_BYTES = 1 << 30  # that each node of the tests gives out
WAIT_SECONDS = 600.0  # for a worker to begin, on a machine that has much else to do


def again(begin: Callable[[], Any]) -> None:
    """Begin a node, and again where Ray's own 30 s were not enough."""
    for left in reversed(range(START_TRIES)):
        try:
            begin()
            return
        except Exception:
            if not left:
                raise


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """A head without processors and one node with two, as processes of this machine."""
    from ray.cluster_utils import Cluster

    few = {"object_store_memory": 80 << 20, "include_dashboard": False}
    cluster = Cluster()
    again(lambda: cluster.add_node(num_cpus=0, **few))
    again(lambda: cluster.add_node(num_cpus=2, memory=NODE_BYTES, object_store_memory=80 << 20))
    yield cluster
    cluster.shutdown()


@pytest.fixture(scope="module")
def joined(nodes: Any) -> Iterator[Any]:
    """The race's connection to these nodes."""
    from forkpoint.race.ray_cluster import Cluster

    cluster = Cluster(nodes.address)
    yield cluster
    cluster.close()


class Watch:
    """Keeps what began and what was said of it."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    def started(self, work: Work) -> None:
        self.begun.append(work.key)

    def progressed(self, work: Work, values: dict[str, Any]) -> None:
        """Not looked at here."""


def works(count: int) -> list[TrialWork]:
    return [
        TrialWork(trial=Trial(arm=f"a{n}.full", rung=1, rate=1e-3, seed=0, rendering="chat"))
        for n in range(count)
    ]


def waiting_task(go: Path) -> Callable[[str, bytes, int], dict[str, Any]]:
    """A piece of work that says by which process it runs, and ends once it may."""

    def task(folder: str, work_json: bytes, threads: int) -> dict[str, Any]:
        import json
        import os
        import time
        from pathlib import Path

        arm = json.loads(work_json)["trial"]["arm"]
        (Path(folder) / f"{arm}.{os.getpid()}.pid").touch()
        while not go.exists():
            time.sleep(0.1)
        return {"values": {"arm": arm, "process": os.getpid()}, "seconds": 1.0}

    return task


def executor(folder: Path, joined: Any, task: Any) -> Any:
    from forkpoint.race.ray_cluster import node_of
    from forkpoint.race.ray_executor import RayExecutor

    need = Need(cpus=1, memory_bytes=1 << 20)
    nodes = [node_of(node, None) for node in joined.alive().values()]
    return RayExecutor(folder, joined, nodes, Needs({}, need), 1, task=task)


def processes(folder: Path, arm: str) -> list[int]:
    return [int(path.name.split(".")[-2]) for path in folder.glob(f"{arm}.*.pid")]


def until(true: Callable[[], Any]) -> None:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < WAIT_SECONDS
        time.sleep(0.1)


def run_with(folder: Path, ran: Any, fault: Callable[[], None], go: Path) -> tuple[Any, Watch]:
    """Two pieces of work, a fault while both run, then their outcomes."""
    import threading

    watch, failures = Watch(), []

    def disturb() -> None:
        try:
            until(lambda: processes(folder, "a0.full") and processes(folder, "a1.full"))
            fault()
            go.touch()
        except BaseException as error:  # noqa: BLE001 - told to the test below
            failures.append(error)
            go.touch()

    thread = threading.Thread(target=disturb)
    thread.start()
    outcomes: list[Outcome] = list(ran.run(works(2), watch))
    thread.join()
    assert not failures, failures
    return outcomes, watch


def test_a_killed_worker_loses_its_work_and_another_does_it(tmp_path: Path, joined: Any) -> None:
    """kill -9 on a worker: its trial begins anew in another process, and counts once."""
    go = tmp_path / "go"
    ran = executor(tmp_path, joined, waiting_task(go))
    killed: list[int] = []

    def fault() -> None:
        killed.extend(processes(tmp_path, "a0.full"))
        os.kill(killed[0], signal.SIGKILL)
        until(lambda: len(processes(tmp_path, "a0.full")) > 1)

    outcomes, watch = run_with(tmp_path, ran, fault, go)
    by_arm = {outcome.values["arm"]: outcome.values["process"] for outcome in outcomes}
    assert {"a0.full", "a1.full"} == set(by_arm)
    assert 2 == len(outcomes) == len(watch.begun)
    assert by_arm["a0.full"] != killed[0]
    assert [by_arm["a1.full"]] == processes(tmp_path, "a1.full")


def test_what_a_node_that_dies_had_is_done_elsewhere(
    tmp_path: Path, nodes: Any, joined: Any
) -> None:
    """The raylet that a trial runs under is killed: the trial begins anew on the other node."""
    import psutil

    go = tmp_path / "go"
    again(lambda: nodes.add_node(num_cpus=2, memory=NODE_BYTES, object_store_memory=80 << 20))
    until(lambda: len(joined.alive()) == 3)
    ran = executor(tmp_path, joined, waiting_task(go))

    def fault() -> None:
        raylet = psutil.Process(processes(tmp_path, "a0.full")[0]).parent()
        assert raylet is not None
        assert raylet.name() == "raylet"
        raylet.kill()
        until(lambda: len(processes(tmp_path, "a0.full")) > 1)

    outcomes, watch = run_with(tmp_path, ran, fault, go)
    assert ["a0.full", "a1.full"] == sorted(outcome.values["arm"] for outcome in outcomes)
    assert 2 == len(watch.begun)
    assert 2 == len(joined.alive())


def test_a_worker_that_always_dies_fails_its_trial(tmp_path: Path, joined: Any) -> None:
    """After some deaths the trial counts as failed, with the reason, and the race can go on."""

    def task(folder: str, work_json: bytes, threads: int) -> None:
        import os

        os.kill(os.getpid(), 9)

    outcomes = list(executor(tmp_path, joined, task).run(works(1), Watch()))
    assert ["cluster.lost"] == [outcome.values["failed"]["key"] for outcome in outcomes]


def test_a_trial_runs_on_two_workers(tmp_path: Path, joined: Any) -> None:
    """A trial whose plan spreads it runs under Ray Train, its files by a storage: one outcome.

    They work in folders of their own, and what the trial left is in the run folder: its answers at
    once, its weights when they are brought.
    """
    from real_trial import make_trial

    from forkpoint.race.driver import read_agreement
    from forkpoint.race.ray_cluster import node_of
    from forkpoint.race.ray_executor import RayExecutor
    from forkpoint.race.room import race_needs
    from forkpoint.race.storage import Home, Storage, bring_weights

    folder = tmp_path / "run"
    work = make_trial(folder, devices=2, spread="zero3")
    agreed = read_agreement(folder)
    storage = Storage(f"file://{tmp_path}/store")
    home = Home(storage, folder, [str(one.path) for one in agreed.checkpoints.values()])
    nodes = [node_of(node, None) for node in joined.alive().values()]
    needs = race_needs({arm.name: arm.memory for arm in agreed.arms}, agreed.settings, nodes)
    assert 2 == needs(work).pieces
    outcomes = list(RayExecutor(folder, joined, nodes, needs, 1, home=home).run([work], Watch()))
    assert [None] == [outcome.values.get("failed") for outcome in outcomes]
    assert 4 == outcomes[0].values["primary"]["n"]
    trial = folder / work.trial.folder
    assert (folder / outcomes[0].values["answers"]).exists()
    assert not (trial / "weights" / "model.safetensors").exists()
    bring_weights(storage, folder)
    assert (trial / "weights" / "model.safetensors").exists()


def test_nodes_say_what_they_have(tmp_path: Path, joined: Any) -> None:
    """Versions, memory and the run folder are seen on every node, a missing file is named."""
    from forkpoint.errors import BadInput

    seen = joined.look(tmp_path)
    assert 2.0 == max(one.node.cpus for one in seen)
    assert all(one.machine.cores for one in seen)
    with pytest.raises(BadInput, match=r"does not see /nowhere/model"):
        joined.look(tmp_path, ["/nowhere/model"])


def test_other_versions_on_a_node_are_refused(
    tmp_path: Path, joined: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named with what is there and what is here."""
    from forkpoint.errors import BadInput
    from forkpoint.race import ray_cluster

    monkeypatch.setattr(ray_cluster, "library_versions", lambda: {"torch": "1.0"})
    with pytest.raises(BadInput, match=r"has torch .*, here it is 1\.0"):
        joined.look(tmp_path)
