"""A training in several processes is the training in one."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from safetensors.torch import load_file
from shared_training import CUT_STEP, train_shared
from test_fine_tune import toy_job

from forkpoint.train.fine_tune import fine_tune
from forkpoint.train.job import ApproachSettings, TrainResult

pytestmark = pytest.mark.timeout(900)
STEPS = (tuple(range(7)), (3,), tuple(range(8, 16)), (0, 5, 9))
WAYS: dict[str, dict[str, Any]] = {
    "weights in parts": {"approach": "full", "sharding": "zero3"},
    "adapters in parts": {"approach": "lora", "sharding": "zero2"},
    "token rows": {
        "approach": "lora",
        "sharding": "zero3",
        "settings": ApproachSettings(token_ids=(3, 5)),
    },
    "cut off": {"approach": "full", "sharding": "zero3", "keep_seconds": 0.0},
}


class Both(NamedTuple):
    """The same training in two processes and in one, with their folders."""

    shared: TrainResult
    alone: TrainResult


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: Path) -> dict[str, Both]:
    """Every way, in one pair of processes."""
    scratch = tmp_path_factory.mktemp("shared")
    jobs = [
        toy_job(tiny_checkpoint, scratch / name, steps=STEPS, warmup_steps=1, **way)
        for name, way in WAYS.items()
    ]
    shared = train_shared(jobs, 2, scratch)
    single = [
        fine_tune(job.model_copy(update={"sharding": "none", "folder": f"{job.folder} alone"}))
        for job in jobs[:-1]
    ]
    single.append(single[0])  # what is cut off is the first training
    return {name: Both(*both) for name, *both in zip(WAYS, shared, single, strict=True)}


@pytest.mark.parametrize("name", WAYS)
def test_two_processes_train_what_one_does(trained: dict[str, Both], name: str) -> None:
    """The same losses, gradient norms and weights within float error; passes are dealt out."""
    two, one = trained[name]
    assert one.losses == pytest.approx(two.losses, rel=1e-4)
    assert one.gradient_norms == pytest.approx(two.gradient_norms, rel=1e-3)
    assert (one.tokens, one.trained_tokens) == (two.tokens, two.trained_tokens)
    assert one.trainable_parameters == two.trainable_parameters
    file = next(Path(one.folder).glob("*model.safetensors")).name
    whole, parts = load_file(Path(one.folder) / file), load_file(Path(two.folder) / file)
    assert whole.keys() == parts.keys()
    for key, weight in whole.items():
        assert (weight - parts[key]).abs().max() < 2e-4, key


def test_both_go_on_where_they_were_cut_off(trained: dict[str, Both]) -> None:
    """What a shared training keeps is whole: each process takes its part of it again."""
    assert CUT_STEP - 1 == trained["cut off"].shared.resumed_at
    assert 0 == trained["weights in parts"].shared.resumed_at
