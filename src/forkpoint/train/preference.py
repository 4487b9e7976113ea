"""Teach one checkpoint to prefer one answer to another: direct preference optimisation."""

import time
from pathlib import Path
from typing import Any

from forkpoint.errors import Diverged
from forkpoint.models.weights import Dtype, load_model, load_tokenizer
from forkpoint.record import Record
from forkpoint.train.fine_tune import GRADIENT_NORM
from forkpoint.train.job import Schedule

BETA = 0.1  # how hard the reference holds the model [TRL's and most recipes' value]
IMITATION = 0.2  # weight of the chosen answer's own likelihood: new wordings need it to appear


class PreferencePair(Record):
    """Two answers to one prompt as tokens, each with what ends the turn."""

    prompt_ids: tuple[int, ...]
    chosen_ids: tuple[int, ...]
    rejected_ids: tuple[int, ...]


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
    trainer = _trainer(job)
    end_ids = trainer.model.generation_config.eos_token_id
    started = time.monotonic()
    trainer.train()
    seconds = time.monotonic() - started
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


def _trainer(job: PreferenceJob) -> Any:
    """TRL's trainer on our own ids and order; the starting checkpoint is the reference."""
    import torch
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import DPOTrainer

    class PairTrainer(DPOTrainer):  # type: ignore[misc]
        losses: list[float]
        margins: list[float]

        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset

        def get_train_dataloader(self) -> Any:
            rows: Any = [
                {key: list(ids) for key, ids in pair.model_dump().items()} for pair in job.pairs
            ]
            return torch.utils.data.DataLoader(
                rows,
                batch_sampler=[list(step) for step in job.steps],
                collate_fn=self.data_collator,
            )

        def training_step(self, *args: Any, **rest: Any) -> Any:
            loss = super().training_step(*args, **rest)
            self.losses.append(float(loss))
            self.margins.append(float(self._metrics["train"]["rewards/margins"][-1]) / job.beta)
            if not torch.isfinite(loss):
                raise Diverged(
                    "train.diverged",
                    step=len(self.losses),
                    steps=len(job.steps),
                    rate=f"{job.rate:.2g}",
                )
            return loss

    first = job.pairs[0].model_dump()
    trainer = PairTrainer(
        model=load_model(job.checkpoint, dtype="float32", device=job.device),
        ref_model=load_model(job.checkpoint, dtype="float32", device=job.device),
        args=_settings(job),
        # TRL wants to see one row of a data set; what is trained are the job's steps.
        train_dataset=Dataset.from_dict({key: [list(ids)] for key, ids in first.items()}),
        processing_class=load_tokenizer(job.checkpoint),
    )
    trainer.remove_callback(PrinterCallback)
    trainer.losses, trainer.margins = [], []
    return trainer


def _settings(job: PreferenceJob) -> Any:
    """The job in TRL's terms, with everything off that it does not need."""
    from trl import DPOConfig

    on_cpu = job.device == "cpu"
    return DPOConfig(
        output_dir=job.folder,
        max_steps=len(job.steps),
        per_device_train_batch_size=len(job.steps[0]),
        learning_rate=job.rate,
        lr_scheduler_type="constant_with_warmup" if job.schedule == "constant" else job.schedule,
        warmup_steps=job.warmup_steps,
        weight_decay=0.0,
        max_grad_norm=GRADIENT_NORM,
        optim="adamw_torch_fused",
        bf16=job.dtype == "bfloat16",
        activation_checkpointing=False,
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
