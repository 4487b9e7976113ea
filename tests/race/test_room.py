"""What trials ask of a cluster's nodes, and what fits beside what."""

import pytest
from race_records import agreement

from forkpoint.errors import BadInput, DoesNotFit
from forkpoint.ledger import MemoryPlan
from forkpoint.race.ground import ground_named
from forkpoint.race.ray_cluster import Cluster
from forkpoint.race.room import Need, Needs, Node, Room, check_room, race_needs, trial_need

GB = 1 << 30


def node(name: str, cpus: float = 8, memory: int = 32, gpus: float = 0, gpu: int = 0) -> Node:
    return Node(
        name=name, node_id=name, cpus=cpus, memory_bytes=memory * GB, gpus=gpus, gpu_bytes=gpu * GB
    )


def memory(high: float) -> MemoryPlan:
    size = round(high * GB)
    return MemoryPlan(
        estimated_bytes=size, low_bytes=size, high_bytes=size, dominates="weights",
        free_bytes=80 * GB, fits="yes",
    )  # fmt: skip


def test_two_small_trials_share_a_large_gpu() -> None:
    """A trial that takes 30 GB asks for half of an 80 GB GPU, and two of them run on it."""
    need = trial_need(memory(30), threads=1, gpu_bytes=80 * GB)
    assert 0.5 == need.gpus
    room = Room([node("one", gpus=1, gpu=80)])
    assert 2 == room.slots(need)
    assert [True, True, False] == [room.take(str(number), need) for number in range(3)]


@pytest.mark.parametrize(("high", "gpus"), [(50, 1.0), (27, 0.5), (26, 0.3333), (90, 1.0)])
def test_a_part_of_a_gpu_is_one_over_a_whole_number(high: float, gpus: float) -> None:
    """Equal trials fill a GPU; one that may be larger than its GPU has it to itself."""
    assert gpus == pytest.approx(trial_need(memory(high), 1, 80 * GB).gpus, abs=1e-4)


def test_three_thirds_fit_on_one_gpu() -> None:
    """Rounding of a third does not leave the third trial out."""
    need = trial_need(memory(26), 1, 80 * GB)
    room = Room([node("one", gpus=1, gpu=80)])
    assert 3 == room.slots(need)
    assert all(room.take(str(number), need) for number in range(3))


def test_on_processors_memory_and_threads_are_asked_for() -> None:
    """To the upper end of the estimate."""
    assert Need(cpus=4, memory_bytes=3 * GB) == trial_need(memory(3), threads=4, gpu_bytes=0)


def test_what_has_ended_makes_room_again() -> None:
    """And a lost node takes what was counted on it along."""
    room = Room([node("one", cpus=1), node("two", cpus=1)])
    need = Need(cpus=1, memory_bytes=GB)
    assert [True, True, False] == [room.take(key, need) for key in "abc"]
    room.give_back("a")
    assert room.take("c", need)
    room.keep([node("two", cpus=1)])
    room.give_back("b")
    assert 1 == room.slots(need)


def test_a_need_that_no_node_has_is_said_before_the_race() -> None:
    """What is asked for, what there is, what to do."""
    needs = Needs({"big.full": Need(cpus=1, memory_bytes=0, gpus=4)}, Need(cpus=1, memory_bytes=0))
    with pytest.raises(DoesNotFit) as found:
        check_room(needs, [node("10.0.0.2", gpus=2, gpu=80)])
    for part in ("big.full", "4 GPU", "10.0.0.2", "2 GPU", "larger node"):
        assert part in found.value.message("en")
    assert "big.full" in found.value.message("zh")


def test_a_race_on_gpus_counts_their_smallest() -> None:
    """A part of a GPU has to be enough on any of them."""
    ids = tuple(f"{number:016x}" for number in range(400))
    agreed = agreement((ids[:240], ids[240:320], ids[320:]), lambda text: text)
    settings = agreed.settings.model_copy(update={"device": "cuda", "dtype": "bfloat16"})
    nodes = [node("one", gpus=1, gpu=80), node("two", gpus=1, gpu=40)]
    needs = race_needs({"a.lora": memory(30)}, settings, nodes)
    assert 1.0 == needs.by_arm["a.lora"].gpus


@pytest.mark.parametrize(
    ("address", "says"),
    [("nowhere", "HOST:PORT"), ("ray://one:10001", "HOST:PORT"), ("127.0.0.1:1", "no cluster")],
)
def test_an_address_without_a_cluster_is_a_sentence(address: str, says: str) -> None:
    """Found at once, with what to do."""
    with pytest.raises(BadInput, match=says):
        Cluster(address)


def test_engines_are_named() -> None:
    """An unknown engine, and an address for this machine, are refused."""
    with pytest.raises(BadInput, match="local or ray"):
        ground_named("dask", None)
    with pytest.raises(BadInput, match="leave one"):
        ground_named("local", "127.0.0.1:6379")
