"""A training shared by processes of this machine over gloo, for tests."""

import json
import os
import socket
import sys
from pathlib import Path
from subprocess import PIPE, Popen

from forkpoint.train.job import TrainJob, TrainResult


def train_shared(job: TrainJob, processes: int, scratch: Path) -> TrainResult:
    """The job in so many processes at once; what the first of them says of it."""
    file = scratch / "job.json"
    file.write_text(job.to_json())
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
    said = [process.communicate(timeout=240) for process in running]
    for process, (_, error) in zip(running, said, strict=True):
        assert process.returncode == 0, error.decode()[-3000:]
    return TrainResult.from_json(said[0][0].splitlines()[-1])


def main() -> None:
    """One of the processes."""
    import torch

    from forkpoint.train.fine_tune import fine_tune

    file, processes, rank = sys.argv[1:]
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", rank=int(rank), world_size=int(processes))
    job = TrainJob.model_validate(json.loads(Path(file).read_text()))
    print(fine_tune(job).to_json())
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
