"""All rates of a finished race's brackets at one of its rungs, beside the rate that it chose.

    python benchmarks/rates.py runs/demo --out runs/rates [--rung 3]

Trains every arm at every rate of its bracket on the race's own rows, one seed, and prints what each
scores on validation: is the rate that was chosen at the first rung the best where it counts?
"""

import argparse
import shutil
from pathlib import Path

from pocket_races import Silence

from forkpoint.ledger import RateChosen, Trial, TrialScored, read_lines
from forkpoint.race.driver import AGREEMENT, read_agreement
from forkpoint.race.executor import LocalExecutor
from forkpoint.race.ground import threads_each
from forkpoint.race.work import TrialWork


def main() -> None:
    """Train and print a line an arm: what was chosen, and the score at each rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("race", type=Path, help="the folder of a finished race")
    parser.add_argument("--out", type=Path, default=Path("runs/rates"))
    parser.add_argument("--rung", type=int, help="the last by default")
    given = parser.parse_args()
    agreed = read_agreement(given.race)
    rung = given.rung or agreed.rungs[-1].index
    given.out.mkdir(parents=True, exist_ok=True)
    for name in (AGREEMENT, "rows.jsonl"):
        shutil.copy(given.race / name, given.out / name)
    chosen = {line.arm: line for line in read_lines(given.race) if isinstance(line, RateChosen)}
    works = [
        TrialWork(
            trial=Trial(
                arm=arm.name,
                rung=rung,
                rate=float(f"{arm.centre_rate * factor:.2e}"),
                seed=agreed.settings.seed,
                rendering=chosen[arm.name].rendering,
            )
        )
        for arm in agreed.arms
        if arm.name in chosen
        for factor in agreed.settings.rate_factors
    ]
    scores: dict[str, dict[float, float | None]] = {}
    executor = LocalExecutor(given.out, agreed.settings.workers, threads_each(agreed.settings))
    for outcome in executor.run(works, Silence()):
        if "failed" not in outcome.values:
            line = TrialScored.model_validate({**outcome.values, "seconds": outcome.seconds})
            scores.setdefault(line.trial.arm, {})[line.trial.rate] = line.primary.value
    executor.close()
    for arm, found in scores.items():
        told = ", ".join(
            f"{rate:g}: {value:.3f}" for rate, value in sorted(found.items()) if value is not None
        )
        print(f"{arm}: chosen {chosen[arm].rate:g}; at rung {rung} {told}", flush=True)


if __name__ == "__main__":
    main()
