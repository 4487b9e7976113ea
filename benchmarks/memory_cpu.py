"""Peak resident memory of real trainings on this machine's CPU, beside what was predicted.

    python benchmarks/memory_cpu.py measure --out docs/studies/memory_cpu.csv [--limit N]
    python benchmarks/memory_cpu.py judge docs/studies/memory_cpu.csv

`measure` builds small networks with random weights from real families' configs in a temporary
folder, trains each a few steps through `forkpoint.train.fine_tune` in a process of its own, and
writes the peak resident size of that process. It can be stopped and started again: rows that are
there are not measured twice. Configurations come from a seeded draw, so the list is the same each
time; the first `SETTING` set the constants of the estimate, the others judge it.
"""

import argparse
import csv
import json
import multiprocessing
import platform
import random
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from forkpoint.estimate.memory import CPU_LIBRARIES_BYTES, MemoryEstimate, estimate_memory
from forkpoint.estimate.setup import Approach, Setup
from forkpoint.estimate.shapes import network_from_config
from forkpoint.estimate.stack import OURS_CPU
from forkpoint.race.executor import PRELOAD
from forkpoint.train.packing import bins

CONFIGURATIONS = 84
SETTING = 48  # the first so many set constants, the rest is held out
DRAW_SEED = 20
STEPS = 2  # the second step runs with the optimizer's states in place
MOST_PARAMETERS = 90_000_000  # keeps one run within seconds and a few GB
MOST_SECONDS = 600  # for one training
MOST_WORK = 60e9  # parameters x tokens of one step, for the same reason
FIELDS = (
    "number",
    "family",
    "hidden",
    "layers",
    "heads",
    "kv_heads",
    "intermediate",
    "vocabulary",
    "tied",
    "approach",
    "dtype",
    "row_tokens",
    "rows",
    "pack_tokens",
    "trained_share",
    "rank",
    "checkpointing",
    "parameters",
    "trainable",
    "peak_bytes",
    "seconds",
    "machine",
    "versions",
)


def draw() -> list[dict[str, Any]]:
    """The list of configurations, the same each time."""
    dice = random.Random(DRAW_SEED)
    found: list[dict[str, Any]] = []
    while len(found) < CONFIGURATIONS:
        hidden = dice.choice([128, 192, 256, 384, 512, 640, 768])
        one = {
            "family": dice.choice(["llama", "qwen2", "qwen3", "gemma", "mistral"]),
            "hidden": hidden,
            "layers": dice.choice([2, 4, 6, 8, 12, 16]),
            "heads": hidden // 64,
            "kv_heads": 1 if dice.random() < 0.4 or hidden % 128 else hidden // 128,
            "intermediate": hidden * dice.choice([2, 3, 4]),
            "vocabulary": dice.choice([2_048, 8_192, 32_000, 64_000, 100_000]),
            "tied": dice.random() < 0.6,
            "approach": dice.choice(["lora", "full"]),
            "dtype": dice.choice(["float32", "bfloat16"]),
            "row_tokens": dice.choice([64, 128, 256, 512, 1024]),
            "rows": dice.choice([1, 2, 4, 8]),
            "pack_tokens": 512,
            "trained_share": dice.choice([0.25, 0.5, 1.0]),
            "rank": dice.choice([8, 16, 64]),
            "checkpointing": dice.random() < 0.3,
        }
        if one["heads"] % one["kv_heads"]:
            continue
        size = network(one).parameters
        if size > MOST_PARAMETERS or size * one["row_tokens"] * one["rows"] > MOST_WORK:
            continue
        found.append({"number": len(found), **one, "parameters": size})
    return found


def config(one: dict[str, Any]) -> dict[str, Any]:
    """The config.json of a configuration."""
    return {
        "model_type": one["family"],
        "hidden_size": one["hidden"],
        "num_hidden_layers": one["layers"],
        "num_attention_heads": one["heads"],
        "num_key_value_heads": one["kv_heads"],
        "head_dim": 64,
        "intermediate_size": one["intermediate"],
        "vocab_size": one["vocabulary"],
        "tie_word_embeddings": one["tied"],
        "max_position_embeddings": 2048,
        "pad_token_id": 0,
        "bos_token_id": None,
        "eos_token_id": 1,
    }


def network(one: dict[str, Any]) -> Any:
    """The shape that the estimate sees."""
    return network_from_config(config(one))


def build(one: dict[str, Any], folder: Path) -> None:
    """Save the checkpoint with random weights; runs in a process of its own."""
    import torch
    from tokenizers import Tokenizer, models
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

    words = {f"w{number}": number for number in range(one["vocabulary"])}
    plain = Tokenizer(models.WordLevel(words, unk_token="w0"))
    PreTrainedTokenizerFast(tokenizer_object=plain, pad_token="w0", eos_token="w1").save_pretrained(
        str(folder)
    )
    settings = config(one)
    built = AutoConfig.for_model(settings.pop("model_type"), **settings)
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(built, dtype=torch.bfloat16).save_pretrained(str(folder))


def train(one: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Train as the product does; runs in a process of its own and returns its peak."""
    import torch

    from forkpoint.train.fine_tune import fine_tune
    from forkpoint.train.job import ApproachSettings, TrainJob, TrainRow

    torch.set_num_threads(1)
    dice = random.Random(one["number"])
    length, silent = one["row_tokens"], int(one["row_tokens"] * (1 - one["trained_share"]))
    rows = []
    for _ in range(one["rows"]):
        ids = [dice.randrange(2, one["vocabulary"]) for _ in range(length)]
        rows.append(TrainRow(input_ids=tuple(ids), labels=tuple([-100] * silent + ids[silent:])))
    job = TrainJob(
        checkpoint=str(folder),
        approach=one["approach"],
        settings=ApproachSettings(rank=one["rank"], gradient_checkpointing=one["checkpointing"]),
        rows=tuple(rows),
        steps=tuple(tuple(range(len(rows))) for _ in range(STEPS)),
        rate=1e-5,
        dtype=one["dtype"],
        pack_tokens=one["pack_tokens"],
        folder=str(folder / "tuned"),
    )
    result = fine_tune(job)
    return {"peak_bytes": result.peak_memory_bytes, "trainable": result.trainable_parameters}


def in_child(task: str, one: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run `build` or `train` in a process forked off a server that has imported the libraries.

    That is how a race runs its trials; the peak counts the shared pages of the libraries.
    """
    outcome = folder / f"{task}.outcome.json"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOAD))
    process = context.Process(target=work, args=(task, one, folder, outcome))
    process.start()
    process.join(MOST_SECONDS)
    if process.exitcode != 0:
        process.kill()
        raise SystemExit(f"{task} of configuration {one['number']} ended with {process.exitcode}")
    found: dict[str, Any] = json.loads(outcome.read_text())
    return found


def work(task: str, one: dict[str, Any], folder: Path, outcome: Path) -> None:
    """What the child does."""
    found = {"build": build, "train": train}[task](one, folder)
    outcome.write_text(json.dumps(found or {}))


def measure(out: Path, limit: int | None, first: int) -> None:
    """Measure what is not in the table yet."""
    done = set()
    if out.exists():
        with out.open(newline="") as file:
            done = {int(row["number"]) for row in csv.DictReader(file)}
    versions = " ".join(
        f"{name} {version(name)}" for name in ("torch", "transformers", "trl", "peft")
    )
    machine = f"{platform.system()} {platform.machine()}, 1 thread"
    todo = [one for one in draw()[first:] if one["number"] not in done][:limit]
    for one in todo:
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            in_child("build", one, Path(folder))
            found = in_child("train", one, Path(folder))
        new = not out.exists()
        with out.open("a", newline="") as file:
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow(
                {
                    **one,
                    **found,
                    "seconds": round(time.monotonic() - start, 1),
                    "machine": machine,
                    "versions": versions,
                }
            )
        print(
            one["number"],
            one["family"],
            one["approach"],
            f"{found['peak_bytes'] / 1e6:.0f} MB",
            flush=True,
        )


NUMBERS = (
    "number",
    "hidden",
    "layers",
    "heads",
    "kv_heads",
    "intermediate",
    "vocabulary",
    "row_tokens",
    "rows",
    "pack_tokens",
    "rank",
    "parameters",
    "trainable",
    "peak_bytes",
)
LIMITS = [0.4e9 * 1.06**step for step in range(41)]  # bytes, 0.4 to 4.1 GB: memories asked about


def read_table(path: Path) -> list[dict[str, Any]]:
    """The rows of a table that `measure` wrote."""
    with path.open(newline="", encoding="utf-8") as file:
        rows: list[dict[str, Any]] = [dict(row) for row in csv.DictReader(file)]
    for row in rows:
        row |= {name: int(row[name]) for name in NUMBERS}
        row |= {name: row[name] == "True" for name in ("tied", "checkpointing")}
        row["trained_share"] = float(row["trained_share"])
    return rows


def estimated(one: dict[str, Any]) -> MemoryEstimate:
    """What the product predicts for a configuration, before it runs."""
    return estimate_memory(network(one), setup_of(one, one["approach"]), OURS_CPU)


def setup_of(one: dict[str, Any], approach: Approach) -> Setup:
    """A configuration's dials."""
    packs = bins([one["row_tokens"]] * one["rows"], one["pack_tokens"])
    return Setup(
        approach=approach,
        context_tokens=max(len(pack) for pack in packs) * one["row_tokens"],
        rank=one["rank"],
        half=one["dtype"] == "bfloat16",
        checkpointing=one["checkpointing"],
        passes=len(packs),
        trained_share=one["trained_share"],
        answer_batch=0,
    )


def judge(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How far estimates are off, how often the interval holds, how wide it is.

    `fits_wrongly` is the share of (configuration, memory) pairs, over `LIMITS`, in which the
    whole interval fits and the measured peak does not.
    """
    errors, inside, widths, wrong = [], [], [], []
    for row in rows:
        found, peak = estimated(row), row["peak_bytes"]
        errors.append(found.estimated_bytes / peak - 1)
        inside.append(found.low_bytes <= peak <= found.high_bytes)
        widths.append((found.high_bytes - found.low_bytes) / found.estimated_bytes)
        wrong += [found.high_bytes <= limit < peak for limit in LIMITS]
    return {
        "n": len(rows),
        "median_abs_error": round(float(np.median(np.abs(errors))), 4),
        "p90_abs_error": round(float(np.quantile(np.abs(errors), 0.9)), 4),
        "worst_under": round(max(0.0, -min(errors)), 4),
        "inside_interval": round(float(np.mean(inside)), 4),
        "median_width": round(float(np.median(widths)), 4),
        "fits_wrongly": round(float(np.mean(wrong)), 4),
    }


def judge_table(path: Path) -> dict[str, Any]:
    """The rows that set the constants and the rows held out, apart; libraries alone beside them."""
    rows = read_table(path)
    setting = [row for row in rows if row["number"] < SETTING]
    held_out = [row for row in rows if row["number"] >= SETTING]
    flat = float(np.median([row["peak_bytes"] for row in setting]))
    weights = [
        abs((CPU_LIBRARIES_BYTES + 4 * row["parameters"]) / row["peak_bytes"] - 1)
        for row in held_out
    ]
    return {
        "constants_set_on": judge(setting),
        "held_out": judge(held_out),
        "held_out_by_the_median_peak": round(
            float(np.median([abs(flat / row["peak_bytes"] - 1) for row in held_out])), 4
        ),
        "held_out_by_libraries_and_weights": round(float(np.median(weights)), 4),
    }


def main() -> None:
    """One of the tasks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    tasks = parser.add_subparsers(dest="task", required=True)
    measuring = tasks.add_parser("measure")
    measuring.add_argument("--out", type=Path, required=True)
    measuring.add_argument("--limit", type=int)
    measuring.add_argument("--first", type=int, default=0)
    tasks.add_parser("judge").add_argument("table", type=Path)
    options = parser.parse_args()
    if options.task == "measure":
        measure(options.out, options.limit, options.first)
    else:
        print(json.dumps(judge_table(options.table), indent=1))


if __name__ == "__main__":
    main()
