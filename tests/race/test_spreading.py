"""A trial that one GPU does not hold is spread over several, and the plan says so."""

from pathlib import Path

import pytest
from race_records import agreement, profile
from test_arm_memory import ROWS, checkpoint, machine

from forkpoint.ledger import EnginePlan, MemoryPlan, Settings
from forkpoint.race.arm_memory import Fitting, check_fit
from forkpoint.race.room import HOST_BYTES, Node, Room, check_room, race_needs
from forkpoint.race.spreading import can_be_spread
from forkpoint.race.work import AnswerWork, SurveyWork, TrialWork
from forkpoint.report.plan_engine import engine_lines

LARGE = {  # eight thousand million parameters
    "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256,
    "tie_word_embeddings": False,
}  # fmt: skip
GPU_BYTES = 80e9


@pytest.fixture
def settings() -> Settings:
    """16 bits on GPUs."""
    drawn = agreement(ROWS, lambda text: text).settings
    changes = {"dtype": "bfloat16", "workers": 1, "context_tokens": 2048, "device": "cuda"}
    return drawn.model_copy(update=changes)


def fitted(
    folder: Path, settings: Settings, gpus: int, *approaches: str, free: float = GPU_BYTES
) -> Fitting:
    found = {"large": checkpoint(folder, "large", **LARGE)}
    data = profile(400, lambda text: text)
    data = data.model_copy(update={"tokens": {"large": data.tokens["pocket-base"]}})
    named = {"large": approaches or ("lora", "full")}
    return check_fit(found, named, data, settings, machine(64e9, free), most_gpus=gpus)


def spread(found: Fitting, approach: str = "full") -> MemoryPlan:
    return found.memory["large", approach]


def test_the_estimate_chooses_how_many_gpus_and_what_is_in_parts(
    tmp_path: Path, settings: Settings
) -> None:
    """Full fine-tuning of 8B needs several; LoRA of it stays on one, as does a small cluster."""
    found = fitted(tmp_path, settings, 8)
    assert (1, "none") == (spread(found, "lora").devices, spread(found, "lora").spread)
    plan = spread(found)
    assert plan.devices in (2, 4, 8)
    assert plan.spread in ("zero2", "zero3")
    assert plan.high_bytes <= GPU_BYTES
    assert plan.host_bytes > 30e9  # each process reads the weights in 32 bits
    fewer = plan.devices // 2
    other = tmp_path / "other"
    other.mkdir()
    unfit = fitted(other, settings, fewer, "lora", "qlora", "full")
    assert ["large.full"] == [one.name for one in unfit.unfit]


def test_weights_are_split_where_gradients_alone_are_not_enough(
    tmp_path: Path, settings: Settings
) -> None:
    """The fewest GPUs; on these what keeps the weights gathered if it fits, else what does not."""
    kinds = []
    for free in (45e9, 60e9, 80e9, 120e9):
        folder = tmp_path / str(free)
        folder.mkdir()
        plan = spread(fitted(folder, settings, 64, free=free))
        kinds.append((plan.devices, plan.spread))
    assert kinds == sorted(kinds, key=lambda kind: -kind[0])
    assert "zero3" in [kind for _, kind in kinds]


def test_answers_have_to_fit_on_one_gpu(tmp_path: Path, settings: Settings) -> None:
    """The weights in 16 bits do not fit into 14 GB: no number of GPUs helps."""
    one = {"large": checkpoint(tmp_path, "large", **LARGE), "small": checkpoint(tmp_path, "small")}
    data = profile(400, lambda text: text)
    tokens = data.tokens["pocket-base"]
    data = data.model_copy(update={"tokens": {"large": tokens, "small": tokens}})
    named = {"large": ("full",), "small": ("lora", "full")}
    found = check_fit(one, named, data, settings, machine(64e9, 14e9), most_gpus=64)
    assert ["large.full"] == [one.name for one in found.unfit]


def test_what_is_not_spread() -> None:
    """Four-bit weights and preferences."""
    spread = {"lora", "full", "cpt", "cpt-full", "delta", "delta-full"}
    names = (*spread, "qlora", "dpo", "dpo-full")
    assert spread == {name for name in names if can_be_spread(name)}


def node(name: str, gpus: float) -> Node:
    return Node(
        name=name, node_id=name, cpus=16, memory_bytes=512 << 30, gpus=gpus, gpu_bytes=80 << 30
    )


def test_its_workers_are_found_on_one_node_or_several(settings: Settings) -> None:
    """Each asks for a GPU and for memory to read the weights; the survey of it does too."""
    plan = MemoryPlan(
        estimated_bytes=60 << 30, low_bytes=50 << 30, high_bytes=70 << 30, dominates="optimizer",
        free_bytes=80 << 30, fits="yes", devices=4, spread="zero3", host_bytes=32 << 30,
    )  # fmt: skip
    nodes = [node("one", 2), node("two", 3)]
    needs = race_needs({"large.full": plan, "large.lora": None}, settings, nodes)
    need = needs.by_arm["large.full"]
    assert (4, 1.0, HOST_BYTES + (32 << 30)) == (need.pieces, need.gpus, need.memory_bytes)
    room = Room(nodes)
    assert 1 == room.slots(need)
    assert [True, False] == [room.take("a", need), room.take("b", need)]
    assert room.take("small", needs.by_arm["large.lora"])
    room.give_back("a")
    assert not room.take("b", need.model_copy(update={"pieces": 5}))
    check_room(needs, nodes)
    answers = AnswerWork(subject="large.full", checkpoint="large", split="test")
    assert 1 == needs(answers).pieces
    assert 4 == needs(SurveyWork.model_construct(checkpoint="large", approaches=("full",))).pieces
    trial = TrialWork.model_construct(trial=type("T", (), {"arm": "large.full"})())
    assert 4 == needs(trial).pieces


@pytest.mark.parametrize(
    ("lang", "says"),
    [
        ("en", ("on 4 under Ray Train", "as ZeRO-3", "75.2 GB")),
        ("zh", ("4 个 GPU", "ZeRO-3", "75")),
    ],
)
def test_the_plan_says_so(lang: str, says: tuple[str, ...]) -> None:
    """Which arm, how many GPUs, what is in parts, how much on each."""
    agreed = agreement(ROWS, lambda text: text)
    plan = MemoryPlan(
        estimated_bytes=60 << 30, low_bytes=50 << 30, high_bytes=70 << 30, dominates="optimizer",
        free_bytes=80 << 30, fits="yes", devices=4, spread="zero3",
    )  # fmt: skip
    arm = agreed.arms[0].model_copy(update={"memory": plan})
    engine = EnginePlan(kind="ray", gpus={arm.name: 4.0})
    lines = engine_lines(agreed.model_copy(update={"arms": (arm,), "engine": engine}), lang)
    assert 2 == len(lines)
    assert arm.name in lines[1]
    for word in says:
        assert word in lines[1], lines[1]
