"""Races on the pocket family against brute force, seed by seed; resumes where it stopped.

    python benchmarks/pocket_races.py --set tickets --seeds 6 --out runs/pocket-races
    python benchmarks/pocket_races.py --set tickets --seeds 6 --out runs/pocket-races --show

For each seed the race is run live under its budget, then every arm at every rate of its bracket is
trained to full length and the two leaders by validation are repeated with the race's number of
seeds. Brute force names its leader by validation; the regret of a verdict is what the arm it names
loses on test against that leader, both as brute force trained them. On the set `even` no arm can
be better than another, so that the kind of verdict is what counts and brute force is not run: its
tokens are those of the plan. `--brute docs/studies/pocket_races.jsonl` takes the brute force that
is kept there, where rows, arms, rates and full length are still the same; `--pack FILE` writes the
figures of both sets as such a file.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forkpoint.data import bundled
from forkpoint.ledger import Agreement, AnswersMade, Trial, TrialScored
from forkpoint.race.driver import AGREEMENT, read_agreement, run_race
from forkpoint.race.executor import LocalExecutor
from forkpoint.race.ground import threads_each
from forkpoint.race.request import RaceRequest
from forkpoint.race.setup import prepare
from forkpoint.race.terminal import Terminal
from forkpoint.race.work import AnswerWork, TrialWork, Work

MODELS = ("pocket-base", "pocket-instruct", "pocket-chat")
BUDGET = "50%"


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", choices=("tickets", "even"), default="tickets")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--out", type=Path, default=Path("runs/pocket-races"))
    parser.add_argument("--brute", type=Path, help="packed figures, whose brute force is kept")
    parser.add_argument("--pack", type=Path, help="write what is there of both sets, run nothing")
    parser.add_argument("--show", action="store_true", help="print what is there, run nothing")
    given = parser.parse_args()
    if given.pack:
        pack(given.out, given.pack)
        return
    results = []
    for seed in range(given.seeds):
        path = given.out / f"{given.set}-{seed}.json"
        if not path.exists() and not given.show:
            found = one_seed(given.set, seed, given.out, given.brute)
            path.write_text(json.dumps(found, indent=1))
        if path.exists():
            results.append(json.loads(path.read_text()))
    show(given.set, results)


def one_seed(name: str, seed: int, out: Path, earlier: Path | None) -> dict[str, Any]:
    """A race and its brute force; plain figures."""
    folder = out / f"{name}-{seed}-race"
    with Terminal("en") as terminal:
        if not (folder / AGREEMENT).exists():
            request = RaceRequest(
                data=str(bundled(name)), models=MODELS, budget=BUDGET, seed=seed, data_format=None
            )
            prepare(request, folder, terminal)
        agreement = read_agreement(folder)
        workers = agreement.settings.workers
        executor = LocalExecutor(folder, workers, threads_each(agreement.settings))
        verdict = run_race(folder, executor, terminal)
    if name == "even":
        brute = planned(agreement)
    elif earlier:
        brute = kept(earlier, seed, agreement)
    else:
        brute = brute_force(folder, out / f"{name}-{seed}-brute", agreement)
    named, leader = verdict.arm, brute["leader"]
    regret = brute["test"][leader] - brute["test"][named] if named and leader else None
    return {
        "set": name,
        "seed": seed,
        "trained": trained_on(agreement),
        "kind": verdict.kind,
        "named": named,
        "p_best": verdict.p_best,
        "leader": leader,
        "regret": regret,
        "margin": verdict.margin,
        "race_tokens": verdict.spent_tokens,
        "brute_tokens": brute["tokens"],
        "share": verdict.spent_tokens / brute["tokens"],
        "race_seconds": verdict.seconds,
        "brute_seconds": brute["seconds"],
        "predicted_seconds": verdict.predicted_seconds,
        "test": brute["test"],
        "headline": verdict.headline.model_dump() if verdict.headline else None,
        "race_test": {r.arm: r.test.value for r in verdict.results if r.test},
    }


class Silence:
    """Nobody watches brute force."""

    def started(self, work: Work) -> None:
        """Nothing is shown."""

    def progressed(self, work: Work, values: dict[str, Any]) -> None:
        """Nothing is shown."""


def planned(agreement: Agreement) -> dict[str, Any]:
    """Brute force's cost without running it."""
    return {"leader": None, "test": {}, "tokens": agreement.brute_force_tokens, "seconds": None}


def trained_on(agreement: Agreement) -> dict[str, Any]:
    """What two agreements share whose full-length trainings are the same."""
    return {
        "test_sha256": agreement.test_sha256,
        "full_length": agreement.rungs[-1].model_dump(exclude={"index"}),
        "arms": [[arm.name, arm.centre_rate, *arm.renderings] for arm in agreement.arms],
    }


def kept(packed: Path, seed: int, agreement: Agreement) -> dict[str, Any]:
    """The brute force of an earlier race that was agreed on the same trainings."""
    lines = [json.loads(line) for line in packed.read_text(encoding="utf-8").splitlines()]
    found = next(one for one in lines if (one["set"], one["seed"]) == ("tickets", seed))
    for name, now in trained_on(agreement).items():
        if found["trained"][name] != now:
            raise SystemExit(f"{packed}, seed {seed}: {name} is not the same any more")
    return {"leader": found["leader"], "test": found["test"], "tokens": found["brute_tokens"],
            "seconds": found["brute_seconds"]}  # fmt: skip


def pack(out: Path, packed: Path) -> None:
    """One line a race."""
    races = [*sorted(out.glob("tickets-?.json")), *sorted(out.glob("even-?.json"))]
    lines = [json.dumps(json.loads(race.read_text())) for race in races]
    packed.write_text("\n".join(lines) + "\n", encoding="utf-8")


def brute_force(race: Path, folder: Path, agreement: Agreement) -> dict[str, Any]:
    """Every arm at every rate to full length, the leaders repeated, the best of each on test."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in (AGREEMENT, "rows.jsonl"):
        shutil.copy(race / file, folder / file)
    settings = agreement.settings
    full = agreement.rungs[-1].index
    executor = LocalExecutor(folder, settings.workers, threads_each(settings))
    done: dict[Trial, TrialScored] = {}
    first = [
        Trial(arm=arm.name, rung=full, rate=float(f"{arm.centre_rate * factor:.2e}"),
              seed=settings.seed, rendering=rendering)
        for arm in agreement.arms
        for rendering in arm.renderings
        for factor in settings.rate_factors
    ]  # fmt: skip
    seconds = _run_trials(executor, first, done)
    best: dict[str, Trial] = {}
    for trial, line in done.items():
        if trial.arm not in best or _value(line) > _value(done[best[trial.arm]]):
            best[trial.arm] = trial
    leaders = sorted(best, key=lambda arm: -_value(done[best[arm]]))[:2]
    repeats = [
        best[arm].model_copy(update={"seed": settings.seed + extra})
        for arm in leaders
        for extra in range(1, settings.finalist_seeds)
    ]
    seconds += _run_trials(executor, repeats, done)
    test = _test(executor, agreement, best, repeats)

    def validated(arm: str) -> float:
        trials = [best[arm], *(trial for trial in repeats if trial.arm == arm)]
        scores = [_value(done[trial]) for trial in trials if trial in done]
        return sum(scores) / len(scores)

    for arm in agreement.arms:
        shutil.rmtree(folder / "arms" / arm.name, ignore_errors=True)
    return {
        "leader": max(leaders, key=validated),
        "test": test,
        "tokens": sum(line.tokens for line in done.values()),
        "seconds": seconds / settings.workers,
    }


def _value(line: TrialScored) -> float:
    return line.primary.value if line.primary.value is not None else float("-inf")


def _run_trials(
    executor: LocalExecutor, trials: Sequence[Trial], done: dict[Trial, TrialScored]
) -> float:
    seconds = 0.0
    for outcome in executor.run([TrialWork(trial=trial) for trial in trials], Silence()):
        seconds += outcome.seconds
        if "failed" not in outcome.values:
            values = {**outcome.values, "seconds": outcome.seconds}
            line = TrialScored.model_validate(values)
            done[line.trial] = line
    return seconds


def _test(
    executor: LocalExecutor, agreement: Agreement, best: dict[str, Trial], repeats: Sequence[Trial]
) -> dict[str, float]:
    """Mean test score of every arm over its seeds."""
    plans = {arm.name: arm for arm in agreement.arms}
    works = [
        AnswerWork(subject=trial.arm, checkpoint=plans[trial.arm].checkpoint, split="test",
                   trial=trial)
        for trial in (*best.values(), *repeats)
    ]  # fmt: skip
    scores: dict[str, list[float]] = {}
    for outcome in executor.run(works, Silence()):
        line = AnswersMade.model_validate({**outcome.values, "seconds": outcome.seconds})
        if line.primary.value is not None:
            scores.setdefault(line.arm, []).append(line.primary.value)
    return {arm: sum(values) / len(values) for arm, values in scores.items()}


def show(name: str, results: list[dict[str, Any]]) -> None:
    """The table, and how many verdicts hold."""
    print(f"{name}: seed, verdict, named, brute force's leader, regret, share of tokens, seconds")
    good = 0
    for found in results:
        inside = found["regret"] is not None and found["regret"] <= found["margin"]
        open_verdict = found["kind"] in ("equal_enough", "not_enough_evidence", "floor")
        good += inside or found["named"] == found["leader"] if name == "tickets" else open_verdict
        regret = "-" if found["regret"] is None else f"{found['regret']:+.3f}"
        print(
            f"  {found['seed']}  {found['kind']:20} {found['named']!s:22} {found['leader']!s:22} "
            f"{regret:>7}  {found['share']:.0%}  {found['race_seconds']:.0f} s"
        )
    print(f"{good} of {len(results)} hold")


if __name__ == "__main__":
    main()
