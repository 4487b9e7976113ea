"""One trial on two nodes: two network namespaces of this machine, Ray Train over gloo between them.

Each node has one processor, so that a training in two processes has to use both; they reach each
other by a cable only, and nobody joins without the token.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from real_trial import make_trial

from forkpoint.race.ray_cluster import PATIENCE

pytest.importorskip("ray", reason="Ray is not installed: pip install forkpoint[cluster]")
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1500)]

CABLE = "cable"  # the name of its end in either namespace
HEAD, OTHER = "10.77.0.1", "10.77.0.2"
PORT = 6390
START_SECONDS = 600.0  # for a head to answer, on a machine that has much else to do
DRIVER = Path(__file__).with_name("trial_on_cluster.py")


class Nodes(NamedTuple):
    """Two nodes, each in a namespace of its own, with a home that holds the token."""

    names: tuple[str, str]
    homes: tuple[Path, Path]
    address: str


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def inside(name: str, home: Path, *words: str) -> dict[str, Any]:
    """How a command is run in a namespace."""
    here = {
        "HOME": str(home),
        "RAY_AUTH_MODE": "token",
        "RAY_USAGE_STATS_ENABLED": "0",
        **PATIENCE,
        "GLOO_SOCKET_IFNAME": CABLE,
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    left = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    return {"args": ["ip", "netns", "exec", name, *words], "env": {**left, **here}}


@pytest.fixture(scope="module")
def spaces() -> Iterator[tuple[str, str]]:
    """Two namespaces and the cable between them; skipped where they are not allowed."""
    if shutil.which("ip") is None:
        pytest.skip("no `ip` here: install iproute2")
    names = f"fp{os.getpid()}a", f"fp{os.getpid()}b"
    try:
        for name in names:
            ip("netns", "add", name)
        ip("link", "add", CABLE, "netns", names[0], "type", "veth",
           "peer", "name", CABLE, "netns", names[1])  # fmt: skip
        for name, address in zip(names, (HEAD, OTHER), strict=True):
            ip("-n", name, "addr", "add", f"{address}/24", "dev", CABLE)
            ip("-n", name, "link", "set", CABLE, "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield names
    except subprocess.CalledProcessError as error:
        pytest.skip(f"network namespaces are not allowed here: {error.stderr.strip()}")
    finally:
        for name in names:
            end_all(name)
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def end_all(name: str) -> None:
    """End what runs in a namespace of ours."""
    found = subprocess.run(["ip", "netns", "pids", name], check=False, capture_output=True)
    for pid in found.stdout.split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            continue


@pytest.fixture(scope="module")
def nodes(spaces: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """A Ray head and a second node, with one processor each and the same token."""
    base = tmp_path_factory.mktemp("homes")
    homes = base / "one", base / "two"
    token = secrets.token_hex(32)
    for home in homes:
        (home / ".ray").mkdir(parents=True)
        (home / ".ray" / "auth_token").write_text(token)
        (home / ".ray" / "auth_token").chmod(0o600)
    scratch = tempfile.mkdtemp(prefix="fp-ray-", dir="/tmp")  # sockets want a short path
    start = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start",
             "--block", "--num-cpus", "1", "--memory", str(1 << 30), "--object-store-memory",
             str(80 << 20), "--disable-usage-stats"]  # fmt: skip
    ways = (
        ["--head", f"--port={PORT}", f"--node-ip-address={HEAD}", "--include-dashboard=false",
         f"--temp-dir={scratch}"],
        [f"--address={HEAD}:{PORT}", f"--node-ip-address={OTHER}"],
    )  # fmt: skip
    for place, way in enumerate(ways):
        log = (base / f"{place}.log").open("wb")
        subprocess.Popen(
            **inside(spaces[place], homes[place], *start, *way),
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        if place == 0:
            until_it_answers(spaces[0], base / "0.log")
    yield Nodes(spaces, homes, f"{HEAD}:{PORT}")
    for name in spaces:
        end_all(name)
    shutil.rmtree(scratch, ignore_errors=True)


def until_it_answers(name: str, log: Path) -> None:
    began = time.monotonic()
    knock = ["bash", "-c", f"exec 3<>/dev/tcp/{HEAD}/{PORT}"]
    while subprocess.run(
        ["ip", "netns", "exec", name, *knock], check=False, capture_output=True
    ).returncode:
        assert time.monotonic() - began < START_SECONDS, log.read_text()
        time.sleep(0.5)


def drive(nodes: Nodes, home: Path, folder: Path) -> dict[str, Any]:
    """What the trial of a folder comes to, driven from the head's namespace."""
    words = [sys.executable, str(DRIVER), nodes.address, str(folder), "2"]
    done = subprocess.run(**inside(nodes.names[0], home, *words), capture_output=True, text=True)
    assert 0 == done.returncode, done.stderr[-3000:]
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_a_trial_is_trained_on_two_nodes(nodes: Nodes, tmp_path: Path) -> None:
    """One trial in two processes, one on each node: one scored outcome, weights in their place."""
    work = make_trial(tmp_path, devices=2, spread="zero3")
    said = drive(nodes, nodes.homes[0], tmp_path)
    assert 1 == len(said["outcomes"])
    values = said["outcomes"][0]
    assert "failed" not in values, values
    assert 4 == values["primary"]["n"]
    workers = said["workers"][0]
    assert [HEAD, OTHER] == sorted(one.split(" ")[0] for one in workers.split(" + "))
    trained = json.loads((tmp_path / work.trial.folder / "weights" / "train.json").read_text())
    assert 4 == trained["steps"]
    assert trained["tokens"] == values["tokens"]
    assert (tmp_path / work.trial.folder / "weights" / "model.safetensors").exists()


def test_without_the_token_nobody_joins(nodes: Nodes, tmp_path: Path) -> None:
    """A sentence that says where the token is to come from."""
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    said = drive(nodes, stranger, tmp_path)
    assert "cluster.no_token" == said["refused"]
    assert "auth_token" in said["says"]
