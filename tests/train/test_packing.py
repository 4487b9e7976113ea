"""Packing inside a step: no row sees another, and gradients are those of the padded step."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from forkpoint.models.weights import load_model
from forkpoint.train.job import TrainRow
from forkpoint.train.packing import bins, pack_step, trained_tokens

TOLERANCE = 2e-5  # of gradients in float32, whose largest are about 1


def rows() -> list[TrainRow]:
    generator = torch.Generator().manual_seed(3)
    made = []
    for length in (5, 23, 9, 40, 3, 17, 31, 8):
        ids = torch.randint(4, 300, (length,), generator=generator).tolist()
        cut = length // 2
        made.append(TrainRow(input_ids=ids, labels=[-100] * cut + ids[cut:]))
    return made


@given(
    st.lists(st.integers(1, 120), min_size=1, max_size=40),
    st.integers(1, 100),
)
def test_bins_hold_every_row_once(lengths: list[int], limit: int) -> None:
    """No row is lost or doubled, and only a row that is too long alone exceeds the limit."""
    groups = bins(lengths, limit)
    assert sorted(place for group in groups for place in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) == 1 or sum(lengths[place] for place in group) <= limit


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize(("bin_tokens", "pack_tokens"), [(48, 48), (48, 1000), (200, 200)])
def test_gradients_equal_those_of_the_padded_step(
    tiny_checkpoint: Path, attention: str, bin_tokens: int, pack_tokens: int
) -> None:
    """Whatever the layout, the step's gradient is that of the rows padded side by side."""
    model = load_model(tiny_checkpoint)
    model.set_attn_implementation(attention)
    step = rows()
    padded = _gradient(model, [_padded(step)], trained_tokens(step))
    packed = _gradient(model, pack_step(step, bin_tokens, pack_tokens), trained_tokens(step))
    assert float(padded.abs().max()) > 0.01
    assert float((padded - packed).abs().max()) < TOLERANCE


def test_no_row_sees_another(tiny_checkpoint: Path) -> None:
    """Changing one packed row leaves the logits of all others as they were."""
    model = load_model(tiny_checkpoint)
    step = rows()[:3]
    pack = pack_step(step, 64, 64)[0]
    starts = (pack["position_ids"] == 0).nonzero()[:, 1].tolist()
    changed = pack["input_ids"].clone()
    changed[0, starts[0] : starts[1]] = 7
    with torch.no_grad():
        before = model(pack["input_ids"], position_ids=pack["position_ids"], use_cache=False).logits
        after = model(changed, position_ids=pack["position_ids"], use_cache=False).logits
    assert float((before[0, starts[1] :] - after[0, starts[1] :]).abs().max()) < 1e-5
    assert float((before[0, : starts[1]] - after[0, : starts[1]]).abs().max()) > 0.1


def test_first_token_of_a_row_is_no_target() -> None:
    """Packed, the first token of a row would be predicted from another row: it is not learned."""
    row = TrainRow(input_ids=(5, 6, 7), labels=(5, 6, 7))
    assert trained_tokens([row, row]) == 4
    assert pack_step([row, row], 6, 6)[0]["labels"].tolist() == [[-100, 6, 7, -100, 6, 7]]


def _padded(step: list[TrainRow]) -> dict[str, torch.Tensor]:
    width = max(len(row.input_ids) for row in step)
    return {
        "input_ids": torch.tensor(
            [[*r.input_ids, *[0] * (width - len(r.input_ids))] for r in step]
        ),
        "attention_mask": torch.tensor(
            [[1] * len(r.input_ids) + [0] * (width - len(r.input_ids)) for r in step]
        ),
        "labels": torch.tensor(
            [[-100, *r.labels[1:], *[-100] * (width - len(r.labels))] for r in step]
        ),
    }


def _gradient(
    model: torch.nn.Module, passes: list[dict[str, torch.Tensor]], count: int
) -> torch.Tensor:
    model.zero_grad()
    for given_ in passes:
        inputs = {name: value for name, value in given_.items() if name != "labels"}
        logits = model(**inputs, use_cache=False).logits[:, :-1]
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), given_["labels"][:, 1:].flatten(), reduction="sum"
        )
        (loss / count).backward()
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
