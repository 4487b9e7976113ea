"""A training that was cut off goes on from what was kept of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from test_fine_tune import toy_job

from forkpoint.train import resume
from forkpoint.train.fine_tune import fine_tune
from forkpoint.train.job import TrainJob, TrainProgress
from forkpoint.train.resume import FOLDER, NOTE, read_kept

STEPS = (tuple(range(8)), tuple(range(8, 16))) * 4


@pytest.fixture(autouse=True)
def _always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small states are kept after every step, however long it takes."""
    monkeypatch.setattr(resume, "MOST_SHARE", 1e9)


class Cut(Exception):
    """The process ends here."""


def cut_at(step: int) -> Any:
    def watch(note: TrainProgress) -> None:
        if note.step == step:
            raise Cut

    return watch


def cut_off(job: TrainJob, step: int) -> None:
    """Train until `step` is under way: its optimizer step is not taken."""
    with pytest.raises(Cut):
        fine_tune(job, cut_at(step))


@pytest.mark.parametrize("changes", [{"approach": "lora"}, {"text_steps": ((3,), (5,), (7,))}])
def test_a_training_cut_off_ends_as_the_undisturbed_one(
    tiny_checkpoint: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    """The same losses and weights to the last digit, each step once; nothing is left over."""
    whole = toy_job(tiny_checkpoint, tmp_path / "whole", steps=STEPS, **changes)
    undisturbed = fine_tune(whole)
    job = whole.model_copy(update={"folder": str(tmp_path / "cut"), "keep_seconds": 0.0})
    cut_off(job, 6)
    kept = read_kept(job)
    assert kept is not None
    assert 5 == sum(len(stage.losses) for stage in kept.stages)
    resumed = fine_tune(job)
    assert 5 == resumed.resumed_at
    assert undisturbed.losses == resumed.losses
    assert undisturbed.gradient_norms == resumed.gradient_norms
    assert undisturbed.tokens == resumed.tokens
    assert resumed.seconds > resumed.resumed_seconds > 0
    file = next((tmp_path / "whole").glob("*model.safetensors")).name
    first, second = load_file(tmp_path / "whole" / file), load_file(tmp_path / "cut" / file)
    assert all(bool((first[key] == second[key]).all()) for key in first)
    assert not (tmp_path / "cut" / FOLDER).exists()


def test_another_job_begins_at_its_start(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """What was kept of one rate is not gone on from with another; nor is a torn note."""
    job = toy_job(tiny_checkpoint, tmp_path, steps=STEPS, keep_seconds=0.0)
    cut_off(job, 3)
    assert read_kept(job) is not None
    assert read_kept(job.model_copy(update={"rate": 2e-2})) is None
    note = tmp_path / FOLDER / NOTE
    note.write_text(json.dumps({"job": "?"}))
    assert read_kept(job) is None
