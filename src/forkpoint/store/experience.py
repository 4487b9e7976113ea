"""What earlier races teach: how far estimates were off here, which stages won, seed noise."""

from collections.abc import Callable, Collection, Sequence
from math import exp, log, sqrt
from statistics import median

from forkpoint.facts.machine import MachineFacts
from forkpoint.record import Record
from forkpoint.store.past_race import PastArm, PastRace

DOUBT_RACES = 2.0  # races that say "no correction", beside those that were run
MOST_FACTOR = 4.0  # an estimate is never moved further than this by experience
GB = 1e9  # bytes
LIKE_TWINS = 1.5  # sizes of the two checkpoints of a tally differ by less than this


class Experience(Record):
    """By how much an estimate is multiplied, and on what ground."""

    factor: float
    trials: int
    races: int


class Tally(Record):
    """On how many earlier races of a kind each stage was named."""

    races: int
    wins: dict[str, int]  # stage -> races


def machine_key(machine: MachineFacts, device: str, workers: int) -> str:
    """A machine and how it is used, as far as speed and memory depend on it.

    >>> from forkpoint.facts.machine import MachineFacts
    >>> here = MachineFacts(system="Linux x86_64", cores=2, memory_bytes=8 * 10**9,
    ...     available_bytes=4 * 10**9, disk_free_bytes=0)
    >>> machine_key(here, "cpu", 2)
    'Linux x86_64, 2 cores, 8 GB, cpu x 2'
    """
    cards = ", ".join(gpu.name for gpu in machine.gpus) if device != "cpu" else "cpu"
    memory = round(machine.memory_bytes / GB)
    return f"{machine.system}, {machine.cores} cores, {memory} GB, {cards} x {workers}"


def experience(races: Sequence[PastRace], machine: str, of: str) -> dict[str, Experience]:
    """Approach -> correction of "seconds" or "bytes" on a machine; no entry without experience.

    A race counts once for an approach, by the ratio of what was measured to what had been
    predicted over all its trials; the median over races is drawn towards 1 by DOUBT_RACES.
    """
    pair: Callable[[PastArm], tuple[float, float]] = {"seconds": _seconds, "bytes": _bytes}[of]
    ratios: dict[str, list[float]] = {}
    trials: dict[str, int] = {}
    for race in races:
        if race.machine != machine:
            continue
        for approach in dict.fromkeys(arm.approach for arm in race.arms):
            arms = [arm for arm in race.arms if arm.approach == approach and all(pair(arm))]
            if arms:
                real = sum(pair(arm)[0] for arm in arms)
                ratios.setdefault(approach, []).append(real / sum(pair(arm)[1] for arm in arms))
                trials[approach] = trials.get(approach, 0) + sum(arm.trials for arm in arms)
    return {
        approach: Experience(factor=shrunk(found), trials=trials[approach], races=len(found))
        for approach, found in ratios.items()
    }


def shrunk(ratios: Sequence[float]) -> float:
    """The median ratio, drawn towards 1 as if DOUBT_RACES more had shown no error.

    >>> round(shrunk([2.0, 2.0]), 3), round(shrunk([2.0] * 18), 3)
    (1.414, 1.866)
    """
    weight = len(ratios) / (len(ratios) + DOUBT_RACES)
    factor = exp(weight * log(median(ratios)))
    return min(MOST_FACTOR, max(1 / MOST_FACTOR, factor))


class SeedTally(Record):
    """The noise between training seeds that earlier races measured."""

    sd: float  # pooled over the repeats, in units of the metric
    repeats: int  # trainings beyond an arm's first
    races: int


def stage_tally(races: Sequence[PastRace], job: str, answer_kind: str) -> Tally:
    """Who was named on earlier races of a kind in which several stages of like size competed."""
    wins: dict[str, int] = {}
    count = 0
    for race in races:
        alike = race.job == job and race.answer_kind == answer_kind
        if not alike or race.stage is None or not _stages_competed(race):
            continue
        count += 1
        wins[race.stage] = wins.get(race.stage, 0) + 1
    return Tally(races=count, wins=wins)


def stage_differences(
    races: Sequence[PastRace],
    kind: tuple[str, str],
    favoured: Collection[str],
    others: Collection[str],
) -> tuple[float, ...]:
    """Best test score of favoured stages minus that of the others, for each earlier race of a kind
    (job, answer kind) in which arms of both, of like size, answered the test rows."""
    found = []
    for race in races:
        if (race.job, race.answer_kind) != kind:
            continue
        ours, theirs = _tested(race, favoured), _tested(race, others)
        pairs = [(a, b) for a in ours for b in theirs if _alike(a, b)]
        if pairs:
            best, rival = (
                max(arm.test or 0.0 for arm in side) for side in zip(*pairs, strict=True)
            )
            found.append(best - rival)
    return tuple(found)


def seed_sd(races: Sequence[PastRace], metric: str) -> SeedTally | None:
    """The SD over training seeds of a metric, pooled over races; None without any repeat."""
    found = [
        (race.seed_sd, race.seed_repeats)
        for race in races
        if race.metric == metric and race.seed_sd is not None and race.seed_repeats > 0
    ]
    repeats = sum(count for _, count in found)
    if not repeats:
        return None
    pooled = sqrt(sum(sd**2 * count for sd, count in found) / repeats)
    return SeedTally(sd=pooled, repeats=repeats, races=len(found))


def _tested(race: PastRace, stages: Collection[str]) -> list[PastArm]:
    return [arm for arm in race.arms if arm.stage in stages and arm.test is not None]


def _alike(one: PastArm, other: PastArm) -> bool:
    """Whether two checkpoints are of like size."""
    if not one.parameters or not other.parameters:
        return False
    return 1 / LIKE_TWINS < one.parameters / other.parameters < LIKE_TWINS


def _stages_competed(race: PastRace) -> bool:
    winner = next((arm for arm in race.arms if arm.name == race.arm), None)
    if winner is None or not winner.parameters:
        return False
    return any(
        _alike(arm, winner)
        for arm in race.arms
        if arm.stage is not None and arm.stage != winner.stage
    )


def _seconds(arm: PastArm) -> tuple[float, float]:
    return arm.seconds, arm.predicted_seconds


def _bytes(arm: PastArm) -> tuple[float, float]:
    return float(arm.peak_bytes or 0), float(arm.predicted_bytes or 0)
