"""What happens inside the child process of one piece of work; the only part that knows torch."""

import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from forkpoint.errors import Diverged, ForkpointError
from forkpoint.ledger import write_whole
from forkpoint.race.executor import WORKER
from forkpoint.race.work import (
    WORK,
    AnswerWork,
    DriftWork,
    GeneralWork,
    ReplayWork,
    RetainWork,
    SurveyWork,
    TaskWork,
    TrialWork,
)

PR_SET_PDEATHSIG = 1  # prctl: send a signal to this process when its parent dies [prctl(2)]
PROGRESS_STEPS = 5  # optimizer steps between two notes of progress

Report = Callable[[dict[str, Any]], None]


def run_work(folder: str, work_json: bytes, outcome: str, progress: str, threads: int) -> None:
    """Do one piece of work and leave its outcome as JSON in the file `outcome`."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the race's to handle
    _quiet(Path(folder))
    values = work_values(Path(folder), work_json, reporter(Path(progress)), threads)
    write_whole(Path(outcome), orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY))


def work_values(folder: Path, work_json: bytes, report: Report, threads: int) -> dict[str, Any]:
    """What one piece of work came to, as the ledger has it, or why it failed."""
    try:
        import torch

        torch.set_num_threads(threads)
        report({})
        values = _do(folder, work_json, report)
        return {**values, "processor_seconds": time.process_time()}
    except Diverged as error:
        return {"failed": {"key": error.key, "values": _plain(error.values), "retry": "rate"}}
    except ForkpointError as error:
        return {"failed": {"key": error.key, "values": _plain(error.values), "retry": None}}
    except Exception as error:  # noqa: BLE001 - the one place where a race runs a trial
        return {"failed": _broke(error, folder)}


def _do(folder: Path, work_json: bytes, report: Report) -> dict[str, Any]:
    work = WORK.validate_json(work_json)
    if isinstance(work, TrialWork):
        from forkpoint.race.trial_child import run_trial

        return run_trial(folder, work, report)
    if isinstance(work, AnswerWork):
        from forkpoint.race.answer_child import run_answers

        return run_answers(folder, work)
    if isinstance(work, GeneralWork):
        from forkpoint.race.answer_child import run_general

        return run_general(folder, work)
    if isinstance(work, SurveyWork):
        from forkpoint.race.survey_child import run_survey

        return run_survey(folder, work, report)
    if isinstance(work, ReplayWork):
        from forkpoint.race.replay_child import run_replay

        return run_replay(folder, work)
    if isinstance(work, DriftWork):
        from forkpoint.race.kept_child import run_drift

        return run_drift(folder, work)
    if isinstance(work, RetainWork):
        from forkpoint.race.kept_child import run_retain

        return run_retain(folder, work)
    if isinstance(work, TaskWork):
        from forkpoint.race.kept_child import run_task_check

        return run_task_check(work)
    raise TypeError(f"no such work: {work!r}")


def die_with_parent() -> None:
    """Never outlive the race: an orphan would write into a folder that a resumed race owns."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        os._exit(1)


def _quiet(folder: Path) -> None:
    """Send what libraries print to a log, so that the terminal belongs to the race."""
    log = os.open(folder / "children.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)


def reporter(path: Path) -> Report:
    """Notes of progress in a file, whole at any moment."""
    worker = os.environ.get(WORKER)

    def report(values: dict[str, Any]) -> None:
        if worker:
            values = {**values, "worker": worker}
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(orjson.dumps(values))
        temporary.replace(path)

    return report


def _broke(error: Exception, folder: Path) -> dict[str, Any]:
    """An error nobody foresaw; memory that ran out is tried again, smaller."""
    traceback.print_exc()
    sys.stderr.flush()
    text = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return {"key": "race.out_of_memory", "values": {}, "retry": "smaller"}
    values = {"error": text, "file": str(folder / "children.log")}
    return {"key": "race.trial_broke", "values": values, "retry": None}


def _plain(values: dict[str, Any]) -> dict[str, str | int | float]:
    return {
        name: value if isinstance(value, int | float) else str(value)
        for name, value in values.items()
    }
