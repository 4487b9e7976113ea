"""What an estimate of memory must say, by arithmetic that can be checked on paper."""

import pytest

from forkpoint.errors import BadInput
from forkpoint.estimate import OURS, OURS_CPU, STACKS, Setup, estimate_memory, network_from_config
from forkpoint.estimate.activations import cache_bytes, logit_bytes, stored_bytes
from forkpoint.estimate.fitting import changed
from forkpoint.estimate.network import Network
from forkpoint.estimate.states import trained, weight_bytes

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
MIXTRAL = {
    **LLAMA_8B,
    "model_type": "mixtral",
    "vocab_size": 32000,
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
}


@pytest.fixture(scope="module")
def llama() -> Network:
    """Llama 3.1 8B's published shape."""
    return network_from_config(LLAMA_8B)


def part(network: Network, setup: Setup, name: str, stack: str = "forkpoint") -> int:
    """The bytes of one part in the phase where it is largest."""
    phases = estimate_memory(network, setup, STACKS[stack]).phases
    return max((p.bytes for phase in phases for p in phase.parts if p.name == name), default=0)


def test_weights_in_16_bits_are_two_bytes_a_parameter(llama: Network) -> None:
    """8.03 billion parameters make 16.06 GB."""
    assert 8_030_261_248 == llama.parameters
    assert 2 * llama.parameters == weight_bytes(llama, Setup(approach="lora"), OURS)


def test_qlora_leaves_embedding_and_head_in_16_bits(llama: Network) -> None:
    """Linear layers at 4.127 bits, 1.05 billion embedding parameters at 16."""
    linear = llama.linear_parameters
    rest = llama.parameters - linear
    expected = linear * (4 + 8 / 64 + 32 / (64 * 256)) / 8 + rest * 2
    assert expected == pytest.approx(weight_bytes(llama, Setup(approach="qlora"), OURS))


def test_fused_experts_stay_in_16_bits_under_qlora() -> None:
    """bitsandbytes replaces linear layers only, so a mixture shrinks little in our stack."""
    network = network_from_config(MIXTRAL)
    setup = Setup(approach="qlora")
    apart = STACKS["trainer"]
    assert weight_bytes(network, setup, OURS) > 0.9 * 2 * network.parameters
    assert weight_bytes(network, setup, apart) < 0.3 * 2 * network.parameters


def test_adamw_keeps_eight_bytes_for_each_trained_parameter(llama: Network) -> None:
    """Two 32-bit moments, for adapters as for all."""
    for approach in ("lora", "full"):
        own = trained(llama, Setup(approach=approach), OURS)
        assert 8 * own.parameters == own.state_bytes
    eight_bit = trained(llama, Setup(approach="lora", optimizer="adamw-8bit"), OURS)
    assert 2.03 * eight_bit.parameters == eight_bit.state_bytes


def test_checkpointing_keeps_one_stream_a_layer(llama: Network) -> None:
    """32 layers x 4096 x 2 bytes a token, against many times as much without."""
    setup = Setup(approach="lora", context_tokens=1000, checkpointing=True)
    kept = changed(setup, checkpointing=False)
    assert 32 * 4096 * 2 * 1000 == stored_bytes(llama, setup, OURS)
    assert stored_bytes(llama, kept, OURS) > 10 * stored_bytes(llama, setup, OURS)


def test_whole_logits_cost_twelve_bytes_an_entry_and_fused_ones_a_tile(llama: Network) -> None:
    """128,256 entries x 2,048 tokens x 12 bytes are 3.15 GB; a tile of TRL's head is 0.17 GB."""
    setup = Setup(approach="lora", context_tokens=2048)
    assert 128256 * 2048 * 12 == logit_bytes(llama, setup, STACKS["trainer"])
    assert 2048 * 32768 * 2 + 4 * 4096 * 2048 == logit_bytes(llama, setup, OURS)


def test_the_cache_of_answers_counts_key_value_heads_and_windows(llama: Network) -> None:
    """8 of 32 heads, and no more tokens than a layer looks back."""
    setup = Setup(approach="lora", answer_batch=4, answer_tokens=100, prompt_tokens=900)
    assert 2 * 8 * 128 * 2 * 32 * 1000 * 4 == cache_bytes(llama, setup)
    windowed = network_from_config({**LLAMA_8B, "model_type": "mistral", "sliding_window": 500})
    assert 2 * 8 * 128 * 2 * 32 * 500 * 4 == cache_bytes(windowed, setup)


def test_the_peak_is_the_largest_phase_and_its_parts_add_up(llama: Network) -> None:
    """No part is lost between the phases and the answer."""
    for approach in ("lora", "qlora", "full", "prompt"):
        found = estimate_memory(llama, Setup(approach=approach))
        assert max(phase.bytes for phase in found.phases) == found.estimated_bytes
        assert sum(part.bytes for part in found.parts) == found.estimated_bytes
        assert found.parts[0].name == found.dominates
        assert found.low_bytes < found.estimated_bytes < found.high_bytes


def test_what_needs_more_never_estimates_less(llama: Network) -> None:
    """Longer rows, larger batches, ranks and wider approaches only add."""
    base = Setup(approach="lora", context_tokens=2048, rank=16, checkpointing=True)
    small = estimate_memory(llama, base).estimated_bytes
    for more in (
        {"context_tokens": 8192},
        {"batch": 8},
        {"rank": 256},
        {"attention": "eager"},
        {"checkpointing": False},
        {"half": False},
        {"passes": 4},
        {"approach": "full"},
    ):
        assert estimate_memory(llama, changed(base, **more)).estimated_bytes >= small, more


def test_sharing_divides_what_each_way_shares(llama: Network) -> None:
    """ZeRO-1 divides states, ZeRO-2 gradients too, ZeRO-3 and FSDP weights too."""
    full = Setup(approach="full")
    one = {name: part(llama, full, name) for name in ("weights", "optimizer", "gradients")}
    for sharding, divided in (
        ("none", set()), ("zero1", {"optimizer"}), ("zero2", {"optimizer", "gradients"}),
        ("zero3", {"optimizer", "gradients", "weights"}),
        ("fsdp", {"optimizer", "gradients", "weights"}),
    ):  # fmt: skip
        setup = changed(full, devices=4, sharding=sharding)
        for name, alone in one.items():
            share = 4 if name in divided else 1
            assert alone / share == pytest.approx(part(llama, setup, name), rel=1e-6), sharding


def test_offloading_moves_states_to_the_host(llama: Network) -> None:
    """What leaves the device is counted in the machine's memory."""
    full = Setup(approach="full")
    moved = estimate_memory(llama, changed(full, offload="optimizer"))
    assert 8 * llama.parameters == moved.host_bytes
    assert estimate_memory(llama, full).estimated_bytes > moved.estimated_bytes + 6e10


@pytest.mark.parametrize(
    ("method", "approach", "key"),
    [
        ("gptq", "qlora", "estimate.qlora-of-quantised"),
        ("gptq", "full", "estimate.full-of-quantised"),
        ("fp8", "full", "estimate.full-of-quantised"),
        ("gguf", "full", "estimate.answers-only"),
        ("gguf", "lora", "estimate.answers-only"),
    ],
)
def test_impossible_combinations_are_refused(method: str, approach: str, key: str) -> None:
    """QLoRA or full fine-tuning of quantised files is a sentence, not a number."""
    config = {**LLAMA_8B, "quantization_config": {"quant_method": method, "bits": 4}}
    with pytest.raises(BadInput) as caught:
        estimate_memory(network_from_config(config), Setup(approach=approach))
    assert key == caught.value.key


def test_adapters_on_a_gptq_checkpoint_are_possible() -> None:
    """PEFT trains them, so they are estimated."""
    files = {"quant_method": "gptq", "bits": 4, "group_size": 128}
    network = network_from_config({**LLAMA_8B, "quantization_config": files})
    found = estimate_memory(network, Setup(approach="lora"))
    assert 5e9 < part(network, found.setup, "weights") < 6.5e9


def test_big_vocabularies_decide_where_logits_are_whole() -> None:
    """Qwen2.5 7B grows faster with length than Llama 3.1 8B only where the logits are whole."""
    qwen = network_from_config({
        "model_type": "qwen2", "hidden_size": 3584, "intermediate_size": 18944,
        "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4,
        "vocab_size": 152064, "tie_word_embeddings": False,
    })  # fmt: skip
    llama = network_from_config(LLAMA_8B)
    long = Setup(approach="qlora", context_tokens=8192, checkpointing=True)
    ratio = {}
    for stack in (STACKS["trainer"], OURS):
        growth = [
            estimate_memory(one, long, stack).estimated_bytes
            - estimate_memory(one, changed(long, context_tokens=512), stack).estimated_bytes
            for one in (qwen, llama)
        ]
        ratio[stack.name] = growth[0] / growth[1]
    assert ratio["trainer"] > 1.1
    assert ratio["forkpoint"] < 1.05


def test_a_cpu_has_libraries_and_heap_instead_of_a_device_context() -> None:
    """The same training, counted as resident memory."""
    tiny = network_from_config({
        "model_type": "llama", "hidden_size": 128, "intermediate_size": 352,
        "num_hidden_layers": 5, "num_attention_heads": 4, "vocab_size": 2048,
    })  # fmt: skip
    found = estimate_memory(tiny, Setup(approach="lora", context_tokens=512), OURS_CPU)
    assert "framework" == found.dominates
    assert 0.4e9 < found.estimated_bytes < 0.7e9


def test_files_of_another_precision_are_resident_while_they_are_converted() -> None:
    """32-bit files loaded in 16 bits are there twice; files of the same precision once."""
    small = network_from_config({
        "model_type": "llama", "hidden_size": 512, "intermediate_size": 1408,
        "num_hidden_layers": 12, "num_attention_heads": 8, "vocab_size": 64000,
    })  # fmt: skip
    stored = 4 * small.parameters
    setup = Setup(approach="lora", context_tokens=64, trained_share=0.1)
    same, other = (
        estimate_memory(small.model_copy(update={"file_bytes": size}), setup, OURS_CPU)
        for size in (stored // 2, stored)
    )
    assert "load" == other.peak
    assert stored == next(part.bytes for part in other.parts if part.name == "files")
    assert not any(part.name == "files" for phase in same.phases for part in phase.parts)


def test_an_estimate_takes_for_granted_what_training_does() -> None:
    """The dials that nobody turned are those of a training that nobody turned."""
    from forkpoint.train.job import ApproachSettings

    dials, ours = Setup(approach="lora"), ApproachSettings()
    assert (ours.rank, ours.gradient_checkpointing) == (dials.rank, dials.checkpointing)
    assert ours.targets == dials.targets
