"""QLoRA, CPT then SFT, SFT then DPO, base delta: each trains for real, and does what it is for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from forkpoint.data.row import Row, Turn
from forkpoint.errors import BadInput
from forkpoint.measure.likelihood import span_bits
from forkpoint.models.rendering import Rendered, Renderer, Rendering
from forkpoint.models.weights import load_model, load_tokenizer
from forkpoint.train.approach import approach
from forkpoint.train.fine_tune import fine_tune
from forkpoint.train.job import PreferencePair, TrainJob, TrainProgress, TrainResult, TrainRow

SAID, UNSAID = "red", "blue"
FACT = "three plus four is seven, and seven is the answer"


def rendered(checkpoint: Path, said: str) -> list[Rendered]:
    """Four questions with one answer."""
    renderer = Renderer(load_tokenizer(checkpoint), Rendering(kind="plain"))
    rows = [
        renderer.turns((Turn("user", "Which" + " now" * number), Turn("assistant", said)))
        for number in range(4)
    ]
    return [row for row in rows if isinstance(row, Rendered)]


def raw(checkpoint: Path) -> Rendered:
    """A sentence as raw text."""
    renderer = Renderer(load_tokenizer(checkpoint), Rendering(kind="plain"))
    found = renderer.row(Row("f", "f", 1, text=FACT))
    assert isinstance(found, Rendered)
    return found


def pairs(checkpoint: Path) -> tuple[PreferencePair, ...]:
    """The answer is preferred to another."""
    sides = zip(rendered(checkpoint, SAID), rendered(checkpoint, UNSAID), strict=True)
    return tuple(
        PreferencePair(
            prompt_ids=good.prompt_ids,
            chosen_ids=good.answer_ids + good.stop_ids,
            rejected_ids=bad.answer_ids + bad.stop_ids,
        )
        for good, bad in sides
    )


def train(checkpoint: Path, name: str, folder: Path, **changes: Any) -> TrainResult:
    """A short training on the four rows."""
    seen: list[TrainProgress] = []
    rows = [*rendered(checkpoint, SAID), raw(checkpoint)]
    values: dict[str, Any] = {
        "checkpoint": str(checkpoint),
        "approach": name,
        "rows": [TrainRow(input_ids=row.input_ids, labels=row.labels) for row in rows],
        "steps": ((0, 1, 2, 3),) * 4,
        "rate": 1e-2,
        "warmup_steps": 1,
        "folder": str(folder),
    }
    result = fine_tune(TrainJob(**{**values, **changes}), seen.append)
    assert [note.step for note in seen] == list(range(1, result.steps + 1))
    assert seen[-1].tokens == result.tokens
    return result


def bits(model: Any, rows: Sequence[Rendered]) -> float:
    """Bits of the answers."""
    spans = [(row.input_ids, len(row.prompt_ids)) for row in rows]
    return sum(sum(values) for values in span_bits(model, spans))


@pytest.mark.parametrize(("name", "dtype"), [("dpo", "float32"), ("dpo-full", "bfloat16")])
def test_preferences_are_learned_from_what_the_rows_came_to(
    tiny_checkpoint: Path, tmp_path: Path, name: str, dtype: str
) -> None:
    """The margin over the stage before begins at 0 and grows; all tokens are counted."""
    asked = pairs(tiny_checkpoint)
    result = train(
        tiny_checkpoint, name, tmp_path, pairs=asked, pair_steps=((0, 1, 2, 3),) * 3, dtype=dtype
    )
    assert result.margins[0] == pytest.approx(0.0, abs=0.02)
    assert result.margins[-1] > result.margins[0] + 0.02
    rows = rendered(tiny_checkpoint, SAID)
    assert result.tokens == 4 * sum(len(row.input_ids) for row in rows) + 3 * sum(
        pair.tokens for pair in asked
    )
    assert (7, 28) == (result.steps, result.rows)
    tuned = approach(name).load_for_answers(str(tiny_checkpoint), tmp_path)
    assert bits(tuned, rows) < bits(tuned, rendered(tiny_checkpoint, UNSAID))
    assert (tmp_path / "adapter_config.json").exists() == (name == "dpo")
    assert not (tmp_path / "ref").exists()


def test_a_step_of_pairs_in_parts_is_the_same_step(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """Where memory is short a step is taken pair by pair, with the same margins."""
    whole, parts = (
        train(
            tiny_checkpoint, "dpo", tmp_path / str(tokens), pairs=pairs(tiny_checkpoint),
            pair_steps=((0, 1, 2, 3),) * 2, pack_tokens=tokens, rate=1e-3,
        )
        for tokens in (1024, 64)
    )  # fmt: skip
    assert whole.margins == pytest.approx(parts.margins, abs=2e-3)
    assert whole.losses[-2:] == pytest.approx(parts.losses[-2:], abs=0.02)


def test_raw_text_is_learned_before_the_rows(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """After CPT then SFT the sentence is likelier than after SFT alone; its tokens are counted."""
    fact = raw(tiny_checkpoint)
    alone = train(tiny_checkpoint, "full", tmp_path / "sft", rate=3e-3)
    both = train(tiny_checkpoint, "cpt-full", tmp_path / "cpt", rate=3e-3, text_steps=((4,),) * 6)
    assert both.tokens == alone.tokens + 6 * len(fact.input_ids)
    places = (tiny_checkpoint, tmp_path / "sft", tmp_path / "cpt")
    start, sft, cpt = (bits(load_model(place), [fact]) for place in places)
    assert cpt < min(start, sft)


@pytest.fixture(scope="module")
def twin(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny checkpoint with every weight moved a little: what it might have been made from."""
    import torch

    folder = tmp_path_factory.mktemp("twin")
    model = load_model(tiny_checkpoint)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.01 * torch.randn(weight.shape, generator=generator)
    model.save_pretrained(str(folder))
    load_tokenizer(tiny_checkpoint).save_pretrained(str(folder))
    return folder


def test_the_difference_is_the_twins(tiny_checkpoint: Path, twin: Path, tmp_path: Path) -> None:
    """What is saved is the checkpoint plus exactly what training changed in its twin."""
    train(tiny_checkpoint, "delta-full", tmp_path / "sum", twin=str(twin))
    train(twin, "full", tmp_path / "twin")
    found, start, before, after = (
        dict(load_model(path).named_parameters())
        for path in (tmp_path / "sum", tiny_checkpoint, twin, tmp_path / "twin")
    )
    for name, weight in found.items():
        expected = start[name] + after[name] - before[name]
        assert float((weight - expected).abs().max()) < 1e-5, name
        assert float((weight - start[name]).abs().max()) > 1e-4, name


def test_an_adapter_of_the_twin_is_put_onto_the_checkpoint(
    tiny_checkpoint: Path, twin: Path, tmp_path: Path
) -> None:
    """The adapter trained on the twin answers from the checkpoint's weights."""
    train(tiny_checkpoint, "delta", tmp_path, twin=str(twin))
    tuned = approach("delta").load_for_answers(str(tiny_checkpoint), tmp_path)
    rows = rendered(tiny_checkpoint, SAID)
    assert bits(tuned, rows) < 0.7 * bits(load_model(tiny_checkpoint), rows)
    embedding = dict(load_model(tiny_checkpoint).named_parameters())["model.embed_tokens.weight"]
    assert dict(tuned.named_parameters())["model.embed_tokens.weight"].equal(embedding)


def test_without_a_twin_it_is_said(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """No twin, no delta."""
    with pytest.raises(BadInput, match="--twin"):
        train(tiny_checkpoint, "delta", tmp_path)


def test_qlora_trains_on_four_bits_here(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """Frozen layers are in four bits, adapters in float32; the result answers in full precision."""
    pytest.importorskip("bitsandbytes", reason="QLoRA needs the extra 'quant'")
    import torch

    seen: list[tuple[str, torch.dtype]] = []
    prepare = approach("qlora").prepare

    def watched(model: Any, settings: Any) -> Any:
        ready = prepare(model, settings)
        seen.extend((name, one.dtype) for name, one in ready.named_parameters())
        return ready

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forkpoint.train.approach.qlora.prepare", watched)
        result = train(tiny_checkpoint, "qlora", tmp_path, dtype="bfloat16")
    kinds = dict(seen)
    assert torch.uint8 == next(kind for name, kind in seen if "q_proj.base_layer" in name)
    assert {torch.float32} == {kind for name, kind in kinds.items() if "lora_" in name}
    assert result.losses[-1] < 0.7 * result.losses[0]
    tuned = approach("qlora").load_for_answers(str(tiny_checkpoint), tmp_path)
    assert {torch.float32} == {one.dtype for one in tuned.parameters()}
    rows = rendered(tiny_checkpoint, SAID)
    assert bits(tuned, rows) < 0.7 * bits(load_model(tiny_checkpoint), rows)


def test_qlora_without_its_library_says_what_to_install(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is named before anything is loaded."""
    monkeypatch.setattr("forkpoint.train.approach.qlora.find_spec", lambda name, *rest: None)
    with pytest.raises(BadInput, match="quant"):
        approach("qlora").load(
            TrainJob(checkpoint="x", approach="qlora", rows=(), steps=(), rate=1.0, folder="x")
        )
