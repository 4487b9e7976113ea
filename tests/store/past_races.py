"""Finished races as the store keeps them, made for tests."""

from forkpoint.store import PastArm, PastRace


def past_arm(name: str, **changes: object) -> PastArm:
    """An arm whose ten trials took 20 s where 10 s had been predicted."""
    checkpoint, _, approach = name.rpartition(".")
    plain = PastArm(
        name=name,
        checkpoint=checkpoint,
        identity="a" * 64,
        family="pocket",
        stage=checkpoint.rpartition("-")[2],
        post_training="none",
        parameters=1_271_552,
        approach=approach,
        test=0.8,
        validation=0.82,
        p_best=0.5,
        rate=1e-3,
        tokens=100_000,
        trials=10,
        seconds=20.0,
        predicted_seconds=10.0,
        peak_bytes=550_000_000,
        predicted_bytes=500_000_000,
    )
    return plain.model_copy(update=changes)


def past_race(number: int = 0, **changes: object) -> PastRace:
    """A race of four arms that pocket-instruct won."""
    names = ("pocket-base.lora", "pocket-base.full", "pocket-instruct.lora", "pocket-instruct.full")
    plain = PastRace(
        race_id=f"{number:016x}",
        created="2026-11-20T10:00:00+00:00",
        ended=f"2026-11-20T10:{number % 60:02d}:00.000+00:00",
        forkpoint_version="0.1.0",
        data_sha256="d" * 64,
        test_sha256="e" * 64,
        rows=600,
        test_rows=200,
        job="task",
        answer_kind="label",
        languages={"en": 1.0},
        metric="macro_f1",
        machine="Linux x86_64, 2 cores, 8 GB, cpu x 2",
        machine_text="Linux x86_64",
        verdict="better",
        fork_point="pocket-instruct",
        arm="pocket-instruct.full",
        stage="instruct",
        p_best=0.9,
        seed_sd=0.02,
        seed_repeats=4,
        tokens=400_000,
        seconds=80.0,
        predicted_seconds=40.0,
        arms=tuple(past_arm(name) for name in names),
    )
    return plain.model_copy(update=changes)
