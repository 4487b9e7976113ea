"""Does selecting help on published instructions? A small study on a real checkpoint.

    python benchmarks/selecting_real.py --out runs/selecting-real
    python benchmarks/selecting_real.py --out runs/selecting-real-zh --lang zh
    python benchmarks/selecting_real.py --out runs/selecting-real --show

SmolLM2-135M-Instruct (folder FORKPOINT_REAL) by LoRA on lf_alpaca_en_demo.json, or the Chinese one
(folder FORKPOINT_SHARED/data/formats). POOL rows, of which each selector keeps KEEP; each takes
the same steps; scored by the bits per byte of TEST answers that no arm has seen, with its interval
over rows, paired with the random rows. So few rows and steps show the direction at best, and one
seed does not know the noise between trainings. Resumes where it stopped.
"""

import argparse
import json
import os
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pocket_trial import Trainer

from forkpoint.data import load
from forkpoint.data.row import Row
from forkpoint.measure.difficulty import difficulties, start_id
from forkpoint.measure.likelihood import row_bits
from forkpoint.models.rendering import Rendered
from forkpoint.models.weights import load_model
from forkpoint.selecting.heuristics import heuristics, quality
from forkpoint.selecting.score_file import Scores
from forkpoint.selecting.score_record import RowScore
from forkpoint.selecting.selection import select

CHECKPOINT, FILE = "SmolLM2-135M-Instruct", "lf_alpaca_{lang}_demo.json"
POOL, KEEP, TEST = 160, 48, 60
LONGEST_TOKENS = 256  # a longer row is left out
STEPS, RATE = 12, 5e-4
RESAMPLES = 4000
SELECTORS = ("untrained", "random", "all rows", "heuristics x diversity", "ifd x diversity")


def sides(trainer: Trainer, lang: str, seed: int) -> tuple[list[Row], list[Row]]:
    """The pool and the rows that are scored, none too long."""
    shared = Path(os.environ.get("FORKPOINT_SHARED", "../shared"))
    rows = list(load(shared / "data" / "formats" / FILE.format(lang=lang)).rows)
    random.Random(f"real {seed}").shuffle(rows)
    fit: list[Row] = []
    for row in rows:
        told = trainer.renderer.row(row)
        if isinstance(told, Rendered) and told.scored and len(told.input_ids) <= LONGEST_TOKENS:
            fit.append(row)
    return fit[:POOL], fit[POOL : POOL + TEST]


def scores_of(trainer: Trainer, pool: list[Row], path: Path) -> Scores:
    """Heuristics and difficulty of every row of the pool; written down, for it takes minutes."""
    if not path.exists():
        model, start = load_model(trainer.path), start_id(trainer.tokenizer)
        told = [trainer.rendered(row) for row in pool]
        ratios = [one.ratio for one in difficulties(model, told, start or 0)]
        path.write_text(json.dumps(ratios))
    ratios = json.loads(path.read_text())
    found: Scores = {}
    for row, parts, ratio in zip(pool, heuristics(pool), ratios, strict=True):
        known = {"row": row.id, "line": row.line}
        found[row.id] = {
            "heuristics": RowScore(**known, scorer="heuristics", value=quality(parts)),
            "ifd": RowScore(**known, scorer="ifd", value=ratio),
        }
    return found


def chosen(name: str, pool: list[Row], scores: Scores, seed: int) -> list[Row]:
    """The rows that a selector keeps."""
    if name == "all rows":
        return pool
    if name == "random":
        return random.Random(f"kept {seed}").sample(pool, KEEP)
    by = ("ifd",) if name.startswith("ifd") else ("heuristics",)
    return select(pool, scores, KEEP, by=by, seed=seed)[0]


def bits(trainer: Trainer, model: Any, test: Sequence[Row]) -> list[float]:
    """Bits of each test answer."""
    return [one[0] for one in row_bits(model, [trainer.rendered(row) for row in test])]


def show(out: Path) -> None:
    """Bits per byte of every arm, and its difference to random rows over resampled rows."""
    found = {one["selector"]: one for one in map(json.loads, _texts(out))}
    sizes = np.array(found["untrained"]["bytes"], dtype=float)
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(sizes), (RESAMPLES, len(sizes)))
    base = np.array(found["random"]["bits"]) if "random" in found else None
    for name in SELECTORS:
        if name not in found:
            continue
        mine = np.array(found[name]["bits"])
        text = f"  {name:24} {found[name]['rows']:4} rows  {mine.sum() / sizes.sum():.3f} bits/byte"
        if base is not None:
            apart = (mine - base)[draws].sum(axis=1) / sizes[draws].sum(axis=1)
            low, high = np.percentile(apart, [2.5, 97.5])
            whole = (mine - base).sum() / sizes.sum()
            text += f"  minus random {whole:+.3f} ({low:+.3f} to {high:+.3f}, n = {len(sizes)})"
        print(text)


def _texts(out: Path) -> list[str]:
    return [path.read_text() for path in sorted(out.glob("arm-*.json"))]


def run(out: Path, model_name: str, lang: str, seed: int) -> None:
    """Train and score what is missing, each arm written down when it is done."""
    trainer = Trainer(model_name, kind="lora", rate=RATE, steps=STEPS)
    pool, test = sides(trainer, lang, seed)
    sizes = [len(trainer.rendered(row).answer.encode()) for row in test]
    scores = scores_of(trainer, pool, out / "difficulty.json")
    for name in SELECTORS:
        path = out / f"arm-{name.replace(' ', '-')}.json"
        if path.exists():
            continue
        rows = [] if name == "untrained" else chosen(name, pool, scores, seed)
        with tempfile.TemporaryDirectory() as scratch:
            model = (
                trainer.train(rows, (), 0.0, seed, str(Path(scratch) / "weights"))
                if rows
                else load_model(trainer.path)
            )
            told = {"selector": name, "rows": len(rows), "bytes": sizes,
                    "bits": bits(trainer, model, test)}  # fmt: skip
        path.write_text(json.dumps(told))
        print(f"{name}: {len(rows)} rows, done", flush=True)


def main() -> None:
    """Train what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/selecting-real"))
    parser.add_argument("--model", default="", help="another checkpoint, to try the study itself")
    parser.add_argument("--lang", choices=("en", "zh"), default="en")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print what is there, train nothing")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    real = Path(os.environ.get("FORKPOINT_REAL", ".real")) / CHECKPOINT
    if not given.show:
        run(given.out, given.model or str(real.resolve()), given.lang, given.seed)
    show(given.out)


if __name__ == "__main__":
    main()
