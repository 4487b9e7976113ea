"""Rows x stage x approach on the pocket family: one grid of trainings behind four studies.

    python benchmarks/stage_rows.py --out runs/stage_rows.jsonl           # trains what is missing
    python benchmarks/stage_rows.py --out runs/stage_rows.jsonl --show a     # b, c, d, rates
    python benchmarks/stage_rows.py --out runs/stage_rows.jsonl --pack docs/studies/stage_rows.jsonl

One line is one training: a checkpoint tuned on the first rows of a seed's draw by LoRA or in full,
scored on clean test rows of the same draw and on general questions. Lines are appended as soon as
they are measured, what is first in the plan is useful by itself. Rates are the centre of a race's
bracket, and at one size its edges too. `--jobs 1/2` and `--jobs 2/2` share the cells between two
processes.
"""

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the recipes stand beside
STUDIES = ROOT / "docs" / "studies"
GRID = "grid"  # the source of a line; packed files hold lines of other studies too
NEAR, FAR = "orders", "tickets"  # near what Instruct was taught; far from all that any stage saw
HARD, TRIED = "sums", "turned"  # added when both others, then `turned`, were right on all at 3,200
TASKS = (NEAR, FAR)
METRIC = {NEAR: "exact_match", FAR: "macro_f1", HARD: "exact_match", TRIED: "exact_match"}
STAGES = ("base", "instruct", "chat")
TWINS = ("base", "instruct")
APPROACHES = ("full", "lora")
SMALL, LARGE, LARGEST = (800, 200, 50), 3_200, 10_000  # rows to train on
ROWS_PER_STEP = 4
LEAST_STEPS = 200  # fewer rows are seen several times [docs/LOG.md, steps]; more rows once
TEST = 300
EDGES = (0.333, 3.0)  # of the bracket, beside its centre
UNTRAINED = "untrained"
QUESTIONS = 12  # general ones of each kind and language
ANSWER_TOKENS = 16  # more than the longest answer has
Pair = tuple[str, str]


class Cell(NamedTuple):
    """One training: what it is of, and what is measured."""

    task: str
    rows: int
    stage: str
    approach: str
    seed: int
    factor: float = 1.0  # times the centre of a race's bracket of rates
    longer: int = 1  # times the steps of its size


class Part(NamedTuple):
    """A block of cells: everything with everything."""

    stages: Sequence[str]
    sizes: Sequence[int]
    seeds: Sequence[int] = (0,)
    approaches: Sequence[str] = APPROACHES
    factors: Sequence[float] = (1.0,)
    longer: Sequence[int] = (1,)
    tasks: Sequence[str] = TASKS


PARTS = (  # the most telling first
    Part(STAGES, (0,), approaches=(UNTRAINED,), tasks=(*TASKS, HARD)),
    Part(TWINS, (800, 200)),
    Part(TWINS, (LARGE,), approaches=("full",)),
    Part(TWINS, (800,), approaches=("full",), longer=(3,)),
    Part(TWINS, (LARGE,), tasks=(TRIED,)),
    Part(TWINS, (LARGE,), approaches=("lora",)),
    Part(TWINS, (50,)),
    Part(TWINS, (LARGE, 800), (0, 1, 2), tasks=(HARD,)),
    Part(TWINS, SMALL, (1,)),
    Part(("chat",), SMALL, (0, 1)),
    Part(TWINS, SMALL, (2,)),
    Part(TWINS, (LARGEST,), (0, 1), tasks=(HARD,)),
    Part(TWINS, (LARGEST,), (0, 1), ("lora",), tasks=(FAR,)),
    Part(TWINS, (LARGE,), (1,)),
    Part(("chat",), (800, LARGE), (0, 1, 2), tasks=(HARD,)),
    Part(("chat",), (LARGEST,), (0, 1), tasks=(HARD,)),
    Part(TWINS, (LARGEST,), (2,), tasks=(HARD,)),
    Part(("chat",), (LARGEST,), (2,), tasks=(HARD,)),
    Part(STAGES, (800,), factors=EDGES),
    Part(TWINS, (800,), approaches=("lora",), longer=(3,)),
    Part(STAGES, (LARGE,), approaches=("full",), factors=EDGES, tasks=(HARD,)),
    Part(("chat",), SMALL, (2,)),
    Part(TWINS, (LARGE,), (2,)),
    Part(TWINS, (LARGE, 800), (3, 4), tasks=(HARD,)),
    Part(TWINS, (LARGEST,), (0, 1), ("full",), tasks=(FAR,)),
    Part(("chat",), (LARGE,), (0, 1, 2)),
    Part(STAGES, (0,), (1, 2), (UNTRAINED,)),
    Part(STAGES, SMALL, (3, 4)),
    Part(STAGES, (LARGEST,), (0, 1, 2)),
)


class Draw(NamedTuple):
    """The rows of one task and seed; smaller sizes are the first rows of larger ones."""

    test: list[Pair]
    train: list[Pair]


def planned() -> Iterator[Cell]:
    """Every cell, the most telling first; none twice."""
    told: set[Cell] = set()
    for part in PARTS:
        for longer, factor, seed, rows, approach, task, stage in product(
            part.longer,
            part.factors,
            part.seeds,
            part.sizes,
            part.approaches,
            part.tasks,
            part.stages,
        ):
            cell = Cell(task, rows, stage, approach, seed, factor, longer)
            if cell not in told:
                told.add(cell)
                yield cell


def steps_of(rows: int) -> int:
    """Optimizer steps of a size: the least number, or one pass."""
    return max(LEAST_STEPS, rows // ROWS_PER_STEP)


@cache
def drawn(task: str, seed: int) -> Draw:
    """Distinct prompts of a seed, enough for the largest size."""
    import bank_tasks

    rng = random.Random(f"stage rows {task} {seed}")
    found: dict[str, str] = {}
    while len(found) < TEST + LARGEST:
        prompt, answer = getattr(bank_tasks, task)(rng)
        found.setdefault(prompt, answer)
    pairs = list(found.items())
    return Draw(pairs[:TEST], pairs[TEST:])


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file; a torn one is left out."""
    found = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        with suppress(json.JSONDecodeError):
            found.append(json.loads(text))
    return found


def add(path: Path, line: dict[str, Any]) -> None:
    """Append a line so that it is there whatever happens next."""
    torn = path.exists() and not path.read_bytes().endswith(b"\n")
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" * torn + json.dumps(line, separators=(",", ":")) + "\n")
        file.flush()
        os.fsync(file.fileno())
    print(json.dumps(line)[:150], flush=True)


def trained(cell: Cell) -> tuple[Any, dict[str, Any]]:
    """The model after its steps, adapters merged, and what it took."""
    from bank_training import Run, checkpoint, linear

    from forkpoint.ledger import RungPlan
    from forkpoint.plan.lengths import step_plan
    from forkpoint.train.job import TrainRow

    begin = time.process_time()
    start = checkpoint(f"pocket-{cell.stage}")
    told = [start.rendered(pair) for pair in drawn(cell.task, cell.seed).train[: cell.rows]]
    rows = [TrainRow(input_ids=row.input_ids, labels=row.labels) for row in told]
    steps = steps_of(cell.rows) * cell.longer
    passes = steps * ROWS_PER_STEP / cell.rows
    rung = RungPlan(index=1, unique_rows=cell.rows, passes=passes, steps=steps, share=1.0)
    rate = float(f"{start.rate(cell.approach) * cell.factor:.3g}")
    run = Run(start, cell.approach, rows, rate, cell.seed)
    for number, places in enumerate(step_plan(cell.rows, rung, ROWS_PER_STEP, cell.seed)):
        run.step(places, linear(number, steps))
    model = run.model.merge_and_unload() if cell.approach == "lora" else run.model
    spent = time.process_time() - begin
    cost = {
        "rate": rate,
        "steps": steps,
        "visits": steps * ROWS_PER_STEP,
        "tokens": run.tokens,
        "seconds": round(spent, 1),
    }
    return model.eval(), cost


def looked(cell: Cell, model: Any, pairs: Sequence[Pair]) -> dict[str, Any]:
    """Greedy answers by macro-F1, exact answers, stopping, and bits of the expected answers."""
    from bank import packed_bits
    from bank_training import checkpoint

    from forkpoint.data.row import Row, Turn
    from forkpoint.measure.arm import AnswerLimits, ScoringRow, score_arm

    start = checkpoint(f"pocket-{cell.stage}")
    rows = [
        ScoringRow(
            Row(
                id=str(n),
                file="draw",
                line=n,
                turns=(Turn("user", prompt), Turn("assistant", answer)),
            ),
            start.rendered((prompt, answer)),
        )
        for n, (prompt, answer) in enumerate(pairs)
    ]
    limits = AnswerLimits(stop_ids=start.renderer.end_ids, max_new_tokens=ANSWER_TOKENS)
    found = score_arm(model, start.renderer.tokenizer, rows, METRIC[cell.task], limits)
    return {
        "score": round(found.primary.value or 0.0, 4),
        "error": round(found.primary.standard_error or 0.0, 4),
        "exact": round(found.exact_match.value or 0.0, 4),
        "stops": round(found.stop_rate.value or 0.0, 4),
        "bits": round(found.bits_per_byte.value or 0.0, 4),
        "right": packed_bits([row.exact for row in found.rows]),
    }


def general(stage: str, model: Any) -> dict[str, list[int]]:
    """Right answers and questions by kind of general ability."""
    from bank_training import checkpoint

    from forkpoint.measure.general import measure_general
    from forkpoint.measure.questions import read_questions, sample_questions
    from forkpoint.pocket import general_set_path

    renderer = checkpoint(f"pocket-{stage}").renderer
    questions = sample_questions(read_questions(general_set_path()), QUESTIONS)
    found = measure_general(model, renderer.tokenizer, renderer, questions, renderer.end_ids)
    counted: dict[str, list[int]] = {}
    for one in found.outcomes:
        pair = counted.setdefault(one.kind, [0, 0])
        pair[0] += one.right
        pair[1] += 1
    return counted


def chosen_labels(cell: Cell, model: Any, pairs: Sequence[Pair]) -> float:
    """Share of rows whose right label is the likeliest of the task's labels, bits a byte."""
    from bank_training import checkpoint

    from forkpoint.measure.likelihood import row_bits

    start = checkpoint(f"pocket-{cell.stage}")
    labels = sorted({answer for _, answer in pairs})
    rows = [start.rendered((prompt, label)) for prompt, _ in pairs for label in labels]
    bits = iter([(one[0] if one else 0.0) for one in row_bits(model, rows)])
    hits = 0
    for _, answer in pairs:
        each = {label: next(bits) / len(label.encode()) for label in labels}
        hits += min(each, key=lambda label: each[label]) == answer
    return hits / len(pairs)


def key_of(line: dict[str, Any]) -> Cell:
    """What a line is about."""
    return Cell(**{name: line[name] for name in Cell._fields if name in line})


def run(path: Path, share: str) -> None:
    """Append the lines that are missing, those of this process's share."""
    import torch
    from bank_training import checkpoint

    torch.set_num_threads(1)
    part, of = (int(piece) for piece in share.split("/"))
    path.parent.mkdir(parents=True, exist_ok=True)
    for number, cell in enumerate(planned()):
        done = {key_of(line) for line in lines_of(path) if line["source"] == GRID}
        if cell in done or number % of != part - 1:
            continue
        test = drawn(cell.task, cell.seed).test
        if cell.approach == UNTRAINED:
            model = checkpoint(f"pocket-{cell.stage}").model.eval()
            cost: dict[str, Any] = {}
            if METRIC[cell.task] == "macro_f1":
                cost["choice"] = round(chosen_labels(cell, model, test), 4)
        else:
            model, cost = trained(cell)
        seen = looked(cell, model, test)
        line = {"source": GRID, **cell._asdict(), **seen, **cost}
        add(path, {**line, "general": general(cell.stage, model)})


def pack(path: Path, target: Path, bank: Path) -> None:
    """One copy of each line in the planned order, then what the tables borrow elsewhere."""
    from stage_tables import borrowed

    cells = {key_of(line): line for line in lines_of(path) if line["source"] == GRID}
    told = [cells[cell] for cell in planned() if cell in cells]
    told += borrowed(lines_of(bank), lines_of(STUDIES / "pocket_races.jsonl"))
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in told)
    target.write_text(text, encoding="utf-8")


def main() -> None:
    """Train what is missing, or show or pack what is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=STUDIES / "stage_rows.jsonl")
    parser.add_argument("--jobs", default="1/1", help="which share of the cells: 1/2 or 2/2")
    parser.add_argument("--show", choices=("a", "b", "c", "d", "rates"))
    parser.add_argument("--pack", type=Path)
    parser.add_argument("--bank", type=Path, default=STUDIES / "bank.jsonl", help="for --pack")
    given = parser.parse_args()
    if given.pack:
        pack(given.out, given.pack, given.bank)
    elif given.show:
        from stage_tables import show

        show(given.show, lines_of(given.out))
    else:
        run(given.out, given.jobs)


if __name__ == "__main__":
    main()
