"""Peak resident memory of QLoRA trainings on this machine's CPU, beside LoRA's of the same shape.

    python benchmarks/memory_qlora.py measure --out docs/studies/memory_qlora.csv [FOLDER ...]
    python benchmarks/memory_qlora.py judge docs/studies/memory_qlora.csv

`measure` takes some of the configurations of `memory_cpu.py`, whose LoRA peaks are in
docs/studies/memory_cpu.csv, and trains them with four-bit weights in the same way; each named
checkpoint FOLDER is trained by LoRA and by QLoRA. Rows that are there are not measured twice.
"""

import argparse
import csv
import json
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from memory_cpu import draw, in_child, network, read_table, setup_of

from forkpoint.estimate import read_network
from forkpoint.estimate.memory import estimate_memory
from forkpoint.estimate.setup import Approach
from forkpoint.estimate.stack import OURS_CPU

NUMBERS = (26, 17, 71, 34, 37, 63)  # light LoRA configurations of the draw, 1 to 56 M parameters
BESIDE = Path(__file__).parents[1] / "docs" / "studies" / "memory_cpu.csv"
ROWS, ROW_TOKENS = 4, 128  # of a named checkpoint's training
FIELDS = ("name", "approach", "dtype", "parameters", "tokens", "peak_bytes", "lora_estimate_bytes",
          "seconds", "versions")  # fmt: skip


def drawn() -> list[tuple[str, dict[str, Any], Path | None]]:
    """Configurations of the draw as QLoRA, by name."""
    every = {one["number"]: one for one in draw()}
    return [(f"drawn-{number}", {**every[number], "approach": "qlora"}, None) for number in NUMBERS]


def real(folder: Path) -> list[tuple[str, dict[str, Any], Path | None]]:
    """A checkpoint by both approaches."""
    config = json.loads((folder / "config.json").read_text())
    found = read_network(str(folder)).network
    one = {
        "number": 0, "vocabulary": config["vocab_size"], "row_tokens": ROW_TOKENS, "rows": ROWS,
        "pack_tokens": 512, "trained_share": 1.0, "rank": 16, "checkpointing": False,
        "dtype": "bfloat16", "parameters": found.parameters,
    }  # fmt: skip
    return [(folder.name, {**one, "approach": kind}, folder) for kind in ("lora", "qlora")]


def estimated(one: dict[str, Any], folder: Path | None, approach: Approach = "lora") -> int:
    """What the product predicts for LoRA of this shape."""
    shape = read_network(str(folder)).network if folder else network(one)
    setup = setup_of(one, approach)
    return round(estimate_memory(shape, setup, OURS_CPU).estimated_bytes)


def measure(out: Path, folders: list[Path]) -> None:
    """Measure what is not in the table yet."""
    done = set()
    if out.exists():
        with out.open(newline="") as file:
            done = {(row["name"], row["approach"]) for row in csv.DictReader(file)}
    libraries = ("torch", "transformers", "trl", "peft", "bitsandbytes")
    versions = " ".join(f"{name} {version(name)}" for name in libraries)
    plan = [*(job for folder in folders for job in real(folder)), *drawn()]
    for name, one, source in plan:
        if (name, one["approach"]) in done:
            continue
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            if source is None:
                in_child("build", one, place)
            else:
                for file in source.iterdir():
                    (place / file.name).symlink_to(file.resolve())
            peak = in_child("train", one, place)["peak_bytes"]
        new = not out.exists()
        with out.open("a", newline="") as file:
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow({
                "name": name, "approach": one["approach"], "dtype": one["dtype"],
                "parameters": one["parameters"], "tokens": one["rows"] * one["row_tokens"],
                "peak_bytes": peak, "lora_estimate_bytes": estimated(one, source),
                "seconds": round(time.monotonic() - start, 1), "versions": versions,
            })  # fmt: skip
        print(name, one["approach"], f"{peak / 1e6:.0f} MB", flush=True)


def judge(table: Path) -> dict[str, Any]:
    """QLoRA's peaks over LoRA's measured ones, and over the estimate of LoRA."""
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    lora = {f"drawn-{row['number']}": row["peak_bytes"] for row in read_table(BESIDE)}
    lora |= {row["name"]: int(row["peak_bytes"]) for row in rows if row["approach"] == "lora"}
    peaks = {row["name"]: int(row["peak_bytes"]) for row in rows if row["approach"] == "qlora"}
    ratios = {name: peak / lora[name] for name, peak in peaks.items() if name in lora}
    over = [int(row["peak_bytes"]) / int(row["lora_estimate_bytes"]) - 1
            for row in rows if row["approach"] == "qlora"]  # fmt: skip
    return {
        "n": len(ratios),
        "over_lora": {name: round(ratio, 3) for name, ratio in ratios.items()},
        "median_over_lora": round(float(np.median(list(ratios.values()))), 3),
        "over_estimate_of_lora": [round(one, 3) for one in over],
        "median_abs_error": round(float(np.median(np.abs(over))), 3),
    }


def main() -> None:
    """One of the tasks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    tasks = parser.add_subparsers(dest="task", required=True)
    measuring = tasks.add_parser("measure")
    measuring.add_argument("folders", nargs="*", type=Path)
    measuring.add_argument("--out", type=Path, required=True)
    judging = tasks.add_parser("judge")
    judging.add_argument("table", type=Path)
    found = parser.parse_args()
    if found.task == "measure":
        measure(found.out, found.folders)
    else:
        print(json.dumps(judge(found.table), indent=1))


if __name__ == "__main__":
    main()
