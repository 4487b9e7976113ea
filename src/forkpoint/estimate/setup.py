"""What is asked: one way to train one checkpoint, on one kind of machine."""

from typing import Literal

from pydantic import Field

from forkpoint.errors import BadInput
from forkpoint.estimate.network import Network
from forkpoint.record import Record

Approach = Literal["lora", "qlora", "full", "prompt"]
Optimizer = Literal["adamw", "adamw-8bit", "paged-adamw-8bit", "adafactor", "sgd"]
Attention = Literal["flash", "sdpa", "eager"]
Sharding = Literal["none", "zero1", "zero2", "zero3", "fsdp"]
Offload = Literal["none", "optimizer", "all"]
Targets = Literal["all-linear", "attention", "query-value"]
APPROACHES: tuple[Approach, ...] = ("lora", "qlora", "full", "prompt")

MOST_TOKENS = 1 << 24  # tokens in one pass, far above any context; larger is a slip of the pen
MOST_BATCH = 1 << 16
MOST_RANK = 1 << 14


class Setup(Record):
    """The dials of a training that decide its memory."""

    approach: Approach
    context_tokens: int = Field(2048, ge=1, le=MOST_TOKENS)  # the longest row
    batch: int = Field(1, ge=1, le=MOST_BATCH)  # rows in one pass, on one device
    rank: int = Field(16, ge=1, le=MOST_RANK)
    targets: Targets = "all-linear"
    train_embeddings: bool = False  # an adapter run that trains embedding and head as well
    trainable_parameters: int | None = None  # where it is known better than rank and targets say
    half: bool = True  # arithmetic in 16 bits
    bits: Literal[4, 8] = 4  # of the frozen weights in qlora
    double_quantised: bool = True
    optimizer: Optimizer = "adamw"
    checkpointing: bool = False  # activations computed twice: a race turns to it when short
    attention: Attention = "sdpa"
    passes: int = Field(1, ge=1)  # passes added up before an optimizer step
    trained_share: float = Field(1.0, gt=0, le=1)  # share of the tokens that carry loss
    devices: int = Field(1, ge=1, le=1 << 20)
    sharding: Sharding = "none"
    offload: Offload = "none"
    answer_batch: int = Field(8, ge=0, le=MOST_BATCH)  # rows answered at once; 0: none are
    answer_tokens: int = Field(256, ge=1, le=MOST_TOKENS)
    prompt_tokens: int | None = Field(None, ge=1, le=MOST_TOKENS)  # None: a quarter of the context
    scored_logits: int = Field(0, ge=0)  # values of a batch whose expected answers are scored

    @property
    def pass_tokens(self) -> int:
        """Tokens of one forward and backward pass on one device."""
        return self.context_tokens * self.batch


QUANTISED_BASES = frozenset({"gptq", "awq"})  # adapters can be trained on top of these files
NEVER_TRAINED = frozenset({"gguf", "exl2"})  # files for answering only


def check(network: Network, setup: Setup) -> None:
    """Refuse what cannot be trained; raises BadInput."""
    files = network.quantisation
    if files is None:
        return
    if setup.approach != "prompt" and files.method in NEVER_TRAINED:
        raise BadInput("estimate.answers-only", method=files.method, approach=setup.approach)
    if setup.approach == "full":
        raise BadInput("estimate.full-of-quantised", method=files.method, bits=f"{files.bits:g}")
    if setup.approach == "qlora" and not _trains_on(files.method, files.bits, setup):
        raise BadInput("estimate.qlora-of-quantised", method=files.method, bits=f"{files.bits:g}")


def _trains_on(method: str, bits: float, setup: Setup) -> bool:
    """Only files that bitsandbytes itself wrote, in the asked bits, are QLoRA's own."""
    return method == "bitsandbytes" and bits == setup.bits
