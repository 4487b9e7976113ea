"""Does replay prevent forgetting, and what does it cost the task? Shares 0, .25, .5, 1.

    python benchmarks/replay.py --out runs/replay --seeds 5
    python benchmarks/replay.py --out runs/replay --show

pocket-instruct learns bundled tickets for a fixed number of steps; each step holds the same task
rows whatever the share, and general rows come on top, half of them answered by the untuned
checkpoint. Measured on clean test rows and on the general-ability set, before and after.
"""

import argparse
import json
import random
import tempfile
from pathlib import Path

from pocket_trial import Trainer, paired

from forkpoint.data import load
from forkpoint.data.row import Row
from forkpoint.measure.general import GeneralScores, measure_general
from forkpoint.measure.questions import read_questions, sample_questions
from forkpoint.models.generation import generate
from forkpoint.models.weights import load_model
from forkpoint.pocket import general_set_path, replay_rows_path
from forkpoint.race.replay import OWN_EVERY, answered_by

SHARES = (0.0, 0.25, 0.5, 1.0)
TRAIN, TEST = 500, 300
QUESTIONS = 25  # of each kind and language
ANSWER_TOKENS = 64


def general_rows(trainer: Trainer) -> list[Row]:
    """The shipped general rows, each second one answered by the untuned checkpoint."""
    rows = list(load(replay_rows_path()).rows)[:TRAIN]
    asked = rows[::OWN_EVERY]
    model = load_model(trainer.path)
    prompts = [list(trainer.rendered(row).prompt_ids) for row in asked]
    answers = generate(model, trainer.tokenizer, prompts, trainer.renderer.end_ids, ANSWER_TOKENS)
    said = {
        row.id: answer.text
        for row, answer in zip(asked, answers, strict=True)
        if answer.stopped and answer.text.strip()
    }
    return [answered_by(row, "pocket-instruct", said) for row in rows]


def ability(trainer: Trainer, model: object) -> GeneralScores:
    """Every kind of general ability."""
    questions = sample_questions(read_questions(general_set_path()), QUESTIONS)
    return measure_general(
        model, trainer.tokenizer, trainer.renderer, questions, trainer.renderer.end_ids
    )


def kinds(found: GeneralScores) -> dict[str, float]:
    """Ability -> share right, languages together."""
    return {
        name: float(measured.value or 0.0)
        for name, measured in found.scores.items()
        if "." not in name
    }


def main() -> None:
    """Train what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/replay"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--show", action="store_true", help="print what is there, train nothing")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if not given.show:
        run(given.out, given.seeds)
    show(given.out)


def run(out: Path, seeds: int) -> None:
    """Every share for every seed, each written down when it is done."""
    trainer = Trainer()
    before = out / "before.json"
    if not before.exists():
        before.write_text(json.dumps(kinds(ability(trainer, load_model(trainer.path)))))
    mixed = general_rows(trainer)
    for seed in range(seeds):
        rows = list(load("tickets").rows)
        random.Random(f"replay {seed}").shuffle(rows)
        test, train = rows[:TEST], rows[TEST : TEST + TRAIN]
        for share in SHARES:
            path = out / f"{seed}-{share:.2f}.json"
            if path.exists():
                continue
            with tempfile.TemporaryDirectory() as scratch:
                model = trainer.train(train, mixed, share, seed, str(Path(scratch) / "weights"))
                found = {
                    "seed": seed, "share": share, "score": trainer.macro_f1(model, test),
                    "abilities": kinds(ability(trainer, model)),
                }  # fmt: skip
            path.write_text(json.dumps(found))
            print(found, flush=True)


def show(out: Path) -> None:
    """Score and abilities by share, with paired differences to share 0."""
    before = json.loads((out / "before.json").read_text())
    found = [json.loads(path.read_text()) for path in sorted(out.glob("*-*.json"))]
    base = {one["seed"]: one for one in found if one["share"] == 0.0}
    print("before: " + ", ".join(f"{name} {value:.2f}" for name, value in before.items()))
    for share in SHARES:
        mine = [one for one in found if one["share"] == share and one["seed"] in base]
        if not mine:
            continue
        print(f"share {share:g}, n = {len(mine)}")
        task, low, high = paired([one["score"] - base[one["seed"]]["score"] for one in mine])
        mean = sum(one["score"] for one in mine) / len(mine)
        print(f"  task macro-F1 {mean:.3f}, minus share 0 {task:+.3f} ({low:+.3f} to {high:+.3f})")
        for name in before:
            kept, low, high = paired(
                [one["abilities"][name] - base[one["seed"]]["abilities"][name] for one in mine]
            )
            mean = sum(one["abilities"][name] for one in mine) / len(mine)
            print(f"  {name} {mean:.2f}, minus share 0 {kept:+.2f} ({low:+.2f} to {high:+.2f})")


if __name__ == "__main__":
    main()
