"""The ledger of a drawn race: three rates at the first rung, drops, finalists, the test."""

from collections.abc import Callable, Iterator
from math import sqrt

from race_records import ARMS, FULL_TOKENS, PREFERENCE, RUNGS, capability, checkpoint_of

from forkpoint.ledger import (
    Agreement,
    AnswersMade,
    ArmDropped,
    Finalists,
    GeneralMeasured,
    Line,
    Measured,
    RaceEnded,
    RacingEnded,
    RateChosen,
    Resumed,
    TestOpened,
    Trial,
    TrialFailed,
    TrialScored,
    TrialStarted,
)

FINALISTS = ("pocket-instruct.full", "pocket-chat.full", "pocket-instruct.lora", "pocket-base.full")
OUT_AFTER = {"pocket-base.lora": 1, "pocket-chat.lora": 2}
FAILED = "pocket-base.full"  # its largest rate diverged once
FACTORS = (1 / 3, 1.0, 3.0)
PENALTY = {1 / 3: 0.09, 1.0: 0.0, 3.0: 0.05}


def share_of(value: float, n: int, unit: str = "share") -> Measured:
    """A share with its normal interval."""
    value = min(max(value, 0.0), 1.0)
    error = sqrt(max(value * (1 - value), 0.25 / n) / n)
    return Measured(
        value=value,
        standard_error=error,
        low=max(value - 1.96 * error, 0.0),
        high=min(value + 1.96 * error, 1.0),
        n=n,
        unit=unit,
        better="higher",
    )


def bits(value: float, n: int, unit: str) -> Measured:
    """A likelihood figure, lower is better."""
    return Measured(
        value=value,
        standard_error=value * 0.06,
        low=value * 0.88,
        high=value * 1.12,
        n=n,
        unit=unit,
        better="lower",
    )


def trial_of(agreed: Agreement, arm: str, rung: int, factor: float, seed: int = 1) -> Trial:
    """A trial at a factor of the arm's centre rate."""
    plan = next(plan for plan in agreed.arms if plan.name == arm)
    return Trial(
        arm=arm,
        rung=rung,
        rate=plan.centre_rate * factor,
        seed=seed,
        rendering=plan.renderings[0],
    )


def scored(agreed: Agreement, arm: str, rung: int, factor: float, seed: int = 1) -> list[Line]:
    """A trial's start and its end."""
    trial = trial_of(agreed, arm, rung, factor, seed)
    level = capability(arm, RUNGS[rung - 1]) - PENALTY[factor] + 0.004 * (seed - 1)
    n = len(agreed.rung_validation_ids)
    tokens = int(FULL_TOKENS * RUNGS[rung - 1])
    lora = arm.endswith("lora")
    return [
        TrialStarted(
            trial=trial, attempt=1, predicted_seconds=tokens / 14_000 + 2, planned_tokens=tokens
        ),
        TrialScored(
            trial=trial,
            attempt=1,
            tokens=tokens,
            seconds=tokens / 12_500 + 2.4,
            train_seconds=tokens / 12_500,
            peak_bytes=612_000_000 if lora else 655_000_000,
            primary=share_of(level, n),
            secondary={"exact": share_of(level - 0.01, n)},
            likelihood=bits(2.2 * (1 - level) + (0.3 if "chat" in arm else 0.1), n, "bits/byte"),
            stop=share_of(min(0.5 + level / 2, 0.99), n),
            stop_bits=bits(1.4 * (1 - level) + 0.05, n, "bits"),
            final_loss=1.2 * (1 - level),
            answers=f"{trial.folder}/answers.jsonl",
            answers_sha256="00" * 32,
        ),
    ]


def answered(agreed: Agreement, subject: str, split: str) -> AnswersMade:
    """Answers of a finalist or an untrained checkpoint, scored."""
    level, before = capability(subject, 1.0), subject.endswith("untrained")
    n = len(agreed.test_ids if split == "test" else agreed.rung_validation_ids)
    return AnswersMade(
        arm=subject,
        split=split,  # type: ignore[arg-type]
        trial=None if before else trial_of(agreed, subject, 3, 1.0),
        primary=share_of(level, n),
        secondary={"exact": share_of(level - 0.01, n)},
        likelihood=bits(2.2 * (1 - level) + 0.1, n, "bits/byte"),
        stop=share_of(0.5 + level / 2, n),
        stop_bits=bits(1.4 * (1 - level) + 0.05, n, "bits"),
        seconds=2.0,
        answers=f"answers/{subject}.{split}.jsonl",
        answers_sha256="00" * 32,
    )


def racing(agreed: Agreement, spoil: Callable[[str], str], finished: bool) -> Iterator[Line]:
    """Everything before the test set is opened; unfinished: until the middle of rung 2."""
    for name in PREFERENCE:
        yield answered(agreed, f"{name}.untrained", "validation")
    for name in PREFERENCE:
        yield GeneralMeasured(
            subject=name,
            moment="before",
            trial=None,
            scores={"knowledge": share_of(0.9, 200), "instruction": share_of(0.5, 120)},
            seconds=3.1,
            outcomes=f"general/{name}.jsonl",
            outcomes_sha256="00" * 32,
        )
    for arm in ARMS:
        for factor in FACTORS:
            if arm == FAILED and factor == 3.0:
                trial = trial_of(agreed, arm, 1, factor)
                yield TrialStarted(
                    trial=trial, attempt=1, predicted_seconds=3.0, planned_tokens=15_500
                )
                yield TrialFailed(
                    trial=trial,
                    attempt=1,
                    tokens=4_200,
                    seconds=1.4,
                    key="train.diverged",
                    values={"step": 9, "steps": 27, "rate": spoil("3e-3")},
                    retry="rate",
                )
                continue
            yield from scored(agreed, arm, 1, factor)
        centre = trial_of(agreed, arm, 1, 1.0)
        tried = {
            f"{centre.rendering} {trial_of(agreed, arm, 1, factor).rate:.3e}": None
            if arm == FAILED and factor == 3.0
            else capability(arm, 0.25) - PENALTY[factor]
            for factor in FACTORS
        }
        yield RateChosen(
            arm=arm, rate=centre.rate, rendering=centre.rendering, tried=tried, at_edge=False
        )
    yield dropped("pocket-base.lora", 1, spoil)
    alive = [arm for arm in ARMS if OUT_AFTER.get(arm) != 1]
    for place, arm in enumerate(alive):
        if not finished and place == 2:
            trial = trial_of(agreed, arm, 2, 1.0)
            yield TrialStarted(trial=trial, attempt=1, predicted_seconds=4.2, planned_tokens=31_000)
            return
        yield from scored(agreed, arm, 2, 1.0)
    yield Resumed(lost_trials=())
    yield dropped("pocket-chat.lora", 2, spoil)
    for arm in FINALISTS:
        yield from scored(agreed, arm, 3, 1.0)
    for seed in (2, 3):
        for arm in FINALISTS[:2]:
            yield from scored(agreed, arm, 3, 1.0, seed)


def dropped(arm: str, rung: int, spoil: Callable[[str], str]) -> ArmDropped:
    """An arm that leaves the race by the engine's word."""
    return ArmDropped(
        arm=arm,
        rung=rung,
        key="engine.dropped",
        p_best=0.004,
        values={
            "rung": rung,
            "p_best": 0.004,
            "value": 0.741,
            "leader": spoil("pocket-instruct.full"),
            "leader_value": 0.934,
        },
    )


def closing(agreed: Agreement) -> Iterator[Line]:
    """The choice, the test set, its answers, and general ability after training."""
    seeds = {arm: (1, 2, 3) if arm in FINALISTS[:2] else (1,) for arm in FINALISTS}
    yield RacingEnded(key="engine.stop-budget", values={"spent": 548_700.0, "budget": 669_600.0})
    yield Finalists(
        roles=dict(zip(("winner", "runner_up", "cheapest", "other_stage"), FINALISTS, strict=True)),
        trials={
            arm: tuple(trial_of(agreed, arm, 3, 1.0, seed) for seed in seeds[arm])
            for arm in FINALISTS
        },
        p_best=dict(zip(ARMS, (0.0, 0.01, 0.18, 0.7, 0.0, 0.11), strict=True)),
        predicted={arm: (capability(arm, 1.0), 0.012) for arm in ARMS},
    )
    yield TestOpened(test_sha256=agreed.test_sha256, times=1)
    for subject in (*FINALISTS, *(f"{name}.untrained" for name in PREFERENCE)):
        yield answered(agreed, subject, "test")
    for arm in FINALISTS:
        loss = 0.12 if arm.endswith("full") else 0.03
        yield GeneralMeasured(
            subject=arm,
            moment="after",
            trial=trial_of(agreed, arm, 3, 1.0),
            scores={"knowledge": share_of(0.9 - loss, 200), "instruction": share_of(0.5, 120)},
            seconds=3.1,
            outcomes=f"general/{checkpoint_of(arm)}.jsonl",
            outcomes_sha256="00" * 32,
        )


def end(verdict_sha256: str) -> RaceEnded:
    """The last line."""
    return RaceEnded(
        reason="engine.stop-budget", tokens=642_000, seconds=227.4, verdict_sha256=verdict_sha256
    )
