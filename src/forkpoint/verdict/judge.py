"""The last step of a race: from test scores to one of the verdicts of docs/method.md."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from forkpoint.record import Figure
from forkpoint.verdict.contrast import (
    KNOWN_SEED_FREEDOM,
    Draws,
    SeedNoise,
    Standing,
    compare_all,
    draw,
    expected_regret,
    p_best,
    seed_noise,
    turned,
    with_validation,
)
from forkpoint.verdict.resample import Sample, interval, row_weights
from forkpoint.verdict.verdict_record import Comparison, VerdictKind

CEILING = 0.995  # of a 0..1 score: nothing above it can be told apart

LIKELY = 0.5  # P(best) from which an arm is likelier than not the best of all, tested or not

Reason = tuple[str, dict[str, str | int | float]]


@dataclass(frozen=True)
class Evidence:
    """What the finalists showed on test, and what is believed of the others."""

    samples: Mapping[str, Sequence[Sample]]  # finalist -> one sample a training seed
    validation_order: Sequence[str]  # finalists, best on validation first
    others: Mapping[str, tuple[float, float]]  # other arms -> predicted final mean and SD
    trivial: Sample  # the answer that needs no model, on the same rows
    serving_cost: Mapping[str, tuple[float, float]]  # arm -> (parameters, training seconds)
    rate_flips: Sequence[str]  # arms that beat the winner at a neighbouring rate
    margin: float
    seed: int
    known_seed_sd: float | None = None
    known_seed_freedom: float = KNOWN_SEED_FREEDOM
    foreseen: Mapping[str, float] = field(default_factory=dict)  # finalist -> as it was predicted
    cut_short: Collection[str] = ()  # finalists that the budget did not take to full length
    validation: Mapping[str, Standing] = field(default_factory=dict)  # finalist -> where it stood


@dataclass(frozen=True)
class Judgement:
    """The answer before it is dressed as a Verdict."""

    kind: VerdictKind
    arm: str | None
    reasons: tuple[Reason, ...]
    headline: Comparison | None
    comparisons: tuple[Comparison, ...]
    draws: Draws
    p_best: dict[str, float]
    expected_regret: float
    trivial: Figure
    noise: SeedNoise
    p_best_cap: str | None


def judge(evidence: Evidence) -> Judgement:
    """Decide by the rules of docs/method.md, in this order: floor, ceiling, better, equal, open."""
    noise = _noise(evidence)
    draws = draw(evidence.samples, noise, evidence.seed)
    rows = len(evidence.trivial.scores_N)
    trivial = _trivial(evidence, rows)
    order = sorted(draws.arms, key=lambda arm: -draws.points_A[draws.arms.index(arm)])
    winner, runner_up = _headline_pair(evidence.validation_order, order)
    comparisons = compare_all(draws, winner, runner_up, evidence.margin)
    headline = next((c for c in comparisons if c.headline), None)
    believed = with_validation(draws, evidence.validation, evidence.seed)
    chances = p_best(believed, _beside(evidence, believed), evidence.seed)
    kind, arm, reasons = _decide(evidence, draws, trivial, winner, comparisons)
    if kind == "better" and headline is not None and (open_ := _open(evidence, headline, chances)):
        kind, reasons = "not_enough_evidence", (open_,)
    elif kind == "not_enough_evidence" and headline is not None:
        arm = max((headline.a, headline.b), key=lambda name: chances[name])
        reasons = (_leads(headline, arm),)
    if headline is not None and headline.b == arm:
        headline = turned(headline)
        comparisons = [headline if c.headline else c for c in comparisons]
    single = any(
        sum(sample.trainings for sample in samples) == 1 for samples in evidence.samples.values()
    )
    return Judgement(
        kind=kind,
        arm=arm,
        reasons=reasons,
        headline=headline,
        comparisons=tuple(comparisons),
        draws=draws,
        p_best=chances,
        expected_regret=expected_regret(believed, arm or winner),
        trivial=trivial,
        noise=noise,
        p_best_cap="verdict.cap_single_seed" if single else None,
    )


def _beside(evidence: Evidence, believed: Draws) -> dict[str, tuple[float, float]]:
    """What is believed of the others, as it would stand on the rows of the finalists.

    They were predicted from validation rows, which may be easier or harder than test: the shift is
    where the finalists stand beside their own predictions.
    """
    shifts = [
        float(believed.points_A[believed.arms.index(arm)]) - mean
        for arm, mean in evidence.foreseen.items()
        if arm in believed.arms
    ]
    shift = sum(shifts) / len(shifts) if shifts else 0.0
    return {arm: (mean + shift, sd) for arm, (mean, sd) in evidence.others.items()}


def _noise(evidence: Evidence) -> SeedNoise:
    scores = {
        arm: [float(sample.value()[0]) for sample in samples]
        for arm, samples in evidence.samples.items()
    }
    if evidence.known_seed_sd is None:
        return seed_noise(scores)
    return seed_noise(scores, evidence.known_seed_sd, evidence.known_seed_freedom)


def _trivial(evidence: Evidence, rows: int) -> Figure:
    low, high = interval(evidence.trivial.value(row_weights(rows, evidence.seed)))
    value = float(evidence.trivial.value()[0])
    return Figure(value=value, low=low, high=high, n=rows, origin="measured")


def _headline_pair(validation: Sequence[str], test: Sequence[str]) -> tuple[str, str | None]:
    """The winner and runner-up by validation: test confirms the choice, it does not make it."""
    order = [arm for arm in validation if arm in test]
    return order[0], order[1] if len(order) > 1 else None


def _decide(
    evidence: Evidence,
    draws: Draws,
    trivial: Figure,
    winner: str,
    comparisons: Sequence[Comparison],
) -> tuple[VerdictKind, str | None, tuple[Reason, ...]]:
    rows = len(evidence.trivial.scores_N)
    figures = {arm: draws.figure(arm, rows) for arm in draws.arms}
    if all((figure.low or 0.0) <= (trivial.high or 0.0) for figure in figures.values()):
        return "floor", None, (("verdict.floor", {"trivial": round(trivial.value, 3)}),)
    if all(figure.value >= CEILING for figure in figures.values()):
        cheapest = _cheapest(draws.arms, evidence.serving_cost)
        return "ceiling", cheapest, (("verdict.ceiling", {"arm": cheapest}),)
    headline = next((c for c in comparisons if c.headline), None)
    if headline is None:
        return "better", winner, (("verdict.only_one", {"arm": winner}),)
    if headline.says in ("a_better", "b_better"):
        best, worse = (
            (headline.a, headline.b) if headline.says == "a_better" else (headline.b, headline.a)
        )
        if best in evidence.rate_flips:
            return (
                "depends_on_rate",
                best,
                (("verdict.depends_on_rate", {"arm": best, "other": worse}),),
            )
        reason = "verdict.better" if best == winner else "verdict.better_than_validation"
        return "better", best, ((reason, {"arm": best, "other": worse}),)
    if headline.says == "equal_enough":
        equal = [winner] + [c.b for c in comparisons if c.says == "equal_enough"]
        cheapest = _cheapest(equal, evidence.serving_cost)
        return (
            "equal_enough",
            cheapest,
            (("verdict.equal_enough", {"arm": cheapest, "arms": ", ".join(sorted(equal))}),),
        )
    return (
        "not_enough_evidence",
        winner,
        (("verdict.not_enough_evidence", {"arm": winner, "other": headline.b}),),
    )


def _leads(headline: Comparison, arm: str) -> Reason:
    """That an arm leads: on test too, or only where validation rows are counted with it."""
    value = headline.difference.value
    if arm == headline.a:
        ahead, other = value, headline.b
    else:
        ahead, other = -value, headline.a
    key = "verdict.leads_with_validation" if ahead < 0 else "verdict.not_enough_evidence"
    return key, {"arm": arm, "other": other}


def _open(evidence: Evidence, headline: Comparison, chances: Mapping[str, float]) -> Reason | None:
    """Why an arm that is ahead on test may still not be called better; None where it may."""
    best, worse = (
        (headline.a, headline.b) if headline.says == "a_better" else (headline.b, headline.a)
    )
    if worse in evidence.cut_short:
        return "verdict.cut_short", {"arm": best, "other": worse}
    if chances[worse] > chances[best]:
        return "verdict.validation_disagrees", {"arm": best, "other": worse}
    rival = max((arm for arm in chances if arm != best), key=lambda arm: chances[arm])
    if chances[best] < LIKELY and rival in evidence.others:
        return "verdict.others_open", {"arm": best, "other": worse, "rival": rival}
    return None


def _cheapest(arms: Sequence[str], cost: Mapping[str, tuple[float, float]]) -> str:
    """The arm that is cheapest to serve, then to train, then first by name."""
    return min(arms, key=lambda arm: (*cost[arm], arm))
