"""Fine-tune one checkpoint as a job says."""

import ctypes
import gc
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forkpoint.errors import BadInput, Diverged
from forkpoint.models.weights import generation_end_ids, load_tokenizer
from forkpoint.train.approach import approach
from forkpoint.train.job import (
    GPU_PACK_TOKENS,
    GRADIENT_NORM,
    PACK_TOKENS,
    OnProgress,
    TrainJob,
    TrainProgress,
    TrainResult,
)
from forkpoint.train.packing import trained_tokens
from forkpoint.train.resume import Keeper, Passed, forget, passed, read_kept
from forkpoint.train.spread import ranks, spread, take_over
from forkpoint.train.stage import Stage, StartStage

RESULT_FILE = "train.json"


def fine_tune(job: TrainJob, on_progress: OnProgress | None = None) -> TrainResult:
    """Train as the job says and save the result in its folder; the network is let go of.

    Raises Diverged when the loss is no longer a number, BadInput for rows that cannot be trained.
    """
    gc.freeze()  # the trainer collects garbage as it starts: a third of a second over all imports
    try:
        return _train(job, on_progress)
    except Diverged:
        forget(job)  # from there it would diverge again
        raise
    finally:
        gc.collect()  # trainer and network hold each other
        gc.unfreeze()
        _return_memory()


def _train(job: TrainJob, on_progress: OnProgress | None) -> TrainResult:
    begin = time.monotonic()
    _check(job)
    kind = approach(job.approach)
    from transformers import set_seed

    set_seed(job.seed)
    shared = job.sharding != "none"
    source = job.model_copy(update={"device": "cpu"}) if shared else job  # a part goes to each GPU
    model = kind.load(source)
    end_ids = sorted({*generation_end_ids(model), *job.end_ids})
    tokenizer = load_tokenizer(job.checkpoint)
    model = kind.prepare(model, job.settings)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    if shared:
        model = spread(model, job)
    kept = read_kept(job)
    before = kept.seconds if kept else 0.0
    loop = time.monotonic() - before
    stages = list(kept.stages[:-1]) if kept else []
    for start in _stages(job)[len(stages) :]:
        onward = _onward(job, _passed(stages, loop), on_progress)
        stage = start(job, model, tokenizer, onward)
        if kept and len(stages) == len(kept.stages) - 1:
            stage.take_up(kept)
        stage.keep_with(Keeper(job, tuple(stages), time.monotonic() - loop))
        model = _run(stage)
        stages.append(passed(stage))
    seconds = time.monotonic() - loop
    forget(job)
    folder = Path(job.folder)
    folder.mkdir(parents=True, exist_ok=True)
    if shared:
        set_seed(job.seed)
        parts, model = model, kind.prepare(kind.load(source), job.settings)
        take_over(model, parts, job)
    model.generation_config.eos_token_id = end_ids or None
    if ranks(job)[0] == 0:
        kind.save(model, source)
    last = stages[-1]
    result = TrainResult(
        folder=str(folder),
        steps=sum(len(stage.losses) for stage in stages),
        rows=sum(len(step) for step in (*job.text_steps, *job.steps, *job.pair_steps)),
        tokens=sum(stage.tokens_seen for stage in stages),
        trained_tokens=sum(stage.tokens_trained for stage in stages),
        losses=tuple(loss for stage in stages for loss in stage.losses),
        gradient_norms=tuple(norm for stage in stages for norm in stage.gradient_norms),
        seconds=seconds,
        total_seconds=time.monotonic() - begin + before,
        trainable_parameters=trainable,
        peak_memory_bytes=peak_memory_bytes(job.device),
        resumed_at=sum(len(stage.losses) for stage in kept.stages) if kept else 0,
        resumed_seconds=before,
        margins=last.margins if job.pair_steps else (),
    )
    if ranks(job)[0] == 0:
        (folder / RESULT_FILE).write_text(result.to_json(), encoding="utf-8")
    return result


def _stages(job: TrainJob) -> list[StartStage]:
    """What is trained one after the other: raw text, rows, pairs, as far as the job has them."""
    stages: list[StartStage] = []
    if job.text_steps:
        stages.append(_text_trainer)
    stages.append(_trainer)
    if job.pair_steps:
        stages.append(_pair_trainer)
    return stages


def _run(stage: Stage) -> Any:
    """Train one stage to its end; the model it leaves."""
    stage.started = time.monotonic()
    stage.train()
    stage.optimizer = stage.lr_scheduler = None  # its states are needed neither on nor to save
    stage.accelerator.free_memory()
    stage.model.zero_grad(set_to_none=True)
    # Off with the wrapper that casts outputs: a copy of the model would call the original's.
    return stage.accelerator.unwrap_model(stage.model, keep_fp32_wrapper=False)


def _passed(stages: Sequence[Passed], begin: float) -> TrainProgress:
    """How far the stages before the next one came."""
    return TrainProgress(
        step=sum(len(stage.losses) for stage in stages),
        steps=0,
        tokens=sum(stage.tokens_seen for stage in stages),
        loss=0.0,
        seconds=time.monotonic() - begin,
    )


def _onward(
    job: TrainJob, passed: TrainProgress, on_progress: OnProgress | None
) -> OnProgress | None:
    """Progress of a stage, told as progress of the whole job."""
    if on_progress is None:
        return None
    steps = len(job.text_steps) + len(job.steps) + len(job.pair_steps)

    def tell(note: TrainProgress) -> None:
        on_progress(
            TrainProgress(
                step=passed.step + note.step,
                steps=steps,
                tokens=passed.tokens + note.tokens,
                loss=note.loss,
                seconds=passed.seconds + note.seconds,
            )
        )

    return tell


def _text_trainer(
    job: TrainJob, model: Any, tokenizer: Any, on_progress: OnProgress | None
) -> Stage:
    """The stage of raw text: the same dials, its own schedule from the start."""
    warmup = round(job.warmup_steps * len(job.text_steps) / len(job.steps))
    text = job.model_copy(
        update={"steps": job.text_steps, "text_steps": (), "warmup_steps": max(1, warmup)}
    )
    return _trainer(text, model, tokenizer, on_progress)


def _pair_trainer(
    job: TrainJob, model: Any, tokenizer: Any, on_progress: OnProgress | None
) -> Stage:
    """The stage of preferences, measured from what the stages before it came to."""
    from forkpoint.train.preference import pair_trainer

    stage: Stage = pair_trainer(job, model, tokenizer, on_progress)
    return stage


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
    for number, step in enumerate((*job.text_steps, *job.steps), start=1):
        if not any(learns[row] for row in step):
            raise BadInput("train.nothing_to_learn", step=number)


def _trainer(job: TrainJob, model: Any, tokenizer: Any, on_progress: OnProgress | None) -> Stage:
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
    _keep_adapters_whole(model)
    return trainer


def _keep_adapters_whole(model: Any) -> None:
    """TRL rounds adapters on quantised weights to bfloat16, in which a small update is lost."""
    if getattr(model, "is_loaded_in_4bit", False):
        for weight in model.parameters():
            if weight.requires_grad:
                weight.data = weight.data.float()


def _scheduler(job: TrainJob) -> str:
    return "constant_with_warmup" if job.schedule == "constant" else job.schedule


def peak_memory_bytes(device: str) -> int:
    """The most this process has held so far: allocated on its GPU, or resident."""
    if device != "cpu":
        import torch

        return int(torch.cuda.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
