"""The main job on real checkpoints that fit two cores; resumes where it stopped.

    python benchmarks/real_weights.py --task labels --out runs/real-weights
    python benchmarks/real_weights.py --task gsm8k --out runs/real-weights
    python benchmarks/real_weights.py --task approaches --out runs/real-weights

SmolLM2-135M-Instruct and Gemma-3-270M base, read from the folder FORKPOINT_REAL (.real/), by LoRA.
Their weights come from 4-bit files and they are of two families, so that this says whether the
product works on real checkpoints and what it costs, and nothing on Base against Instruct. `labels`
are the bundled tickets, `approaches` more of them by LoRA and in full; `gsm8k` the first rows of
GSM8K (folder FORKPOINT_SHARED/data/gsm8k), where the floor is what to expect of such sizes.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from forkpoint.data import bundled
from forkpoint.race.driver import AGREEMENT, read_agreement, run_race
from forkpoint.race.executor import LocalExecutor
from forkpoint.race.ground import threads_each
from forkpoint.race.request import RaceRequest
from forkpoint.race.setup import prepare
from forkpoint.race.terminal import Terminal

CHECKPOINTS = ("SmolLM2-135M-Instruct", "gemma-3-270m-base")
LABELS, GSM8K, APPROACHES = "labels", "gsm8k", "approaches"
ROWS = {LABELS: (128, 24, 60), GSM8K: (24, 8, 16), APPROACHES: (400, 48, 120)}
# to train on, to decide with, to test
ROWS_PER_STEP = {LABELS: 4, GSM8K: 1, APPROACHES: 4}
BUDGET = {LABELS: "50%", GSM8K: "100%", APPROACHES: "60%"}  # of brute force
SEEDS = {LABELS: 3, GSM8K: 1, APPROACHES: 1}  # trainings of a close finalist
TUNED = {LABELS: ("lora",), GSM8K: ("lora",), APPROACHES: ("lora", "full")}


def main() -> None:
    """Prepare or resume the race, run it to its verdict, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", choices=tuple(ROWS), default=LABELS)
    parser.add_argument("--out", type=Path, default=Path("runs/real-weights"))
    given = parser.parse_args()
    real = Path(os.environ.get("FORKPOINT_REAL", ".real"))
    models = tuple(str((real / name).resolve()) for name in CHECKPOINTS)
    folder = given.out / given.task
    with Terminal("en") as terminal:
        if not (folder / AGREEMENT).exists():
            prepare(request(given.task, models, given.out), folder, terminal)
        settings = read_agreement(folder).settings
        executor = LocalExecutor(folder, settings.workers, threads_each(settings))
        verdict = run_race(folder, executor, terminal)
    show(folder, json.loads(verdict.to_json()))


def request(task: str, models: tuple[str, ...], out: Path) -> RaceRequest:
    """The race of a task, on the first rows of its files."""
    train, validation, test = ROWS[task]
    if task != GSM8K:
        lines = bundled("tickets").read_text(encoding="utf-8").splitlines()
        parts = (lines[:train], lines[train:][:validation], lines[train + validation :][:test])
        columns = {}
    else:
        shared = Path(os.environ.get("FORKPOINT_SHARED", "../shared")) / "data" / "gsm8k"
        lines = (shared / "gsm8k_train.jsonl").read_text(encoding="utf-8").splitlines()
        tested = (shared / "gsm8k_test.jsonl").read_text(encoding="utf-8").splitlines()
        parts = (lines[:train], lines[train:][:validation], tested[:test])
        columns = {"prompt": "question", "answer": "answer"}
    files = [out / f"{task}-{side}.jsonl" for side in ("train", "validation", "test")]
    out.mkdir(parents=True, exist_ok=True)
    for file, rows in zip(files, parts, strict=True):
        file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return RaceRequest(
        data=str(files[0]),
        validation_file=str(files[1]),
        test_file=str(files[2]),
        models=models,
        approaches=TUNED[task],
        columns=columns,
        budget=BUDGET[task],
        passes=1.0,
        finalist_seeds=SEEDS[task],
        rows_per_step=ROWS_PER_STEP[task],
        skip_general=True,
        workers=2,
    )


def show(folder: Path, verdict: dict[str, Any]) -> None:
    """The verdict, each arm's scores, and what its trials took."""
    print(f"{verdict['kind']}: {verdict['arm']}  ({verdict['metric']}, n = {verdict['test_rows']})")
    for result in verdict["results"]:
        scores = [f"{name} {_said(result[name])}" for name in ("untrained", "validation", "test")]
        print(f"  {result['arm']:30} {', '.join(scores)}, stops {_said(result['stop_rate'])}")
    for line in (folder / "ledger.jsonl").read_text().splitlines():
        found = json.loads(line)
        if found["kind"] == "trial_scored":
            trial, speed = found["trial"], found["tokens"] / found["train_seconds"]
            print(
                f"  {trial['arm']} rung {trial['rung']} rate {trial['rate']:.1e} seed "
                f"{trial['seed']}: {found['seconds']:.0f} s, {speed:.0f} tokens/s, "
                f"{found['peak_bytes'] / 1e9:.1f} GB"
            )
    share = verdict["spent_tokens"] / verdict["brute_force_tokens"]
    took = f"{verdict['seconds']:.0f} s, predicted {verdict['predicted_seconds']:.0f} s"
    print(f"  {verdict['spent_tokens']:,} tokens, {share:.0%} of brute force's (estimated); {took}")


def _said(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return "-"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f}, n = {figure['n']})"


if __name__ == "__main__":
    main()
