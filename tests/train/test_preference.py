"""Preference training: the chosen answer becomes the likelier one, and nothing else is needed."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from forkpoint.data.row import Turn
from forkpoint.errors import Diverged
from forkpoint.measure.likelihood import span_bits
from forkpoint.models.rendering import Rendered, Renderer, Rendering
from forkpoint.models.weights import load_model, load_tokenizer
from forkpoint.train.job import PreferencePair
from forkpoint.train.preference import PreferenceJob, prefer


def toy_pairs(checkpoint: Path) -> tuple[PreferencePair, ...]:
    """Four prompts; "red" is always preferred to "blue"."""
    renderer = Renderer(load_tokenizer(checkpoint), Rendering(kind="plain"))
    found = []
    for number in range(4):
        sides = [
            renderer.turns((Turn("user", "Which" + " now" * number), Turn("assistant", said)))
            for said in ("red", "blue")
        ]
        chosen, rejected = (side for side in sides if isinstance(side, Rendered))
        found.append(
            PreferencePair(
                prompt_ids=chosen.prompt_ids,
                chosen_ids=chosen.answer_ids + chosen.stop_ids,
                rejected_ids=rejected.answer_ids + rejected.stop_ids,
            )
        )
    return tuple(found)


def toy_job(checkpoint: Path, folder: Path, **changes: Any) -> PreferenceJob:
    values: dict[str, Any] = {
        "checkpoint": str(checkpoint),
        "pairs": toy_pairs(checkpoint),
        "steps": ((0, 1, 2, 3),) * 6,
        "rate": 3e-3,
        "folder": str(folder),
    }
    return PreferenceJob(**{**values, **changes})


def preferred_bits(checkpoint: str | Path, pair: PreferencePair) -> float:
    """By how many bits the chosen answer is likelier than the rejected one."""
    model = load_model(str(checkpoint), dtype="float32", device="cpu")
    start = len(pair.prompt_ids)
    chosen, rejected = span_bits(
        model,
        [
            (pair.prompt_ids + pair.chosen_ids, start),
            (pair.prompt_ids + pair.rejected_ids, start),
        ],
    )
    return math.fsum(rejected) - math.fsum(chosen)


def test_the_chosen_answer_becomes_the_likelier_one(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """The loss begins at log 2 (plus imitation), the margin grows, the saved model prefers."""
    pairs = toy_pairs(tiny_checkpoint)
    result = prefer(toy_job(tiny_checkpoint, tmp_path, imitation=0.0))
    assert result.losses[0] == pytest.approx(math.log(2), abs=1e-3)
    assert result.margins[0] == pytest.approx(0.0, abs=1e-3)
    assert result.margins[-1] > result.margins[1] > 0
    assert (6, 24) == (result.steps, result.pairs)
    for pair in pairs:
        assert preferred_bits(tmp_path, pair) > preferred_bits(tiny_checkpoint, pair) + 1


def test_the_same_seed_trains_the_same(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """Two runs of one job have the same losses."""
    first = prefer(toy_job(tiny_checkpoint, tmp_path / "a", steps=((0, 1), (2, 3))))
    second = prefer(toy_job(tiny_checkpoint, tmp_path / "b", steps=((0, 1), (2, 3))))
    assert first.losses == second.losses


def test_a_loss_that_is_no_number_is_said(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """An absurd rate ends in Diverged with the step and the rate."""
    job = toy_job(tiny_checkpoint, tmp_path, rate=1e30, schedule="constant")
    with pytest.raises(Diverged) as stopped:
        prefer(job)
    assert "1e+30" == stopped.value.values["rate"]


def test_the_result_is_safetensors_that_end_where_the_start_ended(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    """No pickles, and generation's end ids are those of the starting checkpoint."""
    prefer(toy_job(tiny_checkpoint, tmp_path, steps=((0, 1),)))
    assert (tmp_path / "model.safetensors").is_file()
    assert not list(tmp_path.rglob("*.bin")) and not list(tmp_path.rglob("*.pt"))
    ends = [
        json.loads((folder / "generation_config.json").read_text()).get("eos_token_id")
        for folder in (Path(tiny_checkpoint), tmp_path)
    ]
    assert ends[0] == ends[1]
