"""From a finished race's ledger and answers to verdict.json."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from forkpoint.ledger import (
    AnswersMade,
    GeneralMeasured,
    Measured,
    Trial,
    write_whole,
)
from forkpoint.measure.general import GeneralScores, Outcome, change
from forkpoint.race.finalists import cost_order
from forkpoint.race.state import RaceState
from forkpoint.record import Figure
from forkpoint.verdict.judge import Evidence, Judgement, judge
from forkpoint.verdict.resample import Sample, sample_of
from forkpoint.verdict.verdict_record import ArmResult, Change, Verdict

VERDICT = "verdict.json"


def write_verdict(folder: Path, state: RaceState) -> tuple[Verdict, str]:
    """Judge the race and write verdict.json; returns the verdict and the file's SHA-256."""
    judgement = _judge(folder, state)
    verdict = _verdict(folder, state, judgement)
    content = verdict.to_json(indent=1).encode() + b"\n"
    write_whole(folder / VERDICT, content)
    return verdict, hashlib.sha256(content).hexdigest()


def read_answers(folder: Path, line: AnswersMade) -> list[dict[str, Any]]:
    """The outcomes of an answers file, in the order of its rows."""
    return [orjson.loads(piece) for piece in (folder / line.answers).read_bytes().splitlines()]


def _judge(folder: Path, state: RaceState) -> Judgement | None:
    finalists = state.finalists
    if finalists is None or not finalists.trials:
        return None
    metric = state.agreement.settings.metric
    samples: dict[str, list[Sample]] = {}
    first: list[dict[str, Any]] = []
    for arm, trials in finalists.trials.items():
        for trial in trials:
            outcomes = read_answers(folder, state.answers[_test_key(arm, trial)])
            first = first or outcomes
            samples.setdefault(arm, []).append(_oriented(outcomes, metric))
    order = list(dict.fromkeys(finalists.roles.values()))
    costs = {arm: cost_order(state, arm)[:2] for arm in order}
    return judge(
        Evidence(
            samples=samples,
            validation_order=order,
            others={arm: value for arm, value in finalists.predicted.items() if arm not in samples},
            trivial=_trivial(first, metric),
            serving_cost=costs,
            rate_flips=rate_flips(state, order),
            margin=state.agreement.settings.margin,
            seed=state.agreement.settings.seed,
            known_seed_sd=state.agreement.settings.known_seed_sd,
        )
    )


def _test_key(arm: str, trial: Trial) -> str:
    return f"answers {arm} test {trial.seed}"


def _oriented(outcomes: Sequence[dict[str, Any]], metric: str) -> Sample:
    """A sample in which higher is better; bits per byte become their negative."""
    if metric != "bits_per_byte":
        return sample_of(outcomes, metric)
    per_row = [
        {"score": -(outcome["expected_bits"] or 0.0) / max(outcome["expected_bytes"], 1)}
        for outcome in outcomes
    ]
    return sample_of(per_row, metric)


def _trivial(outcomes: Sequence[dict[str, Any]], metric: str) -> Sample:
    """The answer that needs no model: the most common expected answer, said to every row."""
    if metric == "bits_per_byte":
        return sample_of([{"score": -8.0} for _ in outcomes], metric)  # 8 bits a byte: no model
    common = Counter(outcome["gold"] for outcome in outcomes).most_common(1)[0][0]
    said = [
        {"score": float(outcome["gold"] == common), "gold": outcome["gold"], "said": common}
        for outcome in outcomes
    ]
    return sample_of(said, metric)


def rate_flips(state: RaceState, order: Sequence[str]) -> list[str]:
    """Leaders that lose clearly to the other when both go to a neighbouring rate.

    Judged at the first rung, where every arm tried its bracket: the leader must be ahead at the
    chosen rates and behind by more than twice the standard error at both arms' next rate.
    """
    flips = []
    for arm in order[:2]:
        for other in order[:2]:
            if arm != other and _flips(state, arm, other):
                flips.append(arm)
    return flips


def _flips(state: RaceState, arm: str, other: str) -> bool:
    mine, theirs = state.brackets[arm].best(), state.brackets[other].best()
    if mine is None or theirs is None or _ahead(mine.primary, theirs.primary) <= 0:
        return False
    for side in (-1, 1):
        next_mine = state.brackets[arm].neighbour(mine.trial, side)
        next_theirs = state.brackets[other].neighbour(theirs.trial, side)
        if next_mine and next_theirs and _ahead(next_mine.primary, next_theirs.primary) < -2:
            return True
    return False


def _ahead(a: Measured, b: Measured) -> float:
    """How many standard errors `a` is ahead of `b`."""
    if a.value is None or b.value is None:
        return 0.0
    sign = 1.0 if a.better == "higher" else -1.0
    error = ((a.standard_error or 0.0) ** 2 + (b.standard_error or 0.0) ** 2) ** 0.5
    difference = sign * (a.value - b.value)
    if error == 0.0:
        return float("inf") if difference > 0 else (-float("inf") if difference < 0 else 0.0)
    return float(difference / error)


def _verdict(folder: Path, state: RaceState, judgement: Judgement | None) -> Verdict:
    plan = state.agreement
    arm = judgement.arm if judgement else None
    chances = judgement.p_best if judgement else {}
    runner_up = _runner_up(arm, chances)
    noise = judgement.noise if judgement else None
    return Verdict(
        kind=judgement.kind if judgement else "not_enough_evidence",
        fork_point=state.arms[arm].checkpoint if arm else None,
        arm=arm,
        reasons=judgement.reasons if judgement else (("verdict.no_arm_left", {}),),
        metric=plan.settings.metric,
        margin=plan.settings.margin,
        p_best=chances.get(arm) if arm else None,
        p_best_cap=judgement.p_best_cap if judgement else None,
        expected_regret=judgement.expected_regret if judgement else None,
        runner_up=runner_up,
        runner_up_p_best=chances.get(runner_up) if runner_up else None,
        headline=judgement.headline if judgement else None,
        comparisons=judgement.comparisons if judgement else (),
        results=tuple(_result(state, name, judgement) for name in state.arms),
        changes=tuple(_changes(folder, state)),
        trivial=judgement.trivial if judgement else None,
        seed_sd=Figure(
            value=noise.sd,
            n=noise.repeats,
            origin="measured" if noise.repeats else "published",
            source="" if noise.repeats else "seed_noise",
        )
        if noise
        else None,
        test_rows=len(plan.test_ids),
        test_openings=state.test_opened.times if state.test_opened else 0,
        smallest_difference=plan.smallest_difference,
        spent_tokens=state.spent_tokens,
        brute_force_tokens=plan.brute_force_tokens,
        budget_tokens=plan.budget_tokens,
        seconds=state.seconds / plan.settings.workers,
        predicted_seconds=plan.predicted_seconds,
        likelihood_rank_agreement=_rank_agreement(state),
    )


def _runner_up(arm: str | None, chances: dict[str, float]) -> str | None:
    others = {name: chance for name, chance in chances.items() if name != arm}
    return max(others, key=lambda name: others[name], default=None)


def _result(state: RaceState, name: str, judgement: Judgement | None) -> ArmResult:
    plan = state.arms[name]
    best = state.best_trial(name) or state.brackets[name].best()
    finalists = state.finalists
    trials = finalists.trials.get(name, ()) if finalists else ()
    scored = [line for line in state.scored.values() if line.trial.arm == name]
    failed = [line for line in state.failed.values() if line.trial.arm == name]
    peaks = [line.peak_bytes for line in scored if line.peak_bytes]
    drawn = judgement is not None and name in judgement.draws.arms
    untrained = state.answers.get(
        f"answers {plan.checkpoint}.untrained test -"
    ) or state.answers.get(f"answers {plan.checkpoint}.untrained validation -")
    rows = len(state.agreement.test_ids)
    return ArmResult(
        arm=name,
        rung=best.trial.rung if best else 0,
        rate=best.trial.rate if best else None,
        rendering=best.trial.rendering if best else None,
        seeds=max(1, len(trials)),
        dropped=name in state.dropped,
        roles=tuple(
            role for role, arm in (finalists.roles.items() if finalists else ()) if arm == name
        ),
        validation=_figure(best.primary) if best else None,
        test=judgement.draws.figure(name, rows) if judgement and drawn else None,
        untrained=_figure(untrained.primary) if untrained else None,
        bits_per_byte=_figure(best.likelihood) if best else None,
        stop_bits=_figure(best.stop_bits) if best else None,
        stop_rate=_figure(best.stop) if best else None,
        p_best=judgement.p_best.get(name) if judgement else None,
        tokens=sum(line.tokens for line in scored) + sum(line.tokens for line in failed),
        seconds=sum(line.seconds for line in scored) + sum(line.seconds for line in failed),
        peak_bytes=max(peaks, default=None),
    )


def _figure(measured: Measured) -> Figure | None:
    if measured.value is None:
        return None
    return Figure(
        value=measured.value,
        low=measured.low,
        high=measured.high,
        n=measured.n,
        unit=measured.unit,
        origin="measured",
    )


def _changes(folder: Path, state: RaceState) -> list[Change]:
    found = []
    for line in state.general.values():
        if line.moment != "after":
            continue
        checkpoint = state.arms[line.subject].checkpoint
        before = state.general.get(f"general {checkpoint} before")
        control = state.general.get(f"general {line.subject} null_control")
        if before is None:
            continue
        start = _general(folder, before)
        noise = change(start, _general(folder, control)) if control else {}
        for ability, shift in change(start, _general(folder, line)).items():
            figures = [_figure(part) for part in (shift.before, shift.after, shift.difference)]
            if figures[0] is None or figures[1] is None or figures[2] is None:
                continue
            null = noise.get(ability)
            found.append(
                Change(
                    subject=line.subject,
                    ability=ability,
                    before=figures[0],
                    after=figures[1],
                    difference=figures[2],
                    null_control=_figure(null.difference) if null else None,
                )
            )
    return found


def _general(folder: Path, line: GeneralMeasured) -> GeneralScores:
    pieces = (folder / line.outcomes).read_bytes().splitlines()
    return GeneralScores(
        scores=line.scores,
        outcomes=tuple(Outcome.from_json(piece) for piece in pieces),
        skipped=(),
    )


def _rank_agreement(state: RaceState) -> Figure | None:
    """Kendall's tau between the arms' order by likelihood and by primary score, first rung."""
    from scipy.stats import kendalltau

    pairs = []
    for bracket in state.brackets.values():
        best = bracket.best()
        if best and best.primary.value is not None and best.likelihood.value is not None:
            sign = 1.0 if best.primary.better == "higher" else -1.0
            pairs.append((sign * best.primary.value, -best.likelihood.value))
    if len(pairs) < 3:
        return None
    tau = float(kendalltau([a for a, _ in pairs], [b for _, b in pairs]).statistic)
    if tau != tau:  # not a number: all arms are tied
        return None
    return Figure(value=tau, n=len(pairs), unit="Kendall tau", origin="measured")
