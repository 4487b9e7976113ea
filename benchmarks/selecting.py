"""Does selecting rows help? Faults planted in three doses, selectors beside random rows.

    python benchmarks/selecting.py --out runs/selecting --seeds 5
    python benchmarks/selecting.py --out runs/selecting --seeds 20 --dose 0 --selector random \
        --selector "quality x diversity"       # more seeds for one comparison
    python benchmarks/selecting.py --out runs/selecting --show

The planting was fixed before any selector was run: POOL bundled tickets, a dose of them made bad
(a quarter each: another label, an echo, a refusal, a text cut off with its label exchanged), then
10 % near-copies added. KEEP rows are chosen by each selector; pocket-instruct is trained on them,
every arm for the same number of steps, and answers TEST clean rows that no arm has seen. Each
training is written down when it is done, so the study can be stopped and taken up.
"""

import argparse
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from pocket_trial import Trainer, paired

from forkpoint.data import load
from forkpoint.data.near import near_pairs
from forkpoint.data.row import Row, Turn
from forkpoint.selecting.heuristics import heuristics, quality
from forkpoint.selecting.score_file import Scores
from forkpoint.selecting.score_record import RowScore
from forkpoint.selecting.selection import select

DOSES = (0.0, 0.15, 0.30)
POOL, TEST, KEEP = 650, 300, 300
COPIES = 0.10  # of the pool, added
MARGIN = 0.02
REFUSALS = ("Sorry, I cannot help with that request.", "抱歉，我无法回答这个问题。")
OPENINGS = ("Hi! ", "Hello, ", "您好，", "hey ")


def planted(seed: int, dose: float) -> tuple[list[Row], list[Row], set[str]]:
    """The pool with its faults and copies, clean test rows, and the ids of bad rows."""
    rng = random.Random(f"planting {seed} {dose}")
    rows = list(load("tickets").rows)
    rng.shuffle(rows)
    test, pool = rows[:TEST], rows[TEST : TEST + POOL]
    labels = sorted({row.answer for row in rows})
    bad: set[str] = set()
    for number, place in enumerate(rng.sample(range(POOL), round(dose * POOL))):
        pool[place] = spoiled(pool[place], number % 4, labels, rng)
        bad.add(pool[place].id)
    for row in rng.sample(pool, round(COPIES * POOL)):
        asked = row.prompt[-1].content
        copy = as_row(rng.choice(OPENINGS) + asked.rstrip(".。!！"), row.answer, row)
        pool.append(copy)
        if row.id in bad:
            bad.add(copy.id)
    rng.shuffle(pool)
    return [row._replace(line=n) for n, row in enumerate(pool, start=1)], test, bad


def spoiled(row: Row, kind: int, labels: Sequence[str], rng: random.Random) -> Row:
    """A row made bad: wrong label, echo, refusal, or a stump with a wrong label."""
    asked = row.prompt[-1].content
    wrong = rng.choice([label for label in labels if label != row.answer])
    if kind == 0:
        return as_row(asked, wrong, row)
    if kind == 1:
        return as_row(asked, asked, row)
    if kind == 2:
        return as_row(asked, rng.choice(REFUSALS), row)
    return as_row(asked[: max(3, len(asked) // 3)], wrong, row)


def as_row(asked: str, answer: str, old: Row) -> Row:
    """A row of this content."""
    import hashlib

    identity = hashlib.sha256(f"{asked}\x1e{answer}".encode()).hexdigest()[:16]
    return Row(identity, old.file, old.line, (Turn("user", asked), Turn("assistant", answer)))


def chosen_by(pool: list[Row], seed: int) -> dict[str, Callable[[], list[Row]]]:
    """Selector -> the rows it keeps."""
    rng = random.Random(f"random {seed}")
    order = rng.sample(pool, len(pool))
    later = {max(one, two) for one, two in near_pairs(order)}
    parts = heuristics(pool)
    scores: Scores = {
        row.id: {"heuristics": RowScore(row=row.id, line=row.line, scorer="heuristics",
                                        value=quality(told), parts=told)}
        for row, told in zip(pool, parts, strict=True)
    }  # fmt: skip
    best = sorted(order, key=lambda row: -(scores[row.id]["heuristics"].value or 0.0))
    return {
        "all rows": lambda: pool,
        "random": lambda: order[:KEEP],
        "random, no near-copies": lambda: [
            row for place, row in enumerate(order) if place not in later
        ][:KEEP],
        "heuristics alone": lambda: best[:KEEP],
        "quality x diversity": lambda: select(
            pool, scores, KEEP, by=("heuristics",), seed=seed
        )[0],
    }  # fmt: skip


def main() -> None:
    """Train what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/selecting"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--dose", type=float, action="append", help="only these doses")
    parser.add_argument("--selector", action="append", help="only these selectors")
    parser.add_argument("--show", action="store_true", help="print what is there, train nothing")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    trainer = None if given.show else Trainer()
    for seed in range(given.seeds):
        for dose in given.dose or DOSES if trainer else ():
            pool, test, bad = planted(seed, dose)
            for name, keep in chosen_by(pool, seed).items():
                path = (
                    given.out / f"{seed}-{dose:.2f}-{name.replace(' ', '-').replace(',', '')}.json"
                )
                if path.exists() or name not in (given.selector or [name]):
                    continue
                rows = keep()
                found = {
                    "seed": seed, "dose": dose, "selector": name, "rows": len(rows),
                    "bad": sum(row.id in bad for row in rows) / len(rows),
                    "score": trainer.score(rows, test, seed),
                }  # fmt: skip
                path.write_text(json.dumps(found))
                print(found, flush=True)
    show(given.out)


def show(out: Path) -> None:
    """Mean score of each selector at each dose, and its paired difference to random rows."""
    found = [json.loads(path.read_text()) for path in sorted(out.glob("*.json"))]
    names = list(dict.fromkeys(one["selector"] for one in found))
    for dose in DOSES:
        print(f"dose {dose:.0%}")
        base = {
            o["seed"]: o["score"] for o in found if (o["dose"], o["selector"]) == (dose, "random")
        }
        for name in names:
            mine = [one for one in found if one["dose"] == dose and one["selector"] == name]
            both = [one["score"] - base[one["seed"]] for one in mine if one["seed"] in base]
            if not both:
                continue
            mean = sum(one["score"] for one in mine) / len(mine)
            bad = sum(one["bad"] for one in mine) / len(mine)
            difference, low, high = paired(both)
            print(
                f"  {name:24} n = {len(mine)}  macro-F1 {mean:.3f}  bad rows {bad:.0%}  "
                f"minus random {difference:+.3f} ({low:+.3f} to {high:+.3f})"
            )


if __name__ == "__main__":
    main()
