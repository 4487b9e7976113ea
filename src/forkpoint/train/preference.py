"""Teach a model to prefer one answer to another: direct preference optimisation."""

import copy
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forkpoint.errors import Diverged
from forkpoint.models.token_rows import settle_rows
from forkpoint.models.weights import Dtype, load_model, load_tokenizer
from forkpoint.record import Record
from forkpoint.train.job import (
    GRADIENT_NORM,
    OnProgress,
    PreferencePair,
    Schedule,
    TrainJob,
    TrainProgress,
)

BETA = 0.1  # how hard the reference holds the model [TRL's and most recipes' value]
IMITATION = 0.2  # weight of the chosen answer's own likelihood: new wordings need it to appear
RATE_SHARE = 0.1  # of the rate on rows: preferences are learned in small steps; recipes go from a
# fortieth (Zephyr, 2e-5 and 5e-7) to a tenth, and short runs want the high end


class PreferenceJob(Record):
    """One preference training of all weights: everything that decides its result."""

    checkpoint: str  # a local folder; it is the reference as well
    pairs: tuple[PreferencePair, ...]
    steps: tuple[tuple[int, ...], ...]  # the pairs of each optimizer step, as indices into `pairs`
    rate: float  # the highest learning rate of the schedule
    schedule: Schedule = "linear"
    warmup_steps: int = 0
    beta: float = BETA
    imitation: float = IMITATION
    seed: int = 0
    dtype: Dtype = "float32"  # the arithmetic; weights are updated in float32
    device: str = "cpu"
    pass_tokens: int | None = None  # padded tokens of one pass; None: a step is one pass
    checkpointing: bool = False  # activations computed twice: slower, smaller
    folder: str  # where the result is saved


class PreferenceResult(Record):
    """What a preference training did; all figures are measured."""

    folder: str
    steps: int
    pairs: int  # pairs seen, repeats counted
    losses: tuple[float, ...]  # of each step
    margins: tuple[float, ...]  # of each step: by how much the chosen answer is preferred, in nats
    seconds: float


def prefer(job: PreferenceJob) -> PreferenceResult:
    """Train as the job says and save the whole model in its folder; raises Diverged."""
    import torch
    from transformers import set_seed

    set_seed(job.seed)
    model = load_model(job.checkpoint, dtype="float32", device=job.device)
    end_ids = model.generation_config.eos_token_id
    trainer = _trainer(job, model, load_tokenizer(job.checkpoint))
    trainer.started = time.monotonic()
    trainer.train()
    seconds = time.monotonic() - trainer.started
    folder = Path(job.folder)
    folder.mkdir(parents=True, exist_ok=True)
    tuned = trainer.model
    tuned.generation_config.eos_token_id = end_ids
    tuned.to(getattr(torch, job.dtype)).save_pretrained(str(folder), safe_serialization=True)
    return PreferenceResult(
        folder=str(folder),
        steps=len(job.steps),
        pairs=sum(len(step) for step in job.steps),
        losses=tuple(trainer.losses),
        margins=tuple(trainer.margins),
        seconds=seconds,
    )


def pair_trainer(
    job: TrainJob, model: Any, tokenizer: Any, on_progress: OnProgress | None = None
) -> Any:
    """The trainer of a job's pairs on a model that has been trained on its rows.

    The reference is the model as it is given: a frozen copy of its adapter, or of all of it.
    """
    warmup = round(job.warmup_steps * len(job.pair_steps) / len(job.steps))
    pairs = PreferenceJob(
        checkpoint=job.checkpoint,
        pairs=job.pairs,
        steps=job.pair_steps,
        rate=job.rate * RATE_SHARE,
        schedule=job.schedule,
        warmup_steps=max(1, warmup),
        seed=job.seed,
        dtype=job.dtype,
        device=job.device,
        pass_tokens=job.pack_tokens,
        checkpointing=job.settings.gradient_checkpointing,
        folder=job.folder,
    )
    settle_rows(model)
    trainer = _trainer(pairs, model, tokenizer, on_progress)
    settle_rows(trainer.model)  # TRL has switched adapters meanwhile, which lets rows train again
    return trainer


def pairs_at_once(job: PreferenceJob) -> int:
    """Pairs of one pass: as many as fit in its tokens and divide every step evenly."""
    sizes = {len(step) for step in job.steps}
    whole = math.gcd(*sizes)
    if job.pass_tokens is None or len(sizes) > 1:
        return max(sizes) if job.pass_tokens is None else 1
    longest = max(
        len(pair.prompt_ids) + max(len(pair.chosen_ids), len(pair.rejected_ids))
        for pair in job.pairs
    )
    room = max(1, job.pass_tokens // (2 * longest))
    return max(size for size in range(1, whole + 1) if whole % size == 0 and size <= room)


def _trainer(
    job: PreferenceJob, model: Any, tokenizer: Any, on_progress: OnProgress | None = None
) -> Any:
    """TRL's trainer on our own ids and order; the model as it is given is the reference."""
    from datasets import Dataset
    from peft import PeftModel
    from transformers import PrinterCallback

    adapters = isinstance(model, PeftModel)
    first = job.pairs[0].model_dump()
    trainer = _pair_trainer_class()(
        job,
        on_progress,
        model=model,
        ref_model=None if adapters else copy.deepcopy(model).requires_grad_(False).eval(),
        args=_settings(job),
        # TRL wants to see one row of a data set; what is trained are the job's steps.
        train_dataset=Dataset.from_dict({key: [list(ids)] for key, ids in first.items()}),
        processing_class=tokenizer,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _pair_trainer_class() -> Any:
    import torch
    from trl import DPOTrainer

    class PairTrainer(DPOTrainer):  # type: ignore[misc]
        """A pass may be a part of a step; what is counted is by step."""

        def __init__(self, job: PreferenceJob, on_progress: OnProgress | None, **rest: Any):
            self.job = job
            self.on_progress = on_progress
            self.losses: list[float] = []
            self.margins: list[float] = []
            self.gradient_norms: list[float] = []
            self.tokens_seen = self.tokens_trained = 0
            self.started = 0.0
            self.passes: list[tuple[float, float]] = []
            super().__init__(**rest)

        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset

        def keep_with(self, keeper: Any) -> None:
            """Not kept: its reference is the model as it began, where the rows' stage ended."""

        def get_train_dataloader(self) -> Any:
            rows: Any = [
                {key: list(ids) for key, ids in pair.model_dump().items()}
                for pair in self.job.pairs
            ]
            return torch.utils.data.DataLoader(
                rows, batch_sampler=_passes(self.job), collate_fn=self.data_collator
            )

        def training_step(self, *args: Any, **rest: Any) -> Any:
            loss = super().training_step(*args, **rest)
            margin = float(self._metrics["train"]["rewards/margins"][-1]) / self.job.beta
            self.passes.append((float(loss), margin))
            if not torch.isfinite(loss):
                raise self._diverged()
            return loss

        def _clip_grad_norm(self, model: Any) -> Any:
            norm = super()._clip_grad_norm(model)
            self._count(float(norm))
            if not torch.isfinite(torch.as_tensor(self.gradient_norms[-1])):
                raise self._diverged()
            return norm

        def _count(self, norm: float) -> None:
            """One optimizer step has seen all its passes."""
            pairs = [self.job.pairs[place] for place in self.job.steps[len(self.losses)]]
            self.losses.append(math.fsum(loss for loss, _ in self.passes))
            self.margins.append(math.fsum(one for _, one in self.passes) / len(self.passes))
            self.gradient_norms.append(norm)
            self.passes = []
            self.tokens_seen += sum(pair.tokens for pair in pairs)
            self.tokens_trained += sum(
                len(pair.chosen_ids) + len(pair.rejected_ids) for pair in pairs
            )
            if self.on_progress is not None:
                self.on_progress(
                    TrainProgress(
                        step=len(self.losses),
                        steps=len(self.job.steps),
                        tokens=self.tokens_seen,
                        loss=self.losses[-1],
                        seconds=time.monotonic() - self.started,
                    )
                )

        def _diverged(self) -> Diverged:
            return Diverged(
                "train.diverged",
                step=max(1, len(self.losses)),
                steps=len(self.job.steps),
                rate=f"{self.job.rate:.2g}",
            )

        def _send_telemetry(self) -> None:
            """Nothing leaves the machine."""

    return PairTrainer


def _passes(job: PreferenceJob) -> Sequence[list[int]]:
    """The pairs of every pass, step after step."""
    size = pairs_at_once(job)
    return [list(step[at : at + size]) for step in job.steps for at in range(0, len(step), size)]


def _settings(job: PreferenceJob) -> Any:
    """The job in TRL's terms, with everything off that it does not need."""
    from trl import DPOConfig

    on_cpu, size = job.device == "cpu", pairs_at_once(job)
    return DPOConfig(
        output_dir=job.folder,
        max_steps=len(job.steps),
        per_device_train_batch_size=size,
        gradient_accumulation_steps=max(1, len(job.steps[0]) // size),
        learning_rate=job.rate,
        lr_scheduler_type="constant_with_warmup" if job.schedule == "constant" else job.schedule,
        warmup_steps=job.warmup_steps,
        weight_decay=0.0,
        max_grad_norm=GRADIENT_NORM,
        optim="adamw_torch_fused",
        bf16=job.dtype == "bfloat16",
        activation_checkpointing=job.checkpointing,
        beta=job.beta,
        loss_type=["sigmoid", "sft"],
        loss_weights=[1.0, job.imitation],
        max_length=None,
        seed=job.seed,
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        save_strategy="no",
        logging_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
