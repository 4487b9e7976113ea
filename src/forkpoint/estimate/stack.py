"""What a trainer does with memory, apart from the network and the dials."""

from typing import Literal

from forkpoint.record import Record


class Stack(Record):
    """One trainer's habits; facts of its code, none of them fitted."""

    name: str
    device: Literal["gpu", "cpu"] = "gpu"
    head: Literal["fused", "float", "half"]  # logits in tiles, or whole with a 32- or 16-bit loss
    full: Literal["float", "master", "half"]  # how full fine-tuning keeps weights, see `states`
    adapter: Literal["float", "master", "half"] = "float"  # the same for LoRA's matrices
    copies: Literal["float", "master", "half"] = "half"  # and for embeddings trained beside them
    autocast: bool = True  # 16-bit arithmetic over 32-bit parameters, cast as it goes
    dropout: bool = False  # adapters drop inputs, and keep what is left
    step: Literal["fused", "foreach", "flat"] = "fused"  # the optimizer's own working memory
    counts: Literal["allocated", "reserved", "device"] = "device"
    untied: bool = False  # holds embedding and head apart even where the checkpoint ties them
    experts_apart: bool = False  # experts as single matrices, which quantise; else they stay 16-bit


OURS = Stack(name="forkpoint", head="fused", full="float")
OURS_CPU = Stack(name="forkpoint-cpu", device="cpu", head="float", full="float", counts="device")

# Transformers' Trainer with PEFT as of 2023: 16-bit weights under autocast, the whole logits cast
# to 32 bits, AdamW over all parameters at once.
TRAINER = Stack(
    name="trainer", head="float", full="master", step="foreach", dropout=True, experts_apart=True
)
# The same under DeepSpeed: 16-bit weights, gradients and loss, 32-bit masters in one flat block.
DEEPSPEED = Stack(
    name="deepspeed",
    head="half",
    full="master",
    adapter="master",
    copies="master",
    autocast=False,
    step="flat",
    dropout=True,
    experts_apart=True,
)
# A bare loop in true 16 bits, states and all, which prints what PyTorch allocated (LitGPT).
PURE_HALF = Stack(
    name="pure-half",
    head="half",
    full="half",
    adapter="half",
    autocast=False,
    step="foreach",
    counts="allocated",
    experts_apart=True,
    untied=True,
)
# PEFT's own comparison of methods: a bare loop over 16-bit weights, full fine-tuning included.
LOOP = Stack(name="loop", head="float", full="half", step="foreach", counts="reserved")
STACKS = {one.name: one for one in (OURS, OURS_CPU, TRAINER, DEEPSPEED, PURE_HALF, LOOP)}
