"""The other way round: what fits, and what would make it fit."""

import pytest

from forkpoint.errors import BadInput
from forkpoint.estimate import Setup, estimate_memory, fit, network_from_config
from forkpoint.estimate.fitting import answer, changed, largest
from forkpoint.estimate.network import Network
from forkpoint.estimate.sizes import size_bytes

LLAMA_8B = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "tie_word_embeddings": False,
    "max_position_embeddings": 131072,
}


@pytest.fixture(scope="module")
def llama() -> Network:
    """Llama 3.1 8B's published shape."""
    return network_from_config(LLAMA_8B)


def test_yes_means_the_whole_interval_and_no_means_none_of_it(llama: Network) -> None:
    """The upper end decides before a run is started."""
    found = estimate_memory(llama, Setup(approach="lora", checkpointing=True))
    assert "yes" == answer(found, found.high_bytes)
    assert "perhaps" == answer(found, found.high_bytes - 1)
    assert "no" == answer(found, found.low_bytes - 1)


@pytest.mark.parametrize("dial", ["batch", "context_tokens", "rank"])
def test_the_largest_value_fits_and_the_next_does_not(llama: Network, dial: str) -> None:
    """Bisection ends exactly at the edge."""
    setup, memory = Setup(approach="lora", checkpointing=True), 24e9
    most = largest(llama, setup, memory, dial)  # type: ignore[arg-type]
    assert most is not None
    for value, fits in ((most, True), (most + 1, False)):
        found = estimate_memory(llama, changed(setup, **{dial: value}))
        assert fits == (found.high_bytes <= memory)


def test_nothing_is_said_to_fit_where_one_row_does_not(llama: Network) -> None:
    """Full fine-tuning of 8B has no batch that fits 24 GB."""
    assert largest(llama, Setup(approach="full"), 24e9, "batch") is None


def test_the_context_never_exceeds_what_the_checkpoint_holds() -> None:
    """Memory alone is not the limit."""
    small = network_from_config({**LLAMA_8B, "num_hidden_layers": 2})
    short = small.model_copy(update={"context_tokens": 4096})
    setup = Setup(approach="qlora", checkpointing=True)
    assert 4096 == largest(short, setup, 80e9, "context_tokens")


def test_the_cheapest_change_is_one_that_keeps_the_result(llama: Network) -> None:
    """A smaller batch in more passes before any other approach."""
    setup = Setup(approach="lora", batch=16, checkpointing=True)
    found = fit(llama, setup, 24e9)
    assert found.answer != "yes"
    assert found.remedy is not None
    assert ["batch"] == [change.dial for change in found.remedy.changes]
    assert found.remedy.estimate.high_bytes <= 24e9
    assert found.remedy.estimate.setup.passes > 1


def test_a_remedy_always_fits_and_changes_only_what_it_names(llama: Network) -> None:
    """Over cards from 8 to 80 GB."""
    for memory in (8e9, 12e9, 16e9, 24e9, 48e9, 80e9):
        for approach in ("lora", "full", "qlora"):
            setup = Setup(approach=approach, batch=8, checkpointing=False)
            found = fit(llama, setup, memory)
            if found.remedy is None:
                continue
            assert found.remedy.estimate.high_bytes <= memory
            new, old = found.remedy.estimate.setup.model_dump(), setup.model_dump()
            named = {change.dial for change in found.remedy.changes} | {"passes"}
            assert {dial for dial in new if new[dial] != old[dial]} <= named


def test_every_possible_approach_is_answered(llama: Network) -> None:
    """In 24 GB: adapters and prompting yes, full fine-tuning no."""
    found = fit(llama, Setup(approach="lora", checkpointing=True), 24e9)
    expected = {"lora": "yes", "qlora": "yes", "full": "no", "prompt": "yes"}
    assert expected == found.approaches
    files = {"quant_method": "awq", "bits": 4, "group_size": 128}
    packed = network_from_config({**LLAMA_8B, "quantization_config": files})
    assert fit(packed, Setup(approach="lora", checkpointing=True), 24e9).approaches["qlora"] is None


def test_sizes_are_read_as_people_write_them() -> None:
    """GB is 1e9 bytes, GiB 2^30."""
    said = {"24GB": 24e9, "24": 24e9, "24 GiB": 24 * 2**30, "24000MB": 24e9, "0.5tb": 5e11}
    assert said == {text: size_bytes(text) for text in said}
    for wrong in ("", "much", "-3GB", "0", "24 apples"):
        with pytest.raises(BadInput):
            size_bytes(wrong)
