"""Run the trial of a prepared folder on the cluster at an address, as a race would; print it."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from forkpoint.errors import ForkpointError
from forkpoint.ledger import Trial
from forkpoint.race.driver import read_agreement
from forkpoint.race.ground import ground_named
from forkpoint.race.work import TrialWork, Work

WAIT_SECONDS = 600.0  # for all nodes to have joined


class Watch:
    """Keeps who was at work."""

    def __init__(self) -> None:
        self.workers: set[str] = set()

    def started(self, work: Work) -> None:
        """Nothing to show."""

    def progressed(self, work: Work, values: dict[str, Any]) -> None:
        if worker := values.get("worker"):
            self.workers.add(worker)


def main() -> None:
    """Arguments: address, folder, nodes that are to be there."""
    address, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    try:
        ground = ground_named("ray", address)
    except ForkpointError as error:
        print(json.dumps({"refused": error.key, "says": error.message("en")}))
        return
    began = time.monotonic()
    while len(ground.cluster.alive()) < count:  # type: ignore[attr-defined]
        if time.monotonic() - began > WAIT_SECONDS:
            raise SystemExit("not all nodes have joined")
        time.sleep(0.3)
    agreed = read_agreement(folder)
    ground.machine(folder)
    ground.check(folder, [str(found.path) for found in agreed.checkpoints.values()])
    plans = {arm.name: arm.memory for arm in agreed.arms}
    executor = ground.executor(folder, agreed.settings, plans)
    arm = agreed.arms[0]
    trial = Trial(arm=arm.name, rung=1, rate=1e-3, seed=0, rendering=arm.renderings[0])
    watch = Watch()
    outcomes = list(executor.run([TrialWork(trial=trial)], watch))
    values = [outcome.values for outcome in outcomes]
    print(json.dumps({"outcomes": values, "workers": sorted(watch.workers)}, default=str))
    ground.close()


if __name__ == "__main__":
    main()
