"""Rules about how much compute there is (claims B8, B12, B20, B24, B25)."""

from typing import Literal

from forkpoint.rules.case import Case
from forkpoint.rules.example import GIB, Example
from forkpoint.rules.rule import BASE, TUNED, Finding, Rule, prefer, silent, unknown

Compute = Literal["little", "between", "ample"]

LITTLE_GPU_GIB = 16  # GiB, largest GPU; below is "little" [ruled: consumer cards, cf. B20]
AMPLE_GPU_GIB = 80  # GiB, all GPUs together; from here "ample" [ruled: one data-centre card]


def compute_of(case: Case) -> tuple[Compute | None, str]:
    """How much compute there is, and what says so; words of the goal go before the machine."""
    if words := case.goal.words("little_compute"):
        return "little", f"“{words[0]}”"
    if words := case.goal.words("ample_compute"):
        return "ample", f"“{words[0]}”"
    if case.machine is None:
        return None, ""
    memory = [gpu.memory_bytes / GIB for gpu in case.machine.gpus]
    found = f"gpu={'+'.join(f'{one:.0f}' for one in memory)} GiB" if memory else "gpu=0"
    if not memory or max(memory) < LITTLE_GPU_GIB:
        return "little", found
    return ("ample" if sum(memory) >= AMPLE_GPU_GIB else "between"), found


def smaller_variants(case: Case) -> Finding:
    """B20."""
    compute, found = compute_of(case)
    if compute is None:
        return unknown(case, "FP-B20", "machine")
    if compute == "between":
        return silent(case, "FP-B20", found=found)
    stages = BASE if compute == "little" else TUNED
    return prefer(case, "FP-B20", stages, compute, found=found)


def sooner_done(case: Case) -> Finding:
    """B24, B25."""
    compute, found = compute_of(case)
    if compute is None:
        return unknown(case, "FP-B24", "machine")
    if compute != "little":
        return silent(case, "FP-B24", found=found)
    return prefer(case, "FP-B24", TUNED, found=found)


THRESHOLDS = (
    ("LITTLE_GPU_GIB", LITTLE_GPU_GIB, "GiB"),
    ("AMPLE_GPU_GIB", AMPLE_GPU_GIB, "GiB"),
)
RULES = (
    Rule(
        code="FP-B20",
        claims=("B20",),
        subject="checkpoint",
        chat_means="tuned",
        needs=("machine", "stage"),
        judge=smaller_variants,
        thresholds=THRESHOLDS,
        examples=(
            Example(expects="for", gpu_gib=15, stage="base"),
            Example(expects="against", gpu_gib=0, stage="chat"),
            Example(expects="silent", gpu_gib=16, stage="base"),
            Example(expects="silent", gpu_gib=79, stage="chat"),
            Example(expects="for", gpu_gib=80, stage="chat"),
            Example(
                expects="for",
                stage="base",
                goal=("all we have is a laptop", "我们只有一台笔记本"),
            ),
            Example(expects="unknown", stage="base"),
        ),
    ),
    Rule(
        code="FP-B24",
        claims=("B24", "B25", "B8"),
        subject="checkpoint",
        chat_means="tuned",
        needs=("machine", "stage"),
        judge=sooner_done,
        thresholds=THRESHOLDS[:1],
        examples=(
            Example(expects="for", gpu_gib=15, stage="chat"),
            Example(expects="against", gpu_gib=15, stage="base"),
            Example(expects="silent", gpu_gib=16, stage="chat"),
            Example(expects="unknown", stage="chat"),
        ),
    ),
)
