"""Merge an adapter into its checkpoint, and prove that the result says the same."""

import shutil
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forkpoint.errors import BadInput
from forkpoint.models.ends import align_ends
from forkpoint.models.generation import generate
from forkpoint.models.rendering import Rendered
from forkpoint.models.weights import Dtype, load_model, load_tokenizer
from forkpoint.record import Record

MAX_MEAN_KL = 1e-3  # nats a token; bfloat16 rounding of a small model costs about 1e-5
MIN_TOP1 = 0.99  # share of places where both find the same token most likely
MIN_SAME_TEXT = 0.95  # share of greedy answers that are the same text: rounding may tip a near tie
KEPT_LOGITS = 64_000_000  # floats of the adapter's logits kept for comparison: 256 MB
TIMED_PAIRS = 9  # answers timed with the adapter and merged, in turn
TIMED_TOKENS = 24  # generated in each of them
WORKING_COPIES = 2.5  # copies of the weights that timing both needs, with room to work in
ROWS_COMPARED = 32


class Proof(Record):
    """How a merged checkpoint, read back from disk, compares with checkpoint and adapter."""

    dtype: str  # in which it was written
    rows: int
    places: int  # token places compared
    mean_kl: float  # nats, of the adapter's distribution from the merged one
    max_kl: float
    top1: float  # share of places with the same most likely token
    same_text: float  # share of rows with the same greedy answer
    same_shapes: bool  # the very tensors of the checkpoint: the same work for every token
    seconds_ratio: float | None  # adapter over merged, median; None: not enough memory for both
    seconds_low: float | None = None  # 95 % interval of the median over the timed pairs
    seconds_high: float | None = None
    timed: int = 0

    @property
    def holds(self) -> bool:
        """Whether the merged checkpoint may stand for the adapter."""
        return (
            self.mean_kl <= MAX_MEAN_KL
            and self.top1 >= MIN_TOP1
            and self.same_text >= MIN_SAME_TEXT
            and self.same_shapes
        )


@dataclass(frozen=True)
class MergeJob:
    """What is merged, and the rows on which it is compared."""

    checkpoint: str
    adapter: Path  # the trained weights
    whole: bool  # they are a whole model, not an adapter
    target: Path  # must not exist yet
    rows: Sequence[Rendered]
    stop_ids: tuple[int, ...]
    end_ids: tuple[int, ...]
    max_new_tokens: int
    chat_template: str | None = None  # written in place of the checkpoint's own


@dataclass(frozen=True)
class _Spoken:
    """What a model says to the rows of a job."""

    logprobs_R_K_V: list[Any]  # of the answer and its end, for as many rows as fit
    texts: list[str]


def merge(job: MergeJob) -> Proof:
    """Write checkpoint plus adapter as one checkpoint, if it verifies; else raise BadInput.

    Weights are merged in float32 and written in the checkpoint's own type, or in float32 where
    rounding to that type changes too much. Nothing is left in the target unless it verifies.
    """
    if job.target.exists() and any(job.target.iterdir()):
        raise BadInput("merge.target_not_empty", folder=job.target)
    job.target.parent.mkdir(parents=True, exist_ok=True)
    tuned = _with_adapter(job)
    tokenizer = load_tokenizer(job.checkpoint)
    spoken = _spoken(tuned, tokenizer, job)
    shapes = _shapes(load_model(job.checkpoint))
    merged = tuned if job.whole else tuned.merge_and_unload(safe_merge=True)
    for dtype in dict.fromkeys((_own_dtype(job.checkpoint), "float32")):
        proof = _tried(merged, job, spoken, shapes, dtype)
        if proof.holds:
            return proof
    raise BadInput(
        "merge.does_not_verify", kl=f"{proof.mean_kl:.2g}", top1=f"{proof.top1:.1%}",
        same=f"{proof.same_text:.1%}", kl_limit=f"{MAX_MEAN_KL:g}", top1_limit=f"{MIN_TOP1:.0%}",
        same_limit=f"{MIN_SAME_TEXT:.0%}",
    )  # fmt: skip


def _tried(
    merged: Any, job: MergeJob, spoken: _Spoken, shapes: dict[str, tuple[int, ...]], dtype: Dtype
) -> Proof:
    """Write to a folder beside the target, prove, and move it there if the proof holds."""
    part = job.target.with_name(f".{job.target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        _write(merged, job, part, dtype)
        proof = _prove(job, part, spoken, shapes, dtype)
        if proof.holds:
            proof = _timed(job, part, proof)
            if job.target.exists():
                job.target.rmdir()
            part.rename(job.target)
        return proof
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _with_adapter(job: MergeJob) -> Any:
    """The tuned model as it was trained: checkpoint and adapter, or all its own weights."""
    if job.whole:
        return load_model(job.adapter)
    from peft import PeftModel

    base = load_model(job.checkpoint, dtype="float32")
    return PeftModel.from_pretrained(base, str(job.adapter), local_files_only=True).eval()


def _own_dtype(checkpoint: str) -> Dtype:
    """The type that most of the checkpoint's weights are stored in."""
    from safetensors import safe_open

    sizes: dict[str, int] = {}
    for path in Path(checkpoint).glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - not a dictionary
                piece = file.get_slice(name)
                count = 1
                for length in piece.get_shape():
                    count *= length
                sizes[piece.get_dtype()] = sizes.get(piece.get_dtype(), 0) + count
    most = max(sizes, key=lambda kind: sizes[kind], default="F32")
    return "bfloat16" if most in ("BF16", "F16") else "float32"


def _write(merged: Any, job: MergeJob, folder: Path, dtype: Dtype) -> None:
    import copy

    import torch

    kind = getattr(torch, dtype)
    tokenizer = load_tokenizer(job.checkpoint)
    if job.chat_template is not None:
        tokenizer.chat_template = job.chat_template
    if job.stop_ids:
        align_ends(merged, tokenizer, job.stop_ids, job.end_ids)
    written = merged if kind == torch.float32 else copy.deepcopy(merged).to(kind)
    written.save_pretrained(str(folder), safe_serialization=True)
    tokenizer.save_pretrained(str(folder))


def _prove(
    job: MergeJob, folder: Path, spoken: _Spoken, shapes: dict[str, tuple[int, ...]], dtype: str
) -> Proof:
    """Read the written checkpoint back and set it beside what the adapter said."""
    model = load_model(folder)
    same_shapes = _shapes(model) == shapes
    said = _spoken(model, load_tokenizer(job.checkpoint), job)
    kl_sum = kl_max = 0.0
    hits = places = 0
    for theirs_K_V, ours_K_V in zip(spoken.logprobs_R_K_V, said.logprobs_R_K_V, strict=True):
        kl_K = (theirs_K_V.exp() * (theirs_K_V - ours_K_V)).sum(-1)
        kl_sum += float(kl_K.sum())
        kl_max = max(kl_max, float(kl_K.max()))
        hits += int((theirs_K_V.argmax(-1) == ours_K_V.argmax(-1)).sum())
        places += len(kl_K)
    same = sum(a == b for a, b in zip(spoken.texts, said.texts, strict=True))
    return Proof(
        dtype=dtype,
        rows=len(job.rows),
        places=places,
        mean_kl=max(0.0, kl_sum / max(places, 1)),
        max_kl=max(0.0, kl_max),
        top1=hits / max(places, 1),
        same_text=same / max(len(job.rows), 1),
        same_shapes=same_shapes,
        seconds_ratio=None,
    )


def _spoken(model: Any, tokenizer: Any, job: MergeJob) -> _Spoken:
    """Log-probabilities over the expected answers, and the greedy answers."""
    import torch

    vocabulary = model.config.get_text_config().vocab_size
    kept: list[Any] = []
    room = KEPT_LOGITS
    with torch.inference_mode():
        for row in job.rows:
            ids = torch.tensor([row.input_ids], device=model.device)
            count = len(row.input_ids) - len(row.prompt_ids)
            room -= count * vocabulary
            if kept and room < 0:
                break
            logits_K_V = model(input_ids=ids, logits_to_keep=count + 1).logits[0, :-1]
            kept.append(torch.log_softmax(logits_K_V.float(), dim=-1))
    prompts = [row.prompt_ids for row in job.rows]
    answers = generate(model, tokenizer, prompts, job.end_ids, job.max_new_tokens)
    return _Spoken(kept, [answer.text for answer in answers])


def _shapes(model: Any) -> dict[str, tuple[int, ...]]:
    return {name: tuple(weight.shape) for name, weight in model.named_parameters()}


def _timed(job: MergeJob, folder: Path, proof: Proof) -> Proof:
    """The proof with the time of an answer through the adapter over that of the merged model."""
    import psutil

    if job.whole:
        return proof  # there is no adapter to be slower
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    full_bytes = size * (2 if proof.dtype != "float32" else 1)
    if psutil.virtual_memory().available < WORKING_COPIES * full_bytes:
        return proof
    models = (_with_adapter(job), load_model(folder))
    prompt = job.rows[0].prompt_ids
    for model in models:
        _seconds(model, prompt)  # the first pass of a process is slow
    ratios = sorted(
        _seconds(models[0], prompt) / _seconds(models[1], prompt) for _ in range(TIMED_PAIRS)
    )
    # The second and the eighth of nine hold the median with 96 % [order statistics].
    return proof.model_copy(
        update={
            "seconds_ratio": statistics.median(ratios),
            "seconds_low": ratios[1],
            "seconds_high": ratios[-2],
            "timed": len(ratios),
        }
    )


def _seconds(model: Any, prompt: tuple[int, ...]) -> float:
    """Time of one answer of a fixed length, which no end token cuts short."""
    begin = time.perf_counter()
    generate(model, _Silent(), [prompt], (), TIMED_TOKENS)
    return time.perf_counter() - begin


class _Silent:
    """A tokenizer for answers that nobody reads."""

    def decode(self, ids: Sequence[int], **_: Any) -> str:
        """Nothing."""
        return ""
