"""A small real trial of a pocket arm with everything that a worker needs of it, no survey."""

from pathlib import Path
from typing import Any

from race_records import agreement

from forkpoint.data import bundled, load
from forkpoint.ledger import MemoryPlan, RungPlan, Trial, write_whole
from forkpoint.race.checkpoints import read_checkpoints
from forkpoint.race.driver import AGREEMENT
from forkpoint.race.request import RaceRequest
from forkpoint.race.rows_file import write_rows
from forkpoint.race.work import TrialWork

ARM, CHECKPOINT = "pocket-base.full", "pocket-base"
TRAINED, ANSWERED = 16, 4  # rows
STEPS = 4


def memory(**spread: Any) -> MemoryPlan:
    """As an estimate would have it, with the GPUs that a test forces."""
    return MemoryPlan(
        estimated_bytes=1 << 28, low_bytes=1 << 28, high_bytes=1 << 28, dominates="weights",
        free_bytes=1 << 30, fits="yes", **spread,
    )  # fmt: skip


def make_trial(folder: Path, steps: int = STEPS, **spread: Any) -> TrialWork:
    """race.json and rows of a race of one arm, and its trial."""
    rows = load(str(bundled("tickets"))).rows[: TRAINED + 2 * ANSWERED]
    ids = [row.id for row in rows]
    train, rest = tuple(ids[:TRAINED]), ids[TRAINED:]
    validation, test = tuple(rest[:ANSWERED]), tuple(rest[ANSWERED:])
    agreed = agreement((train, validation, test), lambda text: text)
    request = RaceRequest(data="tickets", models=(CHECKPOINT,))
    arm = next(arm for arm in agreed.arms if arm.name == ARM)
    settings = {
        "metric": "exact_match", "general_set": None, "context_tokens": 256, "rows_per_step": 4,
        "answer_tokens": {CHECKPOINT: 6}, "answer_limit_bytes": 24, "dtype": "float32",
        "device": "cpu", "system_prompt": None, "truncate": "no",
    }  # fmt: skip
    agreed = agreed.model_copy(
        update={
            "arms": (arm.model_copy(update={"memory": memory(**spread)}),),
            "checkpoints": read_checkpoints(request),
            "excluded": {},
            "rung_validation_ids": validation,
            "rungs": (RungPlan(index=1, unique_rows=TRAINED, passes=4 * steps / TRAINED,
                               steps=steps, share=1.0),),
            "settings": agreed.settings.model_copy(update=settings),
        }
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / AGREEMENT, agreed.to_json().encode())
    write_rows(folder, rows)
    trial = Trial(arm=ARM, rung=1, rate=1e-3, seed=0, rendering=arm.renderings[0])
    return TrialWork(trial=trial)
