"""Training: proof of value on a tiny model."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from forkpoint.data.row import Turn
from forkpoint.errors import BadInput, Diverged
from forkpoint.models.generation import generate
from forkpoint.models.rendering import Rendered, Renderer, Rendering
from forkpoint.models.weights import generation_end_ids, load_model, load_tokenizer
from forkpoint.train.approach import approach
from forkpoint.train.fine_tune import fine_tune
from forkpoint.train.job import TrainJob, TrainProgress, TrainRow

WORDS = ("red", "blue", "green", "black")


def toy_rows(checkpoint: Path) -> list[Rendered]:
    renderer = Renderer(load_tokenizer(checkpoint), Rendering(kind="plain"))
    found = [
        renderer.turns((Turn("user", f"Say {w}" + " now" * i), Turn("assistant", w)))
        for i in range(4)
        for w in WORDS
    ]
    return [row for row in found if isinstance(row, Rendered)]


def toy_job(checkpoint: Path, folder: Path, **changes: Any) -> TrainJob:
    rows = toy_rows(checkpoint)
    values = {
        "checkpoint": str(checkpoint),
        "approach": "full",
        "rows": tuple(TrainRow(input_ids=row.input_ids, labels=row.labels) for row in rows),
        "steps": (tuple(range(8)), tuple(range(8, 16))) * 12,
        "rate": 1e-2,
        "warmup_steps": 2,
        "folder": str(folder),
    }
    return TrainJob(**{**values, **changes})


@pytest.mark.parametrize("name", ["lora", "full"])
def test_toy_set_is_over_fitted_in_a_few_steps(
    tiny_checkpoint: Path, tmp_path: Path, name: str
) -> None:
    """After 24 steps the saved result answers every row right and stops by itself."""
    rows = toy_rows(tiny_checkpoint)
    result = fine_tune(toy_job(tiny_checkpoint, tmp_path, approach=name))
    assert result.losses[-1] < 0.1 < 3 < result.losses[0]
    model = approach(name).load_for_answers(str(tiny_checkpoint), tmp_path)
    tokenizer = load_tokenizer(tiny_checkpoint)
    answers = generate(model, tokenizer, [row.prompt_ids for row in rows], rows[0].stop_ids, 12)
    assert [row.answer for row in rows] == [answer.text for answer in answers]
    assert all(answer.stopped for answer in answers)
    assert not list(tmp_path.rglob("*.bin")) and not list(tmp_path.rglob("*.pt"))


def test_result_counts_what_was_trained(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """Tokens, rows and steps are those of the plan; progress is told after each step."""
    told: list[TrainProgress] = []
    job = toy_job(tiny_checkpoint, tmp_path, steps=((0, 1), (2, 3), (0, 5)))
    result = fine_tune(job, told.append)
    seen = [job.rows[row] for step in job.steps for row in step]
    assert result.tokens == sum(len(row.input_ids) for row in seen)
    assert result.trained_tokens == sum(label != -100 for row in seen for label in row.labels)
    assert (result.steps, result.rows, len(result.losses)) == (3, 6, 3)
    assert [progress.step for progress in told] == [1, 2, 3]
    assert told[-1].tokens == result.tokens
    assert result.peak_memory_bytes > 50_000_000
    assert json.loads((tmp_path / "train.json").read_text())["tokens"] == result.tokens


@pytest.mark.parametrize("name", ["lora", "full"])
def test_same_seed_same_loss(tiny_checkpoint: Path, tmp_path: Path, name: str) -> None:
    """Two trainings of one job agree to the last digit; another seed of LoRA does not."""
    job = toy_job(tiny_checkpoint, tmp_path, approach=name, steps=((0, 1, 2, 3), (4, 5, 6, 7)) * 2)
    first, second = fine_tune(job), fine_tune(job)
    assert first.losses == second.losses
    if name == "lora":
        assert fine_tune(job.model_copy(update={"seed": 1})).losses[-1] != first.losses[-1]


@pytest.mark.parametrize("weight", [1.0, 0.25])
def test_reported_loss_is_the_mean_over_trained_tokens(
    tiny_checkpoint: Path, tmp_path: Path, weight: float
) -> None:
    """The first loss is the untouched model's cross entropy, row by row, each with its weight."""
    job = toy_job(tiny_checkpoint, tmp_path, steps=(tuple(range(16)),), pack_tokens=64)
    rows = tuple(
        row.model_copy(update={"weight": weight if place % 3 else 1.0})
        for place, row in enumerate(job.rows)
    )
    job = job.model_copy(update={"rows": rows})
    model = load_model(tiny_checkpoint)
    total, count = 0.0, 0.0
    for row in job.rows:
        labels = torch.tensor([row.labels])
        with torch.no_grad():
            loss = model(input_ids=torch.tensor([row.input_ids]), labels=labels).loss
        total += row.weight * float(loss) * int((labels != -100).sum())
        count += row.weight * int((labels != -100).sum())
    assert fine_tune(job).losses[0] == pytest.approx(total / count, abs=1e-4)


def test_divergence_has_a_name(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """An absurd rate ends in Diverged with the step, which the race retries lower."""
    with pytest.raises(Diverged) as caught:
        fine_tune(toy_job(tiny_checkpoint, tmp_path, rate=1e30, warmup_steps=0))
    assert caught.value.values["steps"] == 24
    assert caught.value.message("zh").startswith("训练到第")


def test_long_rows_are_never_cut(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """A row over the context is an error with its number, not a shorter row."""
    with pytest.raises(BadInput, match="Row 0 has"):
        fine_tune(toy_job(tiny_checkpoint, tmp_path, context_tokens=5))


def test_step_without_a_target_is_an_error(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """A step that could only divide by zero is refused before training."""
    rows = (TrainRow(input_ids=(5, 6, 7), labels=(-100, -100, -100)),)
    with pytest.raises(BadInput, match="Step 1"):
        fine_tune(toy_job(tiny_checkpoint, tmp_path, rows=rows, steps=((0,),)))


def test_saved_model_ends_where_it_was_trained_to(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """The end of turn is among the saved generation's end ids, or the model would never stop."""
    fine_tune(toy_job(tiny_checkpoint, tmp_path, steps=((0,),), end_ids=(2,)))
    assert generation_end_ids(load_model(tmp_path)) == (0, 2)


@pytest.mark.parametrize("schedule", ["linear", "constant", "cosine"])
def test_schedules(tiny_checkpoint: Path, tmp_path: Path, schedule: Any) -> None:
    """Every schedule trains, and they differ."""
    job = toy_job(tiny_checkpoint, tmp_path, schedule=schedule, steps=((0, 1),) * 6, rate=1e-3)
    losses = fine_tune(job).losses
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0]


def test_bfloat16_and_checkpointing_train_too(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """The smaller ways of training reach nearly the same losses."""
    plain = fine_tune(toy_job(tiny_checkpoint, tmp_path, approach="lora", steps=((0, 1, 2),) * 5))
    smaller = fine_tune(
        toy_job(
            tiny_checkpoint,
            tmp_path,
            approach="lora",
            steps=((0, 1, 2),) * 5,
            dtype="bfloat16",
            settings={"gradient_checkpointing": True},
        )
    )
    for expected, found in zip(plain.losses, smaller.losses, strict=True):
        assert found == pytest.approx(expected, rel=0.1)
