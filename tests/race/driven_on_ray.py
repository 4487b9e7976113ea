"""Drive a race of drawn trials on a Ray cluster of this machine; what is killed is this process."""

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

TRIAL_SECONDS = 0.05  # that a worker takes for any piece of work


def drawn(folder: str, work_json: bytes, threads: int) -> dict[str, Any]:
    """A worker's piece of work: drawn from the curves that the other tests use."""
    from simulated_race import SimulatedExecutor
    from test_arrivals import clear, diverging

    from forkpoint.race.driver import read_agreement
    from forkpoint.race.work import WORK

    time.sleep(TRIAL_SECONDS)
    place = Path(folder)
    simulated = SimulatedExecutor(place, read_agreement(place), truth=clear, mishap=diverging)
    return {"values": simulated._values(WORK.validate_json(work_json)), "seconds": 1.0}


def main() -> None:
    """The race of the folder that is named, to its verdict."""
    from simulated_race import Silent

    from forkpoint.race.driver import run_race
    from forkpoint.race.ray_cluster import Cluster, node_of
    from forkpoint.race.ray_executor import RayExecutor
    from forkpoint.race.room import Need, Needs

    folder = Path(sys.argv[1])
    cluster = Cluster(None, workers=2)
    nodes = [node_of(node, None) for node in cluster.alive().values()]
    needs = Needs({}, Need(cpus=1, memory_bytes=0))
    executor = RayExecutor(folder, cluster, nodes, needs, 1, task=by_name)
    run_race(folder, executor, Silent())
    cluster.close()


def by_name(folder: str, work_json: bytes, threads: int) -> dict[str, Any]:
    """The piece of work, by a module that the worker imports itself."""
    from driven_on_ray import drawn

    return drawn(folder, work_json, threads)


if __name__ == "__main__":
    main()
