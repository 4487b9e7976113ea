"""What one training is asked to do, and what came of it."""

from collections.abc import Callable
from typing import Literal

from forkpoint.models.weights import Dtype
from forkpoint.record import Record

Schedule = Literal["linear", "constant", "cosine"]  # each after the same warm-up
Targets = Literal["all-linear", "attention"]  # the output layer is never among them
Sharding = Literal["none", "zero2", "zero3"]  # what the processes of one training hold in parts
BIN_TOKENS = 256  # length that rows are packed to: attention is square in it [docs/LOG.md]
PACK_TOKENS = 1024  # tokens of one pass on a CPU: several bins side by side
GPU_PACK_TOKENS = 16384  # tokens of one pass on a GPU, which needs large passes to be busy
GRADIENT_NORM = 1.0  # gradients are clipped to this norm, as the trainers of the field do


class TrainRow(Record):
    """One row as tokens; `labels` holds -100 where nothing is learned."""

    input_ids: tuple[int, ...]
    labels: tuple[int, ...]
    weight: float = 1.0  # of each of its tokens in the loss of a step


class PreferencePair(Record):
    """Two answers to one prompt as tokens, each with what ends the turn."""

    prompt_ids: tuple[int, ...]
    chosen_ids: tuple[int, ...]
    rejected_ids: tuple[int, ...]

    @property
    def tokens(self) -> int:
        """Tokens that a training reads of it: the prompt stands before either answer."""
        return 2 * len(self.prompt_ids) + len(self.chosen_ids) + len(self.rejected_ids)


class ApproachSettings(Record):
    """The dial of an approach; a field that it does not know is ignored by it."""

    rank: int = 16  # LoRA
    alpha: int = 32  # LoRA: updates are scaled by alpha / rank
    targets: Targets = "all-linear"  # LoRA: the layers that get adapters
    token_ids: tuple[int, ...] = ()  # LoRA: embedding rows trained as well, such as turn tokens
    token_starts: tuple[int | None, ...] = ()  # the token whose row each of them starts from; None:
    # the mean row; empty: as they are. Full fine-tuning starts from them too
    gradient_checkpointing: bool = False  # slower, smaller: how a trial is retried


class TrainJob(Record):
    """One fine-tuning: everything that decides its result."""

    checkpoint: str  # a local folder
    approach: str  # the name of one of `train.approach`
    settings: ApproachSettings = ApproachSettings()
    rows: tuple[TrainRow, ...]
    steps: tuple[tuple[int, ...], ...]  # the rows of each optimizer step, as indices into `rows`
    rate: float  # the highest learning rate of the schedule
    schedule: Schedule = "linear"
    warmup_steps: int = 0
    seed: int = 0
    dtype: Dtype = "float32"  # bfloat16: the frozen weights and the arithmetic; updates in float32
    device: str = "cpu"
    end_ids: tuple[int, ...] = ()  # ids at which answers end, added to the saved generation config
    context_tokens: int | None = None  # a longer row is an error, it is never cut
    pack_tokens: int | None = None  # tokens of one pass, for memory; None: by device
    text_steps: tuple[tuple[int, ...], ...] = ()  # raw text before the rows, as indices into `rows`
    pairs: tuple[PreferencePair, ...] = ()
    pair_steps: tuple[tuple[int, ...], ...] = ()  # preferences after the rows: indices into `pairs`
    twin: str | None = None  # a local folder: weights that are trained in place of the checkpoint's
    sharding: Sharding = "none"  # over the processes of this one's torch.distributed group
    keep_seconds: float | None = None  # how often its state is kept to go on from; None: never
    folder: str  # where the result is saved


class TrainProgress(Record):
    """How far a training is, after an optimizer step."""

    step: int
    steps: int
    tokens: int  # seen so far
    loss: float
    seconds: float


class TrainResult(Record):
    """What a training did and where its weights lie; all figures are measured."""

    folder: str
    steps: int  # of all stages
    rows: int  # rows seen, repeats counted, pairs included
    tokens: int  # tokens seen, prompts included
    trained_tokens: int  # tokens that carried loss
    losses: tuple[float, ...]  # mean over the trained tokens of each step
    gradient_norms: tuple[float, ...]  # of each step, before clipping
    seconds: float  # in the training loop
    total_seconds: float  # with loading and saving
    trainable_parameters: int
    peak_memory_bytes: int  # resident in this process, or allocated on the GPU
    resumed_at: int = 0  # steps that an earlier process had taken, counted above
    resumed_seconds: float = 0.0  # that it took, counted above
    margins: tuple[float, ...] = ()  # of each step on pairs: how much more than the reference the
    # model prefers the chosen answer, in nats


OnProgress = Callable[[TrainProgress], None]
