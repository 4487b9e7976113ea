"""Trainings shared by processes of this machine over gloo, for tests."""

import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import PIPE, Popen

from forkpoint.train.job import TrainJob, TrainProgress, TrainResult

CUT_STEP = 3  # at which a training that is kept is cut off once


class Cut(Exception):
    """The training ends here."""


def train_shared(jobs: Sequence[TrainJob], processes: int, scratch: Path) -> list[TrainResult]:
    """The jobs, one after the other, in so many processes; what the first says of each.

    A job that is kept is cut off in its third step and begun again.
    """
    file = scratch / "jobs.json"
    file.write_text(json.dumps([job.model_dump() for job in jobs]))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    here = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1",
            "GLOO_SOCKET_IFNAME": "lo"}  # fmt: skip
    command = [sys.executable, __file__, str(file), str(processes)]
    running = [
        Popen([*command, str(rank)], env={**os.environ, **here}, stdout=PIPE, stderr=PIPE)
        for rank in range(processes)
    ]
    said = [process.communicate() for process in running]
    for process, (_, error) in zip(running, said, strict=True):
        assert process.returncode == 0, error.decode()[-3000:]
    return [TrainResult.from_json(line) for line in said[0][0].splitlines()[-len(jobs) :]]


def main() -> None:
    """One of the processes."""
    import torch

    from forkpoint.train import resume
    from forkpoint.train.fine_tune import fine_tune

    resume.MOST_SHARE = 1e9  # kept after every step
    file, processes, rank = sys.argv[1:]
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", rank=int(rank), world_size=int(processes))
    results = []
    for job in map(TrainJob.model_validate, json.loads(Path(file).read_text())):
        if job.keep_seconds is not None:
            try:
                fine_tune(job, _cut)
            except Cut:
                print("cut", file=sys.stderr)
        results.append(fine_tune(job))
    print("\n".join(result.to_json() for result in results))
    torch.distributed.destroy_process_group()


def _cut(note: TrainProgress) -> None:
    if note.step == CUT_STEP:
        raise Cut


if __name__ == "__main__":
    main()
