"""A run folder with one trained LoRA arm and one of full fine-tuning on a tiny checkpoint."""

import hashlib
from pathlib import Path

from race_records import agreement

from forkpoint.data.row import Row, Turn
from forkpoint.facts import read_checkpoint
from forkpoint.ledger import (
    ArmPlan,
    Book,
    Finalists,
    Measured,
    RungPlan,
    Settings,
    Trial,
    TrialScored,
)
from forkpoint.race.rows_file import write_rows
from forkpoint.train.fine_tune import fine_tune
from forkpoint.train.job import ApproachSettings, TrainJob, TrainRow

WORDS = ("red", "blue", "绿", "black")
STEP_ROWS = 8


def toy_rows() -> list[Row]:
    """Rows in two languages, one with history and a system turn."""
    made = []
    for place in range(24):
        word = WORDS[place % 4]
        turns = (Turn("user", f"Say {word}, please. {place}"), Turn("assistant", word))
        if place % 6 == 0:
            turns = (Turn("system", "Be brief."), Turn("user", "hi"), Turn("assistant", "hello"),
                     *turns)  # fmt: skip
        key = hashlib.sha256(str(place).encode()).hexdigest()[:16]
        made.append(Row(id=key, file="toy.jsonl", line=place + 1, turns=turns))
    return made


def plan(name: str, checkpoint: str, approach: str) -> ArmPlan:
    """An arm that renders by the checkpoint's own template, or in plain text."""
    return ArmPlan(
        name=name, checkpoint=checkpoint, approach=approach, stage=None,
        renderings=("chat", "plain"), centre_rate=1e-2, rate_reason="train.rate_swept",
        rate_values={}, full_tokens=1000, load_seconds=1.0, train_tokens_per_second=1.0,
        answers_per_second=1.0,
    )  # fmt: skip


def build(folder: Path, checkpoint: Path, loss_turns: str = "last") -> Path:
    """race.json, rows, the ledger and real weights of both arms."""
    rows = toy_rows()
    ids = [row.id for row in rows]
    drawn = agreement((tuple(ids[:16]), tuple(ids[16:20]), tuple(ids[20:])), str)
    name = "toy"
    arms = (plan("toy.lora", name, "lora"), plan("toy.full", name, "full"))
    facts = read_checkpoint(str(checkpoint)).model_copy(update={"name": name})
    settings = _settings(drawn.settings, loss_turns)
    rung = RungPlan(index=1, unique_rows=16, passes=6.0, steps=12, share=1.0)
    agreed = drawn.model_copy(
        update={
            "arms": arms, "settings": settings, "rungs": (rung,), "checkpoints": {name: facts},
            "excluded": {}, "removed": {}, "rung_validation_ids": tuple(ids[16:20]),
        }
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "race.json").write_text(agreed.to_json(), encoding="utf-8")
    write_rows(folder, rows)
    trials = {
        "toy.lora": Trial(arm="toy.lora", rung=1, rate=2e-2, seed=0, rendering="chat"),
        "toy.full": Trial(arm="toy.full", rung=1, rate=5e-3, seed=0, rendering="plain"),
    }
    with Book(folder) as book:
        for trial in trials.values():
            _train(folder, trial)
            book.append(_scored(trial))
        book.append(
            Finalists(
                roles={"winner": "toy.lora", "runner_up": "toy.full"},
                trials={arm: (trial,) for arm, trial in trials.items()},
                p_best={}, predicted={},
            )
        )  # fmt: skip
    return folder


STAGED = ("qlora", "cpt", "cpt-full", "dpo", "dpo-full", "delta", "delta-full")


def build_staged(folder: Path, checkpoint: Path) -> Path:
    """A race of every approach with more than rows, its trials scored; no weights are there.

    Half the rows have a rejected answer; there are five pieces of raw text; the checkpoint is its
    own twin, which is all that a recipe needs to know.
    """
    rows = [
        Row(id=row.id, file=row.file, line=row.line, turns=row.turns,
            rejected=None if place % 2 else f"not {row.turns[-1].content}")
        for place, row in enumerate(toy_rows())
    ]  # fmt: skip
    texts = [Row(id=f"{place:016x}", file="book.txt", line=place, text=f"Page {place} of 一本书.")
             for place in range(1, 6)]  # fmt: skip
    ids = [row.id for row in rows]
    drawn = agreement((tuple(ids[:16]), tuple(ids[16:20]), tuple(ids[20:])), str)
    facts = read_checkpoint(str(checkpoint)).model_copy(update={"name": "toy"})
    rung = RungPlan(index=1, unique_rows=16, passes=2.0, steps=4, share=1.0)
    agreed = drawn.model_copy(
        update={
            "arms": tuple(plan(f"toy.{one}", "toy", one) for one in STAGED),
            "settings": _settings(drawn.settings, "last"), "rungs": (rung,),
            "checkpoints": {"toy": facts}, "twins": {"toy": facts}, "excluded": {}, "removed": {},
            "rung_validation_ids": tuple(ids[16:20]),
            "pair_ids": tuple(row.id for row in rows if row.rejected is not None),
            "corpus_ids": tuple(row.id for row in texts),
        }
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "race.json").write_text(agreed.to_json(), encoding="utf-8")
    write_rows(folder, (*rows, *texts))
    with Book(folder) as book:
        for one in STAGED:
            trial = Trial(arm=f"toy.{one}", rung=1, rate=2e-2, seed=0, rendering="chat")
            book.append(_scored(trial))
    return folder


def _settings(drawn: Settings, loss_turns: str) -> Settings:
    return drawn.model_copy(
        update={
            "rows_per_step": STEP_ROWS, "dtype": "float32", "device": "cpu", "lora_rank": 4,
            "lora_alpha": 8, "schedule": "linear", "loss_turns": loss_turns, "system_prompt": None,
            "answer_tokens": {"toy": 6}, "answer_limit_bytes": 64, "warmup_share": 0.1,
            "context_tokens": 256,
        }
    )  # fmt: skip


def _train(folder: Path, trial: Trial) -> None:
    from forkpoint.race.arm_rows import ArmRows
    from forkpoint.race.diet import arm_steps

    rows = ArmRows(folder, "toy", trial.rendering)
    steps = arm_steps(rows.agreement, trial)
    place = {key: at for at, key in enumerate(dict.fromkeys(k for step in steps for k in step))}
    rendered = [rows.rendered(key) for key in place]
    fine_tune(
        TrainJob(
            checkpoint=rows.path,
            approach=trial.arm.split(".")[1],
            settings=ApproachSettings(rank=4, alpha=8),
            rows=tuple(TrainRow(input_ids=r.input_ids, labels=r.labels) for r in rendered),
            steps=tuple(tuple(place[key] for key in step) for step in steps),
            rate=trial.rate,
            end_ids=rows.renderer.end_ids,
            folder=str(folder / trial.folder / "weights"),
        )
    )


def _scored(trial: Trial) -> TrialScored:
    share = Measured(value=0.5, standard_error=0.1, low=0.3, high=0.7, n=4, unit="share",
                     better="higher")  # fmt: skip
    return TrialScored(
        trial=trial, attempt=1, tokens=1, seconds=1.0, train_seconds=1.0, peak_bytes=None,
        primary=share, secondary={}, likelihood=share, stop=share, stop_bits=share,
        final_loss=0.1, answers="none.jsonl", answers_sha256="",
    )  # fmt: skip
