"""Training speed against a bare PyTorch loop, as ratios; `make bench` prints them.

    python benchmarks/training.py [--steps 3] [--rounds 5] [--dtype bfloat16] [--threads N]

Two figures on SmolLM2-135M (folder FORKPOINT_REAL, default .real/), both sides with the same
LoRA, rows, dtype and optimizer, in alternating rounds; the first step of a round is not counted:
tokens/s on rows of one length (0.95 or better), and rows/s on rows of mixed length, where the
loop pads each batch (aim 1.3). Each is said by the clock and by processor time: with other work
on the cores only the second is worth reading. `--only masked` gives a third figure, for
rows whose prompts carry no loss, as in most fine-tuning.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from forkpoint.train.fine_tune import fine_tune
from forkpoint.train.job import ApproachSettings, TrainJob, TrainRow

CHECKPOINT = "SmolLM2-135M-Instruct"
RANK, RATE = 8, 1e-4
Clock = tuple[float, float]  # wall seconds, processor seconds


def bare_loop(
    folder: Path, rows: list[TrainRow], steps: list[list[int]], dtype: str
) -> list[Clock]:
    """What one writes by hand: a padded batch, the model's own loss, AdamW; one time a step."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype))
    config = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules="all-linear")
    model = get_peft_model(model, config).train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.0, fused=True)
    times = []
    for step in steps:
        start = (time.perf_counter(), time.process_time())
        batch = [rows[row] for row in step]
        width = max(len(row.input_ids) for row in batch)
        ids, mask, labels = [], [], []
        for row in batch:
            pad = width - len(row.input_ids)
            ids.append(list(row.input_ids) + [0] * pad)
            mask.append([1] * len(row.input_ids) + [0] * pad)
            labels.append(list(row.labels) + [-100] * pad)
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16"):
            loss = model(
                input_ids=torch.tensor(ids),
                attention_mask=torch.tensor(mask),
                labels=torch.tensor(labels),
                use_cache=False,
            ).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return times


def ours(folder: Path, rows: list[TrainRow], steps: list[list[int]], dtype: str) -> list[Clock]:
    """The same steps through `fine_tune`, one time a step."""
    ticks: list[Clock] = []
    with tempfile.TemporaryDirectory() as out:
        fine_tune(
            TrainJob(
                checkpoint=str(folder),
                approach="lora",
                settings=ApproachSettings(rank=RANK, alpha=2 * RANK),
                rows=tuple(rows),
                steps=tuple(tuple(step) for step in steps),
                rate=RATE,
                schedule="constant",
                dtype=dtype,
                folder=out,
            ),
            lambda _: ticks.append((time.perf_counter(), time.process_time())),
        )
    return [(after[0] - before[0], after[1] - before[1]) for before, after in pairwise(ticks)]


def made_rows(lengths: list[int], answer_share: float, seed: int) -> list[TrainRow]:
    """Rows of random tokens, of which the last share carries loss."""
    source = random.Random(seed)
    rows = []
    for length in lengths:
        ids = [source.randrange(100, 40_000) for _ in range(length)]
        cut = round(length * (1 - answer_share))
        rows.append(TrainRow(input_ids=ids, labels=[-100] * cut + ids[cut:]))
    return rows


def rounds(
    folder: Path, rows: list[TrainRow], batch: int, arguments: argparse.Namespace
) -> Iterator[tuple[list[Clock], list[Clock]]]:
    """Alternating rounds of the loop and of ours on the same steps; the first to go alternates."""
    steps = [list(range(s * batch, (s + 1) * batch)) for s in range(arguments.steps)]
    for number in range(arguments.rounds):
        sides = [bare_loop, ours] if number % 2 == 0 else [ours, bare_loop]
        times = {side: side(folder, rows, steps, arguments.dtype) for side in sides}
        yield times[bare_loop][1:], times[ours]


def report(name: str, amount: int, found: list[tuple[list[Clock], list[Clock]]]) -> None:
    """Print both speeds (median round) and the ratio of ours to the loop's."""
    for clock, said in ((0, "clock"), (1, "processor time")):
        loop = [amount / sum(step[clock] for step in bare) for bare, _ in found]
        own = [amount / sum(step[clock] for step in mine) for _, mine in found]
        ratios = sorted(b / a for a, b in zip(loop, own, strict=True))
        print(
            f"{name:<38} by {said:<15} loop {statistics.median(loop):8.1f}  "
            f"forkpoint {statistics.median(own):8.1f}  ratio {statistics.median(ratios):.2f} "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f}, {len(ratios)} rounds)",
            flush=True,
        )


def main() -> None:
    """Measure and print the three ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dtype", choices=["bfloat16", "float32"], default="bfloat16")
    parser.add_argument("--threads", type=int, default=0, help="0: as torch chooses")
    parser.add_argument("--only", default="even,mixed", help="of even, mixed, masked")
    arguments = parser.parse_args()
    folder = Path(os.environ.get("FORKPOINT_REAL", ".real")) / CHECKPOINT
    if not (folder / "config.json").is_file():
        sys.exit(f"{folder} is missing: set FORKPOINT_REAL to the folder of the real checkpoints")
    warnings.filterwarnings("ignore")
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    counted = arguments.steps - 1
    source = random.Random(2)
    lengths = [round(16 * 16 ** source.random()) for _ in range(8 * arguments.steps)]
    kinds = {
        "even": (
            "tokens/s, rows of 128 tokens",
            512,
            4,
            made_rows([128] * 4 * arguments.steps, 1.0, 1),
        ),
        "mixed": ("rows/s, rows of 16 to 256 tokens", 8, 8, made_rows(lengths, 1.0, 3)),
        "masked": ("rows/s, mixed, answers a quarter", 8, 8, made_rows(lengths, 0.25, 3)),
    }
    print(f"{CHECKPOINT}, LoRA rank {RANK}, {arguments.dtype}, {torch.get_num_threads()} threads")
    for kind in arguments.only.split(","):
        name, per_step, batch, rows = kinds[kind]
        report(name, counted * per_step, list(rounds(folder, rows, batch, arguments)))


if __name__ == "__main__":
    main()
