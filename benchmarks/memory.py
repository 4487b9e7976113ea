"""Estimates beside published measurements of fine-tuning memory, and beside rules of thumb.

    python benchmarks/memory.py --rows FILE.csv --configs DIR [--json]

A row says what was trained (shape by its `config` file, method, length, batch, checkpointing) and
what was measured; its `source` and `note` say with which trainer and what was counted. From these
a `Setup` and one of the named stacks follow; no constant belongs to a row, a model or a source.
Errors are fractions, (estimated - measured) / measured.
"""

import argparse
import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from forkpoint.errors import ForkpointError
from forkpoint.estimate.memory import MemoryEstimate, estimate_memory
from forkpoint.estimate.network import Network, Quantisation
from forkpoint.estimate.setup import Setup
from forkpoint.estimate.shapes import network_from_config, read_config
from forkpoint.estimate.stack import DEEPSPEED, LOOP, OURS, PURE_HALF, TRAINER, Stack
from forkpoint.estimate.states import GPTQ_GROUP

UNITS = {"gib": 2**30, "mib": 2**20, "mb": 1e6}  # bytes; anything else means GB, 1e9
Row = dict[str, str]


class NotStatedError(ValueError):
    """A row does not say enough to be estimated."""


def says(row: Row, *words: str) -> bool:
    """Whether the row's method, quantisation, source or note has one of the words."""
    text = " ".join(row.get(key) or "" for key in ("method", "quant", "source", "note")).lower()
    return any(word in text for word in words)


def number(row: Row, key: str) -> float | None:
    """A figure of the row, None where it says nothing."""
    try:
        return float(row.get(key) or "")
    except ValueError:
        return None


def flag(row: Row, key: str) -> bool | None:
    """Yes, no or not stated."""
    text = (row.get(key) or "").strip().lower()
    if text in ("true", "yes", "1", "1.0"):
        return True
    return False if text in ("false", "no", "0", "0.0") else None


def method_words(row: Row) -> str:
    """The method without separators: "Q-LoRA" and "qlora" are one."""
    return re.sub(r"[-_ ]", "", (row.get("method") or "").lower())


def approach_of(row: Row) -> str:
    """Full, adapters, or adapters on weights in few bits."""
    method, bits = method_words(row), number(row, "base_bits")
    if "full" in method:
        return "full"
    few = "qlora" in method or (bits is not None and bits <= 8)
    if "lora" in method or "adapter" in method or "ia3" in method or few:
        return "qlora" if few else "lora"
    raise NotStatedError(f"method {row.get('method')!r}")


def stack_of(row: Row) -> Stack:
    """Which trainer's habits the row's source and method imply."""
    counts = "allocated" if says(row, "allocated") else None
    counts = "reserved" if says(row, "reserved") else counts
    if says(row, "litgpt", "torchtune"):
        stack = PURE_HALF
    elif says(row, "method_comparison"):
        stack = LOOP
    elif says(row, "unsloth", "liger", "fused head", "chunked"):
        stack = OURS
    elif approach_of(row) == "full" or says(row, "zero", "deepspeed", "gptq int4 base"):
        # Full training in 16 bits needs 32-bit masters; the GPTQ runs are started by DeepSpeed.
        half = approach_of(row) != "lora" or says(row, "zero2", "zero3", "zero-", "zero ")
        stack = DEEPSPEED if half else TRAINER
    else:
        stack = TRAINER
    return stack.model_copy(update={"counts": counts}) if counts else stack


def length_of(row: Row) -> int:
    """Tokens of the longest row, from its column or from the note's list by model."""
    if (stated := number(row, "seq_len")) is not None:
        return int(stated)
    plain = re.sub(r"[^a-z0-9]", "", (row.get("model") or "").lower())
    for name, tokens in re.findall(r"([A-Za-z][\w.]*) (\d{3,5})\b", row.get("note") or ""):
        if re.sub(r"[^a-z0-9]", "", name.lower()) in plain:
            return int(tokens)
    raise NotStatedError("length")


def setup_of(row: Row, stack: Stack, quantised: bool) -> Setup:
    """The dials that the row states; what it leaves open has the product's own default."""
    approach, devices = approach_of(row), int(number(row, "gpus") or 1)
    method, targets = method_words(row), (row.get("lora_targets") or "").lower()
    sharding = next((one for one in ("zero1", "zero2", "zero3", "fsdp") if one in method), "none")
    if sharding == "none" and approach == "full" and devices > 1:
        sharding = "zero3"  # nothing else fits, and both LitGPT and Qwen's scripts do so
    checkpointed = flag(row, "grad_ckpt")
    batches = re.search(r"generation-eval batches of (\d+)", row.get("note") or "")
    linear = not targets or "all" in targets or any(w in targets for w in ("gate", "up", "w1"))
    return Setup(
        approach="lora" if quantised else approach,  # the files are quantised already
        context_tokens=length_of(row),
        batch=int(number(row, "micro_batch") or 1),
        rank=int(number(row, "lora_r") or 16),
        targets="all-linear" if linear else "attention" if "o_" in targets else "query-value",
        train_embeddings="(emb)" in method or "embed" in targets,
        trainable_parameters=int(number(row, "trainable") or 0) or None,
        bits=8 if number(row, "base_bits") == 8 else 4,
        double_quantised=says(row, "-dq", "double"),
        optimizer="adamw-8bit" if says(row, "8bit adam", "adamw_8bit", "8-bit adam") else "adamw",
        checkpointing=stack is not PURE_HALF if checkpointed is None else checkpointed,
        attention="eager" if flag(row, "flash_attn") is False else "flash",
        passes=2 if (number(row, "grad_accum") or 0) > 1 or says(row, "grad_accum") else 1,
        devices=devices,
        sharding=sharding,
        offload="all" if "offload" in method else "none",
        answer_batch=int(batches[1]) if batches else 0,
    )


def network_of(row: Row, configs: Path) -> Network:
    """The row's network, its linear layers in GPTQ's 4 bits where the row says so."""
    name = (row.get("config") or "").strip()
    if not name:
        raise NotStatedError("config")
    network = network_from_config(read_config(configs / name), name)
    files = row.get("quant") or ""
    few = approach_of(row) == "qlora"
    if few and (says(row, "gptq") or "awq" in files.lower()) and network.quantisation is None:
        gptq = Quantisation(method="gptq", bits=4, group=GPTQ_GROUP)
        network = network.model_copy(update={"quantisation": gptq})
    return network


def estimate_row(row: Row, configs: Path) -> tuple[MemoryEstimate, float]:
    """The estimate of one device, and how many devices the row's figure counts together."""
    network = network_of(row, configs)
    stack = stack_of(row)
    setup = setup_of(row, stack, network.quantisation is not None)
    total = says(row, "total over") and setup.devices > 1
    return estimate_memory(network, setup, stack), setup.devices if total else 1


LLAMA_FACTORY = {  # GB by billions of parameters [LLaMA-Factory README, hardware requirement]
    "full": {7: 120, 14: 240, 30: 600, 70: 1200},
    "lora": {7: 16, 14: 32, 30: 64, 70: 160},
    "qlora": {7: 6, 14: 12, 30: 24, 70: 48},
}
UNSLOTH = {  # GB by billions of parameters [Unsloth documentation, absolute minimum]
    "lora": {3: 8, 7: 19, 8: 22, 9: 24, 11: 29, 14: 33, 27: 64, 32: 76, 40: 96, 70: 164, 81: 192},
    "qlora": {3: 3.5, 7: 5, 8: 6, 9: 6.5, 11: 7.5, 14: 8.5, 27: 22, 32: 26, 40: 30, 70: 41, 81: 48},
}
WEIGHTS_TIMES = {  # GB for a billion parameters: 16 bytes full, weights and a fifth for adapters
    "full": 16.0,
    "lora": 2 * 1.2,
    "qlora": 0.5 * 1.2,
}


def thumb(rule: str, row: Row, configs: Path) -> float | None:
    """What a rule of thumb says, in GB; between and beyond a table's sizes in proportion."""
    approach = approach_of(row)
    size = network_of(row, configs).parameters / 1e9
    if rule == "weights x factor":
        return WEIGHTS_TIMES[approach] * size
    table = {"LLaMA-Factory": LLAMA_FACTORY, "Unsloth": UNSLOTH}[rule].get(approach)
    if table is None:
        return None
    sizes = sorted(table)
    if size <= sizes[0]:
        return table[sizes[0]] * size / sizes[0]
    if size >= sizes[-1]:
        return table[sizes[-1]] * size / sizes[-1]
    return float(np.interp(size, sizes, [table[one] for one in sizes]))


def judge(errors: list[float], asked: int) -> dict[str, Any]:
    """n, answered, median and 90th percentile of absolute errors; unanswered counts as 1.0."""
    every = np.abs([*errors, *[1.0] * (asked - len(errors))])
    return {
        "n": asked,
        "n_answered": len(errors),
        "median_abs_error": round(float(np.median(every)), 4) if asked else None,
        "p90_abs_error": round(float(np.quantile(every, 0.9)), 4) if asked else None,
        "worst_under": round(max(0.0, -min(errors)), 4) if errors else 0.0,
    }


def run(rows: list[Row], configs: Path) -> dict[str, Any]:
    """Every row with its estimate, and the summaries."""
    answered: list[dict[str, Any]] = []
    rules: dict[str, list[float]] = {"LLaMA-Factory": [], "Unsloth": [], "weights x factor": []}
    for row in rows:
        out: dict[str, Any] = {
            **row,
            "estimated_gb": None,
            "low_gb": None,
            "high_gb": None,
            "error": None,
            "reason": None,
        }
        answered.append(out)
        measured = number(row, "vram_total")
        try:
            memory, devices = estimate_row(row, configs)
        except (NotStatedError, ForkpointError, ValueError) as error:
            out["reason"] = str(error).splitlines()[0]
            continue
        unit = UNITS.get((row.get("unit") or "").lower(), 1e9)
        for key in ("estimated", "low", "high"):
            size = getattr(memory, f"{key}_bytes") * devices / unit
            out[f"{key}_gb"] = round(size, 3)
        out["stack"], out["peak"] = memory.stack, memory.peak
        if measured:
            out["error"] = round(out["estimated_gb"] / measured - 1, 4)
            if row.get("core") == "yes":
                for rule, errors in rules.items():
                    said = thumb(rule, row, configs)
                    if said is not None:
                        errors.append(said * 1e9 / unit / measured - 1)
    core = [out for out in answered if out.get("core") == "yes"]
    return {"rows": answered, "summary": summary(answered, core, rules)}


def summary(
    rows: list[dict[str, Any]], core: list[dict[str, Any]], rules: dict[str, list[float]]
) -> dict[str, Any]:
    """Core rows, all measured rows by source, and the rules of thumb on the core rows."""
    by_source = {}
    for source in dict.fromkeys(str(out["source"]) for out in rows):
        asked = [
            out
            for out in rows
            if out["source"] == source
            and out["kind"] == "measured"
            and number(out, "vram_total")
            and out.get("config")
        ]
        if asked:
            by_source[source] = judge(
                [o["error"] for o in asked if o["error"] is not None], len(asked)
            )
    inside = [
        out["low_gb"] <= float(out["vram_total"]) <= out["high_gb"]
        for out in core
        if out["error"] is not None
    ]
    widths = [
        (out["high_gb"] - out["low_gb"]) / out["estimated_gb"]
        for out in core
        if out["error"] is not None
    ]
    return {
        "core": {
            **judge([out["error"] for out in core if out["error"] is not None], len(core)),
            "inside_interval": round(float(np.mean(inside)), 4) if inside else None,
            "median_width": round(float(np.median(widths)), 4) if widths else None,
        },
        "by_source": by_source,
        "rules_of_thumb": {rule: judge(errors, len(core)) for rule, errors in rules.items()},
    }


def main(argv: list[str] | None = None) -> None:
    """Print the table, or all of it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--configs", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    with options.rows.open(newline="", encoding="utf-8") as file:
        result = run(list(csv.DictReader(file)), options.configs)
    if options.json:
        json.dump(result, sys.stdout, ensure_ascii=False)
        print()
        return
    for out in result["rows"]:
        if out["error"] is not None:
            print(
                f"{out['source'][:24]:24} {out['model'][-24:]:24} {out['method'][-28:]:28} "
                f"{out['seq_len'] or '-':>7} measured {float(out['vram_total']):7.2f} estimated "
                f"{out['estimated_gb']:7.2f} [{out['low_gb']:.2f} - {out['high_gb']:.2f}] "
                f"{out['error']:+.1%} {out['peak']}"
            )
    print(json.dumps(result["summary"], indent=1))


if __name__ == "__main__":
    main()
