"""The verdict of the drawn race: Instruct by full training, a little ahead of Chat."""

from collections.abc import Callable
from math import sqrt

from race_lines import FINALISTS, OUT_AFTER
from race_records import ARMS, FULL_TOKENS, RUNGS, capability, checkpoint_of

from forkpoint.ledger import Agreement
from forkpoint.record import Figure
from forkpoint.verdict.verdict_record import ArmResult, Change, Comparison, Verdict

ROLES = dict(zip(FINALISTS, ("winner", "runner_up", "cheapest", "other_stage"), strict=True))
P_BEST = dict(zip(ARMS, (0.002, 0.01, 0.166, 0.7, 0.012, 0.11), strict=True))


def figure(value: float, n: int, unit: str = "", half: float | None = None) -> Figure:
    """A measured figure with an interval of a share's width, or of `half`."""
    half = half if half is not None else 1.96 * sqrt(max(value * (1 - value), 0.01) / n)
    return Figure(
        value=value, low=value - half, high=value + half, n=n, unit=unit, origin="measured"
    )


def _result(arm: str, n_validation: int, n_test: int) -> ArmResult:
    rung = OUT_AFTER.get(arm, 3)
    level = capability(arm, RUNGS[rung - 1])
    final = arm in FINALISTS
    return ArmResult(
        arm=arm,
        rung=rung,
        rate=4e-3 if arm.endswith("lora") else 1e-3,
        rendering="plain" if "base" in arm else "chat",
        seeds=3 if arm in FINALISTS[:2] else 1,
        dropped=arm in OUT_AFTER,
        roles=(ROLES[arm],) if final else (),
        validation=figure(level, n_validation),
        test=figure(level - 0.01, n_test) if final else None,
        untrained=figure(capability(f"{checkpoint_of(arm)}.untrained", 1), n_test),
        bits_per_byte=figure(
            2.2 * (1 - level) + (0.3 if "chat" in arm else 0.1), n_validation, "bits/byte", 0.06
        ),
        stop_bits=figure(1.4 * (1 - level) + 0.05, n_validation, "bits", 0.04),
        stop_rate=figure(0.5 + level / 2, n_validation),
        p_best=P_BEST[arm],
        tokens=int(FULL_TOKENS * (sum(RUNGS[:rung]) + 0.5)),
        seconds=31.0 * rung,
        peak_bytes=612_000_000 if arm.endswith("lora") else 655_000_000,
    )


def _change(arm: str, ability: str) -> Change:
    n = 200 if ability == "knowledge" else 120
    before = 0.9 if ability == "knowledge" else 0.5
    loss = (0.12 if arm.endswith("full") else 0.03) if ability == "knowledge" else 0.0
    return Change(
        subject=arm,
        ability=ability,
        before=figure(before, n),
        after=figure(before - loss, n),
        difference=figure(-loss, n, half=0.035),
        null_control=figure(-0.002, n, half=0.008),
    )


def verdict(agreed: Agreement, spoil: Callable[[str], str]) -> Verdict:
    """The whole verdict."""
    n = len(agreed.test_ids)
    n_validation = len(agreed.validation_ids)
    winner, second, cheap, other = FINALISTS
    gaps = {
        second: (0.04, 0.048, "unclear"),
        cheap: (0.03, 0.046, "unclear"),
        other: (0.09, 0.05, "a_better"),
    }
    comparisons = tuple(
        Comparison(
            a=winner,
            b=arm,
            difference=figure(gap, n, half=half),
            p_value=None if arm == second else 0.04,
            headline=arm == second,
            says=says,  # type: ignore[arg-type]
        )
        for arm, (gap, half, says) in gaps.items()
    )
    return Verdict(
        kind="not_enough_evidence",
        fork_point=spoil(checkpoint_of(winner)),
        arm=winner,
        reasons=(("verdict.not_enough_evidence", {"arm": spoil(winner), "other": second}),),
        metric="macro_f1",
        margin=0.02,
        p_best=P_BEST[winner],
        p_best_cap="verdict.cap_single_seed",
        expected_regret=0.006,
        runner_up=second,
        runner_up_p_best=P_BEST[second],
        headline=comparisons[0],
        comparisons=comparisons,
        results=tuple(_result(arm, n_validation, n) for arm in ARMS),
        changes=tuple(
            _change(arm, kind) for arm in FINALISTS for kind in ("knowledge", "instruction")
        ),
        trivial=Figure(value=0.1, n=n, origin="measured"),
        seed_sd=Figure(value=0.011, low=0.006, high=0.024, n=6, origin="measured"),
        test_rows=n,
        test_openings=1,
        smallest_difference=0.15,
        spent_tokens=642_000,
        brute_force_tokens=agreed.brute_force_tokens,
        budget_tokens=agreed.budget_tokens,
        seconds=227.4,
        predicted_seconds=240.0,
        likelihood_rank_agreement=Figure(value=0.6, low=0.07, high=0.95, n=6, origin="measured"),
    )
