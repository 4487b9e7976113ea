"""What goes wrong with a cluster is a sentence: what was found, where, and what to do."""

import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from forkpoint.errors import BadInput, DoesNotFit, ForkpointError
from forkpoint.race.ray_cluster import START_TRIES, Cluster
from forkpoint.race.room import Need, Needs

NODE = {"NodeID": "n1", "NodeManagerAddress": "10.0.0.2", "Alive": True, "Resources": {"CPU": 2.0}}


class Silent(Exception):
    """Ray's errors, as far as they are told apart."""


def made_ray(begin: Any = None, get: Any = None, nodes: tuple[Any, ...] = (NODE,)) -> Any:
    """As much of Ray as a cluster asks of it; `begin` and `get` may raise."""
    counted = {"begun": 0}

    def init(**_: Any) -> None:
        counted["begun"] += 1
        if begin:
            raise begin

    def got(*_: Any, **__: Any) -> Any:
        if isinstance(get, Exception):
            raise get
        return get

    kinds = {
        name: type(name, (Silent,), {})
        for name in ("AuthenticationError", "GetTimeoutError", "RayError")
    }
    task = SimpleNamespace(options=lambda **_: SimpleNamespace(remote=lambda *_: "reference"))
    return SimpleNamespace(
        init=init, get=got, nodes=lambda: list(nodes), shutdown=lambda: None, counted=counted,
        remote=lambda _: task, exceptions=SimpleNamespace(**kinds),
    )  # fmt: skip


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a made-up Ray in the place of the real one."""

    def put(made: Any) -> Any:
        monkeypatch.setitem(sys.modules, "ray", made)
        monkeypatch.setattr(Cluster, "on", lambda self, node_id: node_id)
        return made

    return put


def said(error: ForkpointError, *parts: str) -> None:
    """Both languages speak, and the English says all of this."""
    assert all(part in error.message("en") for part in parts), error.message("en")
    assert any("\u4e00" <= sign <= "\u9fff" for sign in error.message("zh"))


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BadInput) as raised:
        Cluster(None)
    said(raised.value, "pip install", "forkpoint[cluster]")


def test_other_versions_of_ray_are_not_tried_again(ray: Any) -> None:
    """Named once; trying again would not help."""
    made = ray(made_ray(begin=RuntimeError("Version mismatch: The cluster was started with 2.50")))
    with pytest.raises(BadInput) as raised:
        Cluster("auto")
    said(raised.value, "auto", "another version", "2.50", "Install the same")
    assert 1 == made.counted["begun"]


@pytest.mark.parametrize(
    ("address", "says"), [(None, ("on this machine", "try again")), ("auto", ("ray status",))]
)
def test_a_cluster_that_does_not_begin_is_tried_again(
    ray: Any, address: str | None, says: tuple[str, ...]
) -> None:
    """A busy machine has more than one chance; then it is said what Ray said."""
    made = ray(made_ray(begin=Exception("The current node timed out during startup.")))
    with pytest.raises(BadInput) as raised:
        Cluster(address)
    said(raised.value, "timed out during startup", *says)
    assert START_TRIES == made.counted["begun"]


def test_half_a_cluster_is_not_left_behind(ray: Any) -> None:
    """What a beginning that failed had started is ended; what ran before goes on."""
    made, begun = made_ray(), []

    def init(**_: Any) -> None:
        begun.append(subprocess.Popen(["sleep", "60"]))
        raise RuntimeError("timed out")

    made.init = init
    ray(made)
    own = subprocess.Popen(["sleep", "60"])
    with pytest.raises(BadInput):
        Cluster(None)
    assert [-signal.SIGKILL] * START_TRIES == [process.wait(10) for process in begun]
    assert own.poll() is None
    own.kill()
    own.wait(10)


def test_a_token_that_is_not_known_here(ray: Any) -> None:
    """Where it is to be copied from."""
    made = made_ray()
    made.init = lambda **_: (_ for _ in ()).throw(made.exceptions.AuthenticationError())
    ray(made)
    with pytest.raises(BadInput) as raised:
        Cluster("auto")
    said(raised.value, "~/.ray/auth_token", "RAY_AUTH_MODE=token")


def test_a_node_that_says_nothing_or_cannot(ray: Any, tmp_path: Path) -> None:
    """By its address, with what is to be looked at there."""
    made = ray(made_ray())
    for kind, says in (("GetTimeoutError", "said nothing"), ("RayError", "Install forkpoint")):
        error = getattr(made.exceptions, kind)("No module named 'forkpoint'")
        made.get = lambda *_, error=error, **__: (_ for _ in ()).throw(error)
        with pytest.raises(BadInput) as raised:
            Cluster("auto").look(tmp_path)
        said(raised.value, "10.0.0.2", says)


def test_a_cluster_without_nodes(ray: Any, tmp_path: Path) -> None:
    """Which cluster, and how a node is started."""
    from forkpoint.race.ray_ground import RayGround

    ray(made_ray(nodes=()))
    with pytest.raises(BadInput) as raised:
        RayGround("auto", None).machine(tmp_path)
    said(raised.value, "auto", "no node", "ray start")


def test_a_worker_that_does_not_see_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Which node, which folder, and that the race goes on with --resume."""
    from forkpoint.race.ray_worker import run_one

    util = SimpleNamespace(get_node_ip_address=lambda: "10.0.0.3")
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(util=util))
    monkeypatch.setitem(sys.modules, "ray.util", util)
    with pytest.raises(BadInput) as raised:
        run_one(str(tmp_path / "nowhere"), b"", 1)
    said(raised.value, "10.0.0.3", str(tmp_path / "nowhere"), "--resume")


def test_all_nodes_with_room_are_gone(ray: Any, tmp_path: Path) -> None:
    """The race stops with the ledger whole and says how it goes on."""
    from test_terminal import works

    from forkpoint.race.ray_cluster import node_of
    from forkpoint.race.ray_executor import RayExecutor

    ray(made_ray())
    cluster = Cluster("auto")
    needs = Needs({}, Need(cpus=4, memory_bytes=0))
    executor = RayExecutor(tmp_path, cluster, [node_of(NODE, None)], needs, 1)
    watch = SimpleNamespace(started=lambda work: None, progressed=lambda work, values: None)
    with pytest.raises(DoesNotFit) as raised:
        list(executor.run(works(1), watch))
    said(raised.value, "1 left", "--resume", str(tmp_path))
