"""Fresh trainings of one arm on nested subsets, after its race: how its score grows with rows.

The trials lie in RUN/enough/ARM, a small run folder with a ledger of its own, so they resume as a
race does. The rate is the one the race chose; the test set is not touched.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import orjson

from forkpoint.errors import BadInput
from forkpoint.ledger import (
    Agreement,
    AnyLine,
    ArmPlan,
    Book,
    RateChosen,
    RungPlan,
    Trial,
    TrialFailed,
    TrialScored,
    read_lines,
    write_whole,
)
from forkpoint.plan.lengths import STEPS_FOR_A_RUNG
from forkpoint.race.diet import task_ids
from forkpoint.race.driver import AGREEMENT, predicted_seconds, read_agreement
from forkpoint.race.executor import Executor
from forkpoint.race.rows_file import ROWS
from forkpoint.race.verdict_writer import VERDICT
from forkpoint.race.weights import WEIGHTS
from forkpoint.race.work import TrialWork, Work
from forkpoint.verdict.contrast import SeedNoise, seed_noise
from forkpoint.verdict.enough import FEWEST_SIZES, Enough, SizeScores, enough
from forkpoint.verdict.resample import Sample, sample_of
from forkpoint.verdict.verdict_record import Verdict

FOLDER = "enough"  # in the run folder
RESULT = "enough.json"
SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)  # of the rows: each size doubles the one before
SEEDS = 3  # of each size: other rows, another order, another start


class Audience(Protocol):
    """Who is told how far the trials are."""

    def finished(self, line: TrialScored | TrialFailed, rows: int) -> None:
        """A trial on so many rows came to its end."""
        ...


@dataclass(frozen=True)
class NestedPlan:
    """The trials that an answer needs, and those that are there."""

    run: Path
    folder: Path
    agreement: Agreement  # the race's, with the sizes as its rungs
    arm: ArmPlan
    there: dict[Trial, tuple[Path, TrialScored]]  # the folder its answers are in
    open_trials: tuple[Trial, ...]
    tokens: int  # of the open trials
    seconds: float  # that they should take


def plan_nested(run: Path, arm_name: str | None, seeds: int = SEEDS) -> NestedPlan:
    """What has to be trained for an answer; raises BadInput when the run cannot give one."""
    agreement = read_agreement(run)
    lines = read_lines(run)
    arm = _arm(run, agreement, lines, arm_name)
    chosen = [line for line in lines if isinstance(line, RateChosen) and line.arm == arm.name]
    if not chosen:
        raise BadInput("enough.no_rate", arm=arm.name, folder=run)
    rungs = nested_rungs(len(task_ids(agreement, arm)), agreement)
    folder = run / FOLDER / arm.name
    settings = agreement.settings.model_copy(update={"rate_horizon": 0.0})  # sizes share a rate
    nested = agreement.model_copy(update={"rungs": rungs, "arms": (arm,), "settings": settings})
    seed = agreement.settings.seed
    wanted = [
        Trial(
            arm=arm.name,
            rung=rung.index,
            rate=chosen[-1].rate,
            seed=seed + extra,
            rendering=chosen[-1].rendering,
        )
        for extra in range(seeds)
        for rung in rungs
    ]
    there = _there(run, folder, agreement, rungs, wanted, lines)
    failed = {line.trial for line in read_lines(folder) if isinstance(line, TrialFailed)}
    open_trials = tuple(trial for trial in wanted if trial not in there and trial not in failed)
    shares = {rung.index: rung.share for rung in rungs}
    return NestedPlan(
        run=run,
        folder=folder,
        agreement=nested,
        arm=arm,
        there=there,
        open_trials=open_trials,
        tokens=round(sum(arm.full_tokens * shares[trial.rung] for trial in open_trials)),
        seconds=sum(predicted_seconds(nested, TrialWork(trial=trial)) for trial in open_trials)
        / agreement.settings.workers,
    )


def nested_rungs(rows: int, agreement: Agreement) -> tuple[RungPlan, ...]:
    """Sizes that double, each for the race's number of passes; raises BadInput when too few."""
    settings = agreement.settings
    full = max(1, round(rows * settings.passes / settings.rows_per_step))
    rungs: list[RungPlan] = []
    for share in SHARES:
        size = round(rows * share)
        steps = full if share == 1.0 else round(size * settings.passes / settings.rows_per_step)
        if steps >= STEPS_FOR_A_RUNG:
            rungs.append(
                RungPlan(
                    index=len(rungs) + 1,
                    unique_rows=size,
                    passes=steps * settings.rows_per_step / size,
                    steps=steps,
                    share=steps / full,
                )
            )
    if len(rungs) < FEWEST_SIZES:
        raise BadInput("enough.too_few_rows", rows=rows, sizes=len(rungs), least=FEWEST_SIZES)
    return tuple(rungs)


def _arm(run: Path, agreement: Agreement, lines: Sequence[AnyLine], asked: str | None) -> ArmPlan:
    """The arm asked for, else the one that the verdict names; raises BadInput."""
    arms = {arm.name: arm for arm in agreement.arms}
    if asked is not None:
        if asked not in arms:
            raise BadInput("enough.no_arm", arm=asked, known=", ".join(arms))
        return arms[asked]
    try:
        named = Verdict.from_json((run / VERDICT).read_bytes()).arm
    except FileNotFoundError:
        raise BadInput("enough.no_verdict", folder=run, known=", ".join(arms)) from None
    if named is None:
        raise BadInput("enough.no_verdict", folder=run, known=", ".join(arms))
    return arms[named]


def _there(
    run: Path,
    folder: Path,
    agreement: Agreement,
    rungs: Sequence[RungPlan],
    wanted: Sequence[Trial],
    lines: Sequence[AnyLine],
) -> dict[Trial, tuple[Path, TrialScored]]:
    """Trials that were scored here before, and the race's own where they are the same training."""
    found: dict[Trial, tuple[Path, TrialScored]] = {}
    same = {
        (rung.unique_rows, rung.steps): rung.index
        for rung in rungs
    }  # fmt: skip
    as_nested = {rung.index: same.get((rung.unique_rows, rung.steps)) for rung in agreement.rungs}
    for line in lines:
        if isinstance(line, TrialScored) and (index := as_nested.get(line.trial.rung)):
            trial = line.trial.model_copy(update={"rung": index})
            same_rate = agreement.run_rate(line.trial) == trial.rate
            if trial in wanted and same_rate and (run / line.answers).exists():
                found[trial] = run, line
    for line in read_lines(folder):
        if isinstance(line, TrialScored):
            found[line.trial] = folder, line
    return {trial: found[trial] for trial in wanted if trial in found}


def run_nested(plan: NestedPlan, executor: Executor, audience: Audience) -> None:
    """Train what is missing; each outcome is in the ledger before the next begins."""
    if not plan.open_trials:
        return
    _prepare(plan)
    sizes = {rung.index: rung.unique_rows for rung in plan.agreement.rungs}
    with Book(plan.folder) as book:
        works = [TrialWork(trial=trial) for trial in plan.open_trials]
        for outcome in executor.run(works, _Unwatched()):
            if not isinstance(outcome.work, TrialWork):
                continue
            trial = outcome.work.trial
            line: TrialScored | TrialFailed
            if failed := outcome.values.get("failed"):
                line = TrialFailed(
                    trial=trial,
                    attempt=1,
                    tokens=int(outcome.values.get("tokens", 0)),
                    seconds=outcome.seconds,
                    key=failed["key"],
                    values=failed["values"],
                    retry=None,
                )
            else:
                values = {**outcome.values, "seconds": outcome.seconds}
                line = TrialScored.model_validate(values)
            book.append(line)
            shutil.rmtree(plan.folder / trial.folder / WEIGHTS, ignore_errors=True)
            audience.finished(line, sizes[trial.rung])


def _prepare(plan: NestedPlan) -> None:
    """A run folder that trial children can read."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    write_whole(plan.folder / AGREEMENT, plan.agreement.to_json(indent=1).encode())
    rows = plan.folder / ROWS
    if not rows.exists():
        try:
            os.link(plan.run / ROWS, rows)
        except OSError:
            shutil.copy(plan.run / ROWS, rows)


class _Unwatched:
    """Only ends of trials are told."""

    def started(self, work: Work) -> None:
        """Nothing is shown."""

    def progressed(self, work: Work, values: dict[str, Any]) -> None:
        """Nothing is shown."""


def answer_enough(run: Path, arm_name: str | None, seeds: int, target: float | None) -> Enough:
    """The answer from all trials that are there, written to RUN/enough/ARM/enough.json."""
    plan = plan_nested(run, arm_name, seeds)
    settings = plan.agreement.settings
    by_size: dict[int, list[Sample]] = {}
    scores: dict[str, list[float]] = {}
    outcomes: list[dict[str, Any]] = []
    for trial, (folder, line) in plan.there.items():
        outcomes = [
            orjson.loads(piece)
            for piece in (folder / line.answers).read_bytes().split(b"\n")
            if piece
        ]
        sample = _sample(outcomes, settings.metric)
        by_size.setdefault(trial.rung, []).append(sample)
        scores.setdefault(str(trial.rung), []).append(float(sample.value()[0]))
    sizes = [
        SizeScores(rows=rung.unique_rows, steps=rung.steps, samples=by_size[rung.index])
        for rung in plan.agreement.rungs
        if rung.index in by_size
    ]
    noise: SeedNoise = seed_noise(scores, settings.known_seed_sd)
    trained = [line for folder, line in plan.there.values() if folder == plan.folder]
    found = enough(
        plan.arm.name,
        sizes,
        noise,
        metric=settings.metric,
        margin=settings.margin,
        passes=settings.passes,
        rows=len(task_ids(plan.agreement, plan.arm)),
        trivial=_trivial(outcomes, settings.metric),
        target=target,
        tokens=sum(line.tokens for line in trained),
        seed=settings.seed,
    )
    write_whole(plan.folder / RESULT, found.to_json(indent=1).encode() + b"\n")
    return found


def _sample(outcomes: Sequence[dict[str, Any]], metric: str) -> Sample:
    """Higher is better; bits per byte become their negative."""
    if metric != "bits_per_byte":
        return sample_of(outcomes, metric)
    return Sample(
        np.array(
            [-(one["expected_bits"] or 0.0) / max(one["expected_bytes"], 1) for one in outcomes]
        )
    )


def _trivial(outcomes: Sequence[dict[str, Any]], metric: str) -> float | None:
    """What the most common expected answer scores when it is said to every row."""
    if metric == "bits_per_byte" or not outcomes:
        return None
    golds = [one["gold"] for one in outcomes]
    common = max(sorted(set(golds)), key=golds.count)
    said = [{"score": float(gold == common), "gold": gold, "said": common} for gold in golds]
    return float(sample_of(said, metric).value()[0])
