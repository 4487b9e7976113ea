"""Settings of the bank raced live, beside their replays: does life lose what replays lose?

    python benchmarks/bank_live.py --bank docs/studies/bank.jsonl --out runs/bank-live --seeds 0,1
    python benchmarks/bank_live.py --bank docs/studies/bank.jsonl --out runs/bank-live --show

A live race is given the setting's own rows (to train on, to decide with, and the first test rows),
its steps and passes, six arms and a budget of 30 % of brute force; what it names is judged by the
bank's truth, the mean test score over seeds. Its replays have the same six arms; their regret is
also given by the seeds that a race did not see, since no live race is among the bank's runs. A
live rung has twelve steps or more, so that the smallest settings begin at three eighths and their
brackets alone cost such a budget: larger ones are raced. Resumes where it stopped.
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bank_curves import Curves, draw_race, read_bank
from bank_life import RATES, brute_tokens, named_by, regret_elsewhere, run_race
from bank_tasks import SETTINGS, Pair, Setting, rows_of
from fit_live_prior import noise_elsewhere

from forkpoint.race.driver import AGREEMENT, read_agreement
from forkpoint.race.driver import run_race as run_live
from forkpoint.race.executor import LocalExecutor
from forkpoint.race.ground import threads_each
from forkpoint.race.live_prior import RULED_PRIOR
from forkpoint.race.request import RaceRequest
from forkpoint.race.setup import prepare
from forkpoint.race.terminal import Terminal

MODELS = ("pocket-base", "pocket-instruct", "pocket-chat")
BUDGET = "30%"
SHARE = 0.3
TESTED = 200  # rows that a live race tests on
REPLAYS = 200


def write_rows(path: Path, pairs: Sequence[Pair]) -> str:
    """Rows of one side as a data file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"prompt": prompt, "completion": answer}) for prompt, answer in pairs]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def live(setting: Setting, curves: Curves, seed: int, out: Path) -> dict[str, Any]:
    """One live race of a setting, judged by the bank."""
    folder, sides = out / f"{setting.name}-{seed}", out / "rows" / setting.name
    rows = rows_of(setting)
    with Terminal("en") as terminal:
        if not (folder / AGREEMENT).exists():
            request = RaceRequest(
                data=write_rows(sides / "train.jsonl", rows.train),
                validation_file=write_rows(sides / "validation.jsonl", rows.validation),
                test_file=write_rows(sides / "test.jsonl", rows.test[:TESTED]),
                models=MODELS,
                budget=BUDGET,
                metric="exact_match",
                passes=setting.passes,
                rows_per_step=setting.rows_per_step,
                seed=seed,
                skip_general=True,
            )
            prepare(request, folder, terminal)
        agreement = read_agreement(folder)
        workers = LocalExecutor(
            folder, agreement.settings.workers, threads_each(agreement.settings)
        )
        verdict = run_live(folder, workers, terminal)
    named = (verdict.arm or "").removeprefix("pocket-")
    truth = dict(zip(curves.arms, curves.truth_A.tolist(), strict=True))
    return {
        "setting": setting.name,
        "seed": seed,
        "kind": verdict.kind,
        "named": named or None,
        "p_best": verdict.p_best,
        "regret": max(truth.values()) - truth[named] if named else None,
        "share": verdict.spent_tokens / agreement.brute_force_tokens,
        "seconds": verdict.seconds,
    }


def replayed(curves: Curves, seed_sd: float) -> dict[str, Any]:
    """The regret of races of all six arms, replayed: mean, and where 95 % of the races lie.

    And its mean by the seeds that a race has not seen: a live race is judged by seeds not its own.
    """
    rng = np.random.default_rng(0)
    regret, elsewhere, picks = [], [], []
    for number in range(REPLAYS):
        race = draw_race(curves, rng, len(curves.arms), RATES)
        ended = run_race(race, SHARE * brute_tokens(race), RULED_PRIOR, "fresh", number, seed_sd)
        named = named_by(race, ended, number)
        regret.append(float(race.truth_A.max() - race.truth_A[named]))
        used = ended.seeds.get(race.names[named], [int(race.seed_A[named])])
        elsewhere.append(regret_elsewhere(race, named, used))
        picks.append(race.names[named])
    low, high = np.percentile(regret, [2.5, 97.5])
    shares = {name: picks.count(name) / REPLAYS for name in curves.arms}
    return {
        "mean": float(np.mean(regret)),
        "elsewhere": float(np.mean(elsewhere)),
        "sd": float(np.std(regret)),
        "low": float(low),
        "high": float(high),
        "named": shares,
    }


def show(lines: Sequence[dict[str, Any]], bank: Sequence[Curves]) -> None:
    """A line a live race, with its setting's replays beside it; then all that name an arm."""
    titles = ("setting", "seed", "verdict", "named live", "named so in replays", "regret live",
              "regret replayed, mean (95 % of races)", "by other seeds", "tokens")  # fmt: skip
    print("| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|")
    told: dict[str, dict[str, Any]] = {}
    noise = noise_elsewhere(bank)
    for line in sorted(lines, key=lambda line: (line["setting"], line["seed"])):
        name = line["setting"]
        curves = next(one for one in bank if one.name == name)
        if name not in told:
            told[name] = replayed(curves, noise[curves.task])
        again = told[name]
        said = f"{again['mean']:.4f} ({again['low']:.4f} to {again['high']:.4f})"
        share = f"{again['named'].get(line['named'], 0.0):.0%}"
        regret = "-" if line["regret"] is None else f"{line['regret']:.4f}"
        cells = (name, str(line["seed"]), line["kind"], str(line["named"]), share, regret, said)
        print("| " + " | ".join(cells) + f" | {again['elsewhere']:.4f} | {line['share']:.0%} |")
    named = [line for line in lines if line["regret"] is not None]
    regret = [line["regret"] for line in named]
    expected = [told[line["setting"]]["elsewhere"] for line in named]
    error = math.sqrt(sum(told[line["setting"]]["sd"] ** 2 for line in named)) / len(named)
    print(f"{len(named)} name an arm: lost {np.mean(regret):.4f}, replays by other seeds "
          f"{np.mean(expected):.4f}, standard error of so many races {error:.4f}")  # fmt: skip


def main() -> None:
    """Race what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/bank-live"))
    parser.add_argument("--settings", default="tickets-240,orders-200,sums-240")
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--show", action="store_true", help="print what is there, run nothing")
    given = parser.parse_args()
    bank = read_bank(given.bank)
    lines = []
    for seed in (int(piece) for piece in given.seeds.split(",")):
        for name in given.settings.split(","):
            path = given.out / f"{name}-{seed}.json"
            if not path.exists() and not given.show:
                setting = next(one for one in SETTINGS if one.name == name)
                curves = next(one for one in bank if one.name == name)
                path.write_text(json.dumps(live(setting, curves, seed, given.out)))
            if path.exists():
                lines.append(json.loads(path.read_text()))
    show(lines, bank)


if __name__ == "__main__":
    main()
