"""A bank of real curves: the pocket family on many settings, every rung scored; resumes.

    python benchmarks/bank.py --out runs/bank.jsonl             # trains what is missing
    python benchmarks/bank.py --out runs/bank.jsonl --show      # what is there
    python benchmarks/bank.py --out runs/bank.jsonl --pack docs/studies/bank.jsonl

One line is one arm of one setting with one seed: fresh and continued scores at every rung on 200
validation rows, the full fresh run on 1,000 test rows, tokens and processor seconds. Lines are only
ever appended; whatever was interrupted is trained again from its beginning, and a line is written
when it is whole. Settings come out one after the other, seeds interleaved, so that a bank that is
not finished can be used. `--jobs 1/2` and `--jobs 2/2` share the work between two processes.
"""

import argparse
import base64
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the recipes stand beside
STAGES = ("base", "instruct", "chat")
APPROACHES = ("lora", "full")
UNTRAINED = "untrained"
OPENING = "opening"
SEEDS = 5
FORMAT = 1  # of a line
Key = tuple[str, str, int]  # setting, arm, seed
PACKAGES = ("torch", "transformers", "peft", "numpy")


def planned() -> Iterator[Key]:
    """Every line the bank should have, in the order of training."""
    from bank_tasks import SETTINGS

    for setting in SETTINGS:
        for stage in STAGES:
            yield setting.name, f"{stage}.{UNTRAINED}", 0
        for seed in range(SEEDS):
            for approach in APPROACHES:
                for stage in STAGES:
                    yield setting.name, f"{stage}.{approach}", seed


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a bank; a torn last one is left out."""
    if not path.exists():
        return []
    found: dict[Any, dict[str, Any]] = {}
    for text in path.read_text(encoding="utf-8").split("\n"):
        if not text.endswith("}"):
            continue
        line = json.loads(text)
        key = key_of(line) if "cells" in line else None
        if key is None or key not in found:
            found[key or len(found)] = line
            continue
        new = {cell["kind"] for cell in line["cells"]}  # its opening, or all of it once more
        kept = [cell for cell in found[key]["cells"] if cell["kind"] not in new]
        found[key]["cells"] = kept + line["cells"]
    return list(found.values())


def opened(line: dict[str, Any]) -> bool:
    """Whether a line has all it should: of a trained arm its opening too."""
    kinds = {cell["kind"] for cell in line["cells"]}
    return bool(kinds & {OPENING, UNTRAINED})


def key_of(line: dict[str, Any]) -> Key:
    """What a line is about."""
    return line["setting"], line["arm"], line["seed"]


def packed_bits(right: Sequence[bool]) -> str:
    """Yes and no by row as text; `unpacked` reads it."""
    return base64.b85encode(np.packbits(np.array(right, dtype=bool)).tobytes()).decode()


def unpacked(text: str, rows: int) -> np.ndarray:
    """Right (True) or not, row by row."""
    packed = np.frombuffer(base64.b85decode(text), dtype=np.uint8)
    return np.unpackbits(packed)[:rows].astype(bool)


class Trainer:
    """What a process keeps between lines: rows and tokens of the setting at hand."""

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(1)

    def line(self, key: Key, only_opening: bool) -> dict[str, Any]:
        """Train and score one arm with one seed; a line without its opening gets that alone."""
        from bank_tasks import SETTINGS, rows_of
        from bank_training import checkpoint, rungs_of, scored, train_curves, train_opening

        from forkpoint.train.job import TrainRow

        name, arm, seed = key
        setting = next(one for one in SETTINGS if one.name == name)
        stage, approach = arm.split(".")
        start = checkpoint(f"pocket-{stage}")
        pairs = rows_of(setting)
        told = [start.rendered(pair) for pair in pairs.train]
        rows = [TrainRow(input_ids=row.input_ids, labels=row.labels) for row in told]
        rungs = rungs_of(setting.rows, setting.passes, setting.rows_per_step)
        cells: list[dict[str, Any]] = []

        def look(model: Any, these: Sequence[tuple[str, str]]) -> dict[str, Any]:
            said = scored(start, model, these)
            per_byte = np.array(said.bits) / np.array(said.bytes)
            return {
                "n": len(these),
                "right": packed_bits(said.right),
                "score": round(float(np.mean(said.right)), 4),
                "bits_per_byte": round(sum(said.bits) / sum(said.bytes), 4),
                "bits_se": round(float(per_byte.std(ddof=1) / len(these) ** 0.5), 4),
                "seconds": round(said.seconds, 2),
            }

        def report(kind: str, rung: int, run: Any, seconds: float, tested: bool) -> None:
            cell: dict[str, Any] = {
                "kind": kind,
                "rung": rung,
                "steps": rungs[rung].steps,
                "tokens": run.tokens,
                "steps_run": len(run.losses),
                "seconds": round(seconds, 2),
                "loss": round(float(np.mean(run.losses[-5:])), 4),
                "validation": look(run.model, pairs.validation),
            }
            if tested:
                cell["test"] = look(run.model, pairs.test)
            cells.append(cell)

        if approach == UNTRAINED:
            cells.append({"kind": UNTRAINED, "validation": look(start.model, pairs.validation)})
        else:
            size = setting.rows_per_step
            train_opening(start, approach, rows, rungs[0], size, seed, report)
            if not only_opening:
                train_curves(start, approach, rows, rungs[1:], size, seed, report)
        return {
            "format": FORMAT, "setting": name, "task": setting.task.__name__, "rows": setting.rows,
            "arm": arm, "seed": seed, "cells": cells,
            "versions": versions(),
        }  # fmt: skip


def versions() -> dict[str, str]:
    """What the figures depend on."""
    found = {name: version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **found}


def run(path: Path, share: str, wanted: Sequence[str]) -> None:
    """Append the lines that are missing, those of this process's share."""
    part, of = (int(piece) for piece in share.split("/"))
    path.parent.mkdir(parents=True, exist_ok=True)
    trainer = Trainer()
    for number, key in enumerate(planned()):
        if number % of != part - 1 or (wanted and key[0] not in wanted):
            continue
        there = next(
            (line for line in lines_of(path) if "cells" in line and key_of(line) == key), None
        )
        if there and opened(there):
            continue
        text = json.dumps(trainer.line(key, only_opening=bool(there)), separators=(",", ":"))
        torn = path.exists() and not path.read_bytes().endswith(b"\n")
        with path.open("a", encoding="utf-8") as file:
            file.write("\n" * torn + text + "\n")
            file.flush()
            os.fsync(file.fileno())
        print(*key, flush=True)


def pack(path: Path, target: Path) -> None:
    """One copy of each line, in the planned order, the versions of all said once."""
    lines = {key_of(line): line for line in lines_of(path)}
    head = {
        "format": FORMAT,
        "versions": sorted({json.dumps(x["versions"]) for x in lines.values()}),
    }
    with target.open("w", encoding="utf-8") as file:
        file.write(json.dumps(head) + "\n")
        for key in planned():
            if key in lines:
                line = {name: value for name, value in lines[key].items() if name != "versions"}
                file.write(json.dumps(line, separators=(",", ":")) + "\n")


def show(path: Path) -> None:
    """Mean test score over seeds of every arm, by setting, and what it cost."""
    lines = lines_of(path)
    for name in dict.fromkeys(line["setting"] for line in lines if "setting" in line):
        print(name)
        mine = [line for line in lines if line.get("setting") == name]
        for arm in dict.fromkeys(line["arm"] for line in mine):
            own = [line for line in mine if line["arm"] == arm]
            if arm.endswith(UNTRAINED):
                score = own[0]["cells"][0]["validation"]["score"]
                print(f"  {arm:14} validation {score:.3f}")
                continue
            test = [c["test"]["score"] for line in own for c in line["cells"] if "test" in c]
            spread = np.std(test, ddof=1) if len(test) > 1 else float("nan")
            print(f"  {arm:14} n={len(own)}  test {np.mean(test):.3f} (SD over seeds {spread:.3f})")
            for kind in ("fresh", "continued"):
                cells = [[c for c in line["cells"] if c["kind"] == kind] for line in own]
                curve = np.mean([[c["validation"]["score"] for c in row] for row in cells], axis=0)
                tokens = np.mean([row[-1]["tokens"] for row in cells]) / 1e3
                told = " ".join(f"{value:.2f}" for value in curve)
                print(f"    {kind:9} validation {told}  {tokens:.0f}k tokens")
    seconds = sum(
        cell.get("seconds", 0.0) + cell.get("validation", {}).get("seconds", 0.0)
        for line in lines
        for cell in line.get("cells", ())
    )
    print(f"{len(lines)} lines, {seconds / 3600:.2f} h of one core (runs and validation)")


def main() -> None:
    """Train what is missing, or show or pack what is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/bank.jsonl"))
    parser.add_argument("--jobs", default="1/1", help="which share of the lines: 1/2 or 2/2")
    parser.add_argument("--setting", action="append", default=[], help="only these settings")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--pack", type=Path)
    given = parser.parse_args()
    if given.pack:
        pack(given.out, given.pack)
    elif given.show:
        show(given.out)
    else:
        run(given.out, given.jobs, given.setting)


if __name__ == "__main__":
    main()
