"""From a finished run folder to what the store keeps of it, and from the store to a plan."""

import hashlib
from collections.abc import Mapping, Sequence
from math import sqrt
from pathlib import Path

from forkpoint.data.profile_record import DataProfile
from forkpoint.errors import BadInput
from forkpoint.facts.machine import MachineFacts
from forkpoint.ledger import (
    Agreement,
    AnyLine,
    ArmPlan,
    Correction,
    OwnSeedNoise,
    RaceEnded,
    Settings,
    TrialScored,
    TrialStarted,
    read_lines,
)
from forkpoint.race.driver import AGREEMENT, read_agreement
from forkpoint.race.verdict_writer import VERDICT
from forkpoint.store import PastArm, PastRace, Shelf, experience, machine_key, seed_sd
from forkpoint.verdict.contrast import KNOWN_SEED_FREEDOM, KNOWN_SEED_SD
from forkpoint.verdict.verdict_record import ArmResult, Verdict

MOST_OWN_FREEDOM = 12  # repeats of other tasks: together never worth more than this [ruled]


def keep_race(folder: Path) -> str | None:
    """Keep a finished race in the store; its id, None when the store is off. Raises BadInput."""
    with Shelf() as shelf:
        if not shelf.is_on:
            return None
        race = past_race(folder)
        shelf.keep(race)
    return race.race_id


def corrections(
    machine: MachineFacts, settings: Settings
) -> tuple[dict[str, Correction], dict[str, Correction]]:
    """What earlier races here say of predicted seconds and of predicted memory, by approach."""
    with Shelf() as shelf:
        races = shelf.usable()
    key = machine_key(machine, settings.device, settings.workers)
    seconds, peaks = (
        {
            approach: Correction(factor=found.factor, trials=found.trials, races=found.races)
            for approach, found in experience(races, key, of).items()
        }
        for of in ("seconds", "bytes")
    )
    return seconds, peaks


def seed_noise_known(metric: str) -> tuple[float, OwnSeedNoise | None]:
    """The SD between training seeds to assume before a race, and the part of own races in it.

    Earlier races of the metric weigh by their repeats, up to MOST_OWN_FREEDOM of them: their
    tasks were others. Published studies weigh KNOWN_SEED_FREEDOM.
    """
    with Shelf() as shelf:
        found = seed_sd(shelf.usable(), metric)
    if found is None:
        return KNOWN_SEED_SD, None
    own = float(min(found.repeats, MOST_OWN_FREEDOM))
    freedom = own + KNOWN_SEED_FREEDOM
    variance = (own * found.sd**2 + KNOWN_SEED_FREEDOM * KNOWN_SEED_SD**2) / freedom
    return sqrt(variance), OwnSeedNoise(
        sd=found.sd,
        repeats=found.repeats,
        races=found.races,
        weight=own / freedom,
        freedom=freedom,
    )


def past_race(folder: Path) -> PastRace:
    """The facts and figures of a finished race; raises BadInput when it has not ended."""
    agreed = read_agreement(folder)
    lines = read_lines(folder)
    ended = next((line for line in lines if isinstance(line, RaceEnded)), None)
    if ended is None or not (folder / VERDICT).exists():
        raise BadInput("store.not_ended", folder=folder)
    verdict = Verdict.from_json((folder / VERDICT).read_bytes())
    profile = DataProfile.from_json(agreed.profile_json)
    results = {result.arm: result for result in verdict.results}
    stages = {arm.name: arm.stage for arm in agreed.arms}
    measured_sd = verdict.seed_sd if verdict.seed_sd and verdict.seed_sd.n else None
    return PastRace(
        race_id=hashlib.sha256((folder / AGREEMENT).read_bytes()).hexdigest()[:16],
        created=agreed.created,
        ended=ended.time,
        forkpoint_version=agreed.forkpoint_version,
        data_sha256=agreed.data_sha256,
        test_sha256=agreed.test_sha256,
        rows=len(agreed.train_ids),
        test_rows=len(agreed.test_ids),
        job=profile.job,
        answer_kind=profile.answer_kind,
        languages=profile.languages,
        metric=verdict.metric,
        machine=machine_key(agreed.machine, agreed.settings.device, agreed.settings.workers),
        machine_text=agreed.machine.system,
        verdict=verdict.kind,
        fork_point=verdict.fork_point,
        arm=verdict.arm,
        stage=stages.get(verdict.arm or ""),
        p_best=verdict.p_best,
        seed_sd=measured_sd.value if measured_sd else None,
        seed_repeats=measured_sd.n or 0 if measured_sd else 0,
        tokens=verdict.spent_tokens,
        seconds=verdict.seconds,
        predicted_seconds=agreed.predicted_seconds,
        arms=tuple(_past_arm(agreed, arm, results[arm.name], lines) for arm in agreed.arms),
    )


def _past_arm(
    agreed: Agreement, arm: ArmPlan, result: ArmResult, lines: Sequence[AnyLine]
) -> PastArm:
    found = agreed.checkpoints[arm.checkpoint]
    done, predicted = _trials(arm.name, lines)
    factor = agreed.corrections[arm.approach].factor if arm.approach in agreed.corrections else 1.0
    memory = arm.memory
    return PastArm(
        name=arm.name,
        checkpoint=arm.checkpoint,
        identity=found.identity,
        family=found.family,
        stage=arm.stage,
        post_training=found.post_training.value,
        parameters=found.shape.parameters,
        approach=arm.approach,
        test=result.test.value if result.test else None,
        validation=result.validation.value if result.validation else None,
        p_best=result.p_best,
        rate=result.rate,
        tokens=result.tokens,
        trials=len(done),
        seconds=sum(line.seconds for line in done),
        predicted_seconds=sum(predicted.get(line.trial.folder, 0.0) for line in done) / factor,
        peak_bytes=max((line.peak_bytes or 0 for line in done), default=0) or None,
        predicted_bytes=round(memory.estimated_bytes / memory.correction) if memory else None,
    )


def _trials(arm: str, lines: Sequence[AnyLine]) -> tuple[list[TrialScored], Mapping[str, float]]:
    """The arm's trials that came to their end, and what was predicted for each."""
    predicted = {
        line.trial.folder: line.predicted_seconds
        for line in lines
        if isinstance(line, TrialStarted) and line.trial.arm == arm
    }
    scored = [line for line in lines if isinstance(line, TrialScored) and line.trial.arm == arm]
    return [line for line in scored if predicted.get(line.trial.folder)], predicted
