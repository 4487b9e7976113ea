"""Fine-tune one checkpoint as a job says."""

import ctypes
import gc
import resource
import sys
import time
from pathlib import Path
from typing import Any

from forkpoint.errors import BadInput
from forkpoint.models.weights import generation_end_ids, load_model, load_tokenizer
from forkpoint.train.approach import approach
from forkpoint.train.job import GPU_PACK_TOKENS, PACK_TOKENS, OnProgress, TrainJob, TrainResult
from forkpoint.train.packing import trained_tokens

GRADIENT_NORM = 1.0  # gradients are clipped to this norm, as the trainers of the field do
RESULT_FILE = "train.json"


def fine_tune(job: TrainJob, on_progress: OnProgress | None = None) -> TrainResult:
    """Train as the job says and save the result in its folder; the network is let go of.

    Raises Diverged when the loss is no longer a number, BadInput for rows that cannot be trained.
    """
    gc.freeze()  # the trainer collects garbage as it starts: a third of a second over all imports
    try:
        return _train(job, on_progress)
    finally:
        gc.collect()  # trainer and network hold each other
        gc.unfreeze()
        _return_memory()


def _train(job: TrainJob, on_progress: OnProgress | None) -> TrainResult:
    begin = time.monotonic()
    _check(job)
    kind = approach(job.approach)
    import torch
    from transformers import set_seed

    set_seed(job.seed)
    model = load_model(job.checkpoint, dtype=kind.load_dtype(job.dtype), device=job.device)
    end_ids = sorted({*generation_end_ids(model), *job.end_ids})
    tokenizer = load_tokenizer(job.checkpoint)
    model = kind.prepare(model, job.settings)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    trainer = _trainer(job, model, tokenizer, on_progress)
    trainer.started = loop = time.monotonic()
    trainer.train()
    seconds = time.monotonic() - loop
    folder = Path(job.folder)
    folder.mkdir(parents=True, exist_ok=True)
    tuned = trainer.model
    tuned.generation_config.eos_token_id = end_ids or None
    if job.approach == "full":
        tuned = tuned.to(getattr(torch, job.dtype))
    kind.save(tuned, folder)
    result = TrainResult(
        folder=str(folder),
        steps=len(job.steps),
        rows=sum(len(step) for step in job.steps),
        tokens=trainer.tokens_seen,
        trained_tokens=trainer.tokens_trained,
        losses=tuple(trainer.losses),
        gradient_norms=tuple(trainer.gradient_norms),
        seconds=seconds,
        total_seconds=time.monotonic() - begin,
        trainable_parameters=trainable,
        peak_memory_bytes=peak_memory_bytes(job.device),
    )
    (folder / RESULT_FILE).write_text(result.to_json(), encoding="utf-8")
    return result


def _return_memory() -> None:
    """Give what was freed back to the system: glibc keeps a heap as large as it ever was."""
    if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


def _check(job: TrainJob) -> None:
    for index, row in enumerate(job.rows):
        if job.context_tokens is not None and len(row.input_ids) > job.context_tokens:
            raise BadInput(
                "train.row_too_long",
                row=index,
                tokens=len(row.input_ids),
                limit=job.context_tokens,
            )
    learns = [trained_tokens([row]) > 0 for row in job.rows]
    for number, step in enumerate(job.steps, start=1):
        if not any(learns[row] for row in step):
            raise BadInput("train.nothing_to_learn", step=number)


def _trainer(job: TrainJob, model: Any, tokenizer: Any, on_progress: OnProgress | None) -> Any:
    """TRL's trainer, with everything off that a race does not need."""
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig

    from forkpoint.train.trainer import PackedTrainer, StepRows

    on_cpu = job.device == "cpu"
    config = SFTConfig(
        output_dir=job.folder,
        max_steps=len(job.steps),
        per_device_train_batch_size=1,
        gradient_accumulation_steps=1,
        learning_rate=job.rate,
        lr_scheduler_type=_scheduler(job),
        warmup_steps=job.warmup_steps,
        weight_decay=0.0,
        max_grad_norm=GRADIENT_NORM,
        optim="adamw_torch_fused",
        bf16=job.dtype == "bfloat16",
        activation_checkpointing=job.settings.gradient_checkpointing,
        seed=job.seed,
        use_cpu=on_cpu,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        dataloader_pin_memory=not on_cpu,
        save_strategy="no",
        logging_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    limit = job.pack_tokens or (PACK_TOKENS if on_cpu else GPU_PACK_TOKENS)
    first = job.rows[0]
    trainer = PackedTrainer(
        job,
        StepRows(job, limit),
        on_progress,
        model=model,
        args=config,
        # The plan is what is trained; TRL wants to see one row of a data set to know its kind.
        train_dataset=Dataset.from_dict(
            {"input_ids": [list(first.input_ids)], "labels": [list(first.labels)]}
        ),
        data_collator=list,
        processing_class=tokenizer,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _scheduler(job: TrainJob) -> str:
    return "constant_with_warmup" if job.schedule == "constant" else job.schedule


def peak_memory_bytes(device: str) -> int:
    """The most this process has held so far: allocated on its GPU, or resident."""
    if device != "cpu":
        import torch

        return int(torch.cuda.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
