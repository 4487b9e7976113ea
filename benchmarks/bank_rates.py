"""Which rate is best at full length, and which a short run says it is; on settings of the bank.

    python benchmarks/bank_rates.py --out runs/rates.jsonl --jobs 1/2     # trains what is missing
    python benchmarks/bank_rates.py --out docs/studies/rates.jsonl --bank docs/studies/bank.jsonl

One line is one run of one arm: at full length at a third of its rate and at three times it (the
centre is in the bank); twelve steps at five rates, as they are and scaled to so short a run; an
eighth of full length at three. The second command prints what a race's bracket would lose at full
length by choosing on runs so long, where the centre is right and where it is wrong by a factor of
three. Two settings are left out: a coin, and one where all arms are at the ceiling.
"""

import argparse
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from bank_races import over_settings

from forkpoint.ledger import ArmPlan, Measured, Settings, Trial, TrialScored
from forkpoint.plan.lengths import RATE_HORIZON, STEPS_FOR_A_RUNG
from forkpoint.race.bracket import FACTOR, Bracket

STAGES = ("base", "instruct", "chat")
APPROACHES = ("lora", "full")
LEFT_OUT = ("even-120", "mood-200")  # a coin, and a task where all are at the ceiling
SEEDS = 2
VALIDATION = 200  # rows that a run is scored on
EIGHTH = 1 / 8
WIDE = (-2, -1, 0, 1, 2)  # powers of a bracket's factor around the centre, of short runs
NEAR = (-1, 0, 1)
LENGTHS = {"scaled": WIDE, "short": WIDE, "full": (-1, 1), "eighth": NEAR}
TITLES = {
    "eighth": "an eighth",
    "short": f"{STEPS_FOR_A_RUNG} steps",
    "scaled": f"{STEPS_FOR_A_RUNG} steps at their rates",
}
CENTRES = {0: "right", -1: "too low by 3", 1: "too high by 3"}


class Key(NamedTuple):
    """One run."""

    setting: str
    arm: str
    seed: int
    length: str  # "full", "short", "scaled" (short, at the rates of its length) or "eighth"
    power: int  # of the factor of a bracket, from the centre


def planned() -> Iterator[Key]:
    """Every run, all settings of a seed before the next seed."""
    from bank_tasks import SETTINGS

    for seed in range(SEEDS):
        for setting in SETTINGS:
            if setting.name in LEFT_OUT:
                continue
            for arm in (f"{stage}.{approach}" for approach in APPROACHES for stage in STAGES):
                for length, powers in LENGTHS.items():
                    for power in powers:
                        yield Key(setting.name, arm, seed, length, power)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file of runs."""
    if not path.exists():
        return []
    texts = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(text) for text in texts if text.endswith("}")]


def key_of(line: Mapping[str, Any]) -> Key:
    """What a line is about."""
    return Key(line["setting"], line["arm"], line["seed"], line["length"], line["power"])


def train(key: Key) -> dict[str, Any]:
    """Train and score one run, as the bank trains a fresh one."""
    from bank_tasks import SETTINGS, rows_of
    from bank_training import Run, checkpoint, linear, rungs_of, scored

    from forkpoint.plan.lengths import step_plan
    from forkpoint.train.job import TrainRow

    setting = next(one for one in SETTINGS if one.name == key.setting)
    stage, kind = key.arm.split(".")
    start, pairs = checkpoint(f"pocket-{stage}"), rows_of(setting)
    told = [start.rendered(pair) for pair in pairs.train]
    rows = [TrainRow(input_ids=row.input_ids, labels=row.labels) for row in told]
    full = rungs_of(setting.rows, setting.passes, setting.rows_per_step)[-1]
    steps = {"full": full.steps, "eighth": round(EIGHTH * full.steps)}
    taken = min(steps.get(key.length, STEPS_FOR_A_RUNG), full.steps)
    unique = min(setting.rows, taken * setting.rows_per_step)
    rung = full.model_copy(update={"unique_rows": unique, "steps": taken})
    rate = start.rate(kind) * FACTOR**key.power
    if key.length == "scaled":
        rate *= (taken / full.steps) ** -RATE_HORIZON
    run = Run(start, kind, rows, rate, key.seed)
    for number, places in enumerate(step_plan(len(rows), rung, setting.rows_per_step, key.seed)):
        run.step(places, linear(number, rung.steps))
    seen = scored(start, run.model, pairs.validation)
    line: dict[str, Any] = {
        **key._asdict(),
        "rate": float(f"{rate:.3e}"),
        "steps": taken,
        "of": full.steps,
        "tokens": run.tokens,
        "score": float(np.mean(seen.right)),
        "bits": sum(seen.bits) / sum(seen.bytes),
    }
    if key.length == "full":
        line["test"] = float(np.mean(scored(start, run.model, pairs.test).right))
    return line


def run(path: Path, share: str) -> None:
    """Append the runs that are missing, those of this process's share."""
    import torch

    torch.set_num_threads(1)
    part, of = (int(piece) for piece in share.split("/"))
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {key_of(line) for line in lines_of(path)}
    for number, key in enumerate(planned()):
        if number % of != part - 1 or key in done:
            continue
        text = json.dumps(train(key), separators=(",", ":"))
        with path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())


class Case(NamedTuple):
    """One arm of one setting with one seed: what its rates are worth, and its short runs."""

    setting: str
    arm: str
    test: Mapping[int, float]  # power -> share right on test at full length
    runs: Mapping[str, Mapping[int, Mapping[str, Any]]]  # length -> power -> line


def cases_of(lines: Sequence[Mapping[str, Any]], bank: Path) -> list[Case]:
    """The arms of which all runs are there; the centre at full length is the bank's."""
    from bank import lines_of as bank_lines

    centre = {
        (line["setting"], line["arm"], line["seed"]): cell["test"]["score"]
        for line in bank_lines(bank)
        for cell in line.get("cells", ())
        if "test" in cell
    }
    runs: dict[tuple[str, str, int], dict[str, dict[int, Mapping[str, Any]]]] = {}
    for line in lines:
        key = key_of(line)
        runs.setdefault(key[:3], {}).setdefault(key.length, {})[key.power] = line
    return [
        Case(
            name[0],
            name[1],
            {0: centre[name], **{power: line["test"] for power, line in found["full"].items()}},
            found,
        )
        for name, found in runs.items()
        if all(len(found.get(length, ())) == len(powers) for length, powers in LENGTHS.items())
    ]


def chosen(case: Case, length: str, centre: int) -> int:
    """The power that a race's bracket around this centre chooses by runs so long.

    A rate beyond those that were run counts as hopeless.
    """
    arm = ArmPlan.model_construct(
        name=case.arm, centre_rate=FACTOR**centre, renderings=("chat",)
    )  # fmt: skip
    settings = Settings.model_construct(rate_factors=(1 / FACTOR, 1.0, FACTOR), seed=0)
    bracket = Bracket(arm, settings)
    while trials := bracket.open_trials():
        for trial in trials:
            line = case.runs[length].get(round(math.log(trial.rate, FACTOR)))
            bracket.read(_scored(trial, line))
    decision = bracket.decision()
    if decision is None:
        raise ValueError(f"{case.setting} {case.arm}: no rate was scored")
    return round(math.log(decision.rate, FACTOR))


def _scored(trial: Trial, line: Mapping[str, Any] | None) -> TrialScored:
    score, bits = (line["score"], line["bits"]) if line else (0.0, math.inf)
    error = math.sqrt(score * (1 - score) / VALIDATION)
    primary = Measured(
        value=score, standard_error=error, n=VALIDATION, unit="exact_match", better="higher"
    )
    likelihood = Measured(
        value=bits, standard_error=None, n=VALIDATION, unit="bits_per_byte", better="lower"
    )
    return TrialScored.model_construct(
        trial=trial, primary=primary, likelihood=likelihood, tokens=0
    )  # fmt: skip


def show(cases: Sequence[Case]) -> None:
    """What choosing by short runs loses at full length, where the centre is right and where not."""
    names = list(dict.fromkeys(case.setting for case in cases))
    print(f"{len(cases)} arms of {len(names)} settings\n")
    print("| centre | chosen by | a third | centre | three times | further | lost | worst |")
    print("|---" * 8 + "|")
    for centre in (0, -1, 1):
        rules: dict[str, Callable[[Case], int]] = {"nothing: it stays": lambda _, at=centre: at}
        for length, title in TITLES.items():
            if centre == 0 or length != "eighth":
                rules[title] = lambda case, by=length, at=centre: chosen(case, by, at)
        for title, rule in rules.items():
            picks = [rule(case) for case in cases]
            lost = [
                max(case.test.values()) - case.test.get(pick, min(case.test.values()))
                for case, pick in zip(cases, picks, strict=True)
            ]
            counts = [picks.count(power) for power in NEAR]
            low, high = over_settings(
                {n: [x for x, c in zip(lost, cases, strict=True) if c.setting == n] for n in names},
                np.random.default_rng(0),
            )
            cells = [CENTRES[centre], title, *counts, len(picks) - sum(counts)]
            told = f"{np.mean(lost):.4f} [{low:.4f}, {high:.4f}] | {max(lost):.3f}"
            print("| " + " | ".join(str(cell) for cell in cells) + f" | {told} |")


def main() -> None:
    """Train what is missing, or show what is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/rates.jsonl"))
    parser.add_argument("--jobs", default="1/1", help="which share of the runs: 1/2 or 2/2")
    parser.add_argument("--bank", type=Path, help="show: the bank, for the centre at full length")
    given = parser.parse_args()
    if given.bank:
        show(cases_of(lines_of(given.out), given.bank))
    else:
        run(given.out, given.jobs)


if __name__ == "__main__":
    main()
