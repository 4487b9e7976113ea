"""From a finished race's ledger and answers to verdict.json."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from forkpoint.ledger import AnswersMade, Finalists, Measured, TrialScored, write_whole
from forkpoint.race.final_answers import FinalAnswers, read_final_answers
from forkpoint.race.finalists import cost_order, full_length, stood_at
from forkpoint.race.kept import (
    below_floor,
    changes,
    drifts,
    failed_tasks,
    floor_reasons,
    floor_verdict,
)
from forkpoint.race.state import RaceState
from forkpoint.race.work import answers_key
from forkpoint.race.worth_and_costs import cost_results, worth_of
from forkpoint.record import Figure
from forkpoint.verdict.contrast import KNOWN_SEED_FREEDOM, Standing
from forkpoint.verdict.judge import Evidence, Judgement, judge
from forkpoint.verdict.untrained_result import figure, untrained_results
from forkpoint.verdict.verdict_record import ArmResult, FloorVerdict, Verdict

VERDICT = "verdict.json"


def write_verdict(folder: Path, state: RaceState) -> tuple[Verdict, str]:
    """Judge the race and write verdict.json; returns the verdict and the file's SHA-256."""
    tested = read_final_answers(folder, state)
    floor = floor_verdict(folder, state)
    judgement = None
    if state.finalists and tested:
        judgement = _judge(state, state.finalists, tested)
        judgement = _above(floor, judgement, state, tested)
    verdict = _verdict(folder, state, judgement, tested).model_copy(
        update={
            "drifts": drifts(state),
            "floor": floor,
            "retain_failed": failed_tasks(state),
        }
    )
    content = verdict.to_json(indent=1).encode() + b"\n"
    write_whole(folder / VERDICT, content)
    return verdict, hashlib.sha256(content).hexdigest()


def _above(
    floor: FloorVerdict | None, judgement: Judgement, state: RaceState, tested: FinalAnswers
) -> Judgement:
    """The judgement among the finalists that do not end below the floor, if one was asked for."""
    below = below_floor(floor)
    named = judgement
    if state.finalists and below and len(below) < len(tested.samples):
        named = _judge(state, state.finalists, tested, below)
    told = floor_reasons(floor, named.arm, judgement.arm)
    return replace(
        judgement,
        kind=named.kind,
        arm=named.arm,
        reasons=(*named.reasons, *((key, dict(values)) for key, values in told)),
        headline=named.headline,
        comparisons=named.comparisons,
        expected_regret=named.expected_regret,
    )


def _judge(
    state: RaceState, finalists: Finalists, tested: FinalAnswers, out: Collection[str] = ()
) -> Judgement:
    samples = {arm: found for arm, found in tested.samples.items() if arm not in out}
    order = [arm for arm in dict.fromkeys(finalists.roles.values()) if arm in samples]
    own = state.agreement.own_seed_noise
    upwards = -1.0 if state.agreement.settings.metric == "bits_per_byte" else 1.0  # as samples are
    predicted = {arm: (upwards * mean, sd) for arm, (mean, sd) in finalists.predicted.items()}
    return judge(
        Evidence(
            samples=samples,
            validation_order=order,
            others={arm: one for arm, one in predicted.items() if arm not in tested.samples},
            foreseen={arm: mean for arm, (mean, _) in predicted.items() if arm in samples},
            trivial=tested.trivial,
            serving_cost={arm: cost_order(state, arm)[:2] for arm in order},
            rate_flips=rate_flips(state, order),
            margin=state.agreement.settings.margin,
            seed=state.agreement.settings.seed,
            known_seed_sd=state.agreement.settings.known_seed_sd,
            known_seed_freedom=own.freedom if own else KNOWN_SEED_FREEDOM,
            cut_short=[arm for arm in order if full_length(state, arm) not in state.scored],
            validation=validation_standings(state, finalists, order),
        )
    )


def validation_standings(
    state: RaceState, finalists: Finalists, order: Sequence[str]
) -> dict[str, Standing]:
    """Where the finalists stood on validation; with folds the same rows are test rows too."""
    if state.agreement.folds:
        return {}
    found = {}
    for arm in order:
        best = state.best_trial(arm)
        if best is None or best.primary.standard_error is None:
            continue
        value = stood_at(state, arm, finalists.predicted.get(arm, (None, 0.0))[0])
        found[arm] = Standing(value, best.primary.standard_error, best.primary.n)
    return found


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


def _verdict(
    folder: Path, state: RaceState, judgement: Judgement | None, tested: FinalAnswers | None
) -> Verdict:
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
        results=tuple(
            _result(state, name, judgement, tested.rows if tested else 0) for name in state.arms
        ),
        changes=tuple(changes(folder, state)),
        trivial=judgement.trivial if judgement else None,
        seed_sd=Figure(
            value=noise.sd,
            n=noise.repeats,
            origin="measured" if noise.repeats else "published",
            source="" if noise.repeats else "seed_noise",
        )
        if noise
        else None,
        test_rows=tested.rows if tested else 0,
        test_folds=max(map(len, state.tested().values()), default=0) if plan.folds else 0,
        test_unscored=tested.unscored if tested else 0,
        test_openings=state.test_opened.times if state.test_opened else 0,
        smallest_difference=plan.smallest_difference,
        spent_tokens=state.spent_tokens,
        brute_force_tokens=plan.brute_force_tokens,
        budget_tokens=plan.budget_tokens,
        seconds=state.busy.seconds,
        predicted_seconds=plan.predicted_seconds,
        likelihood_rank_agreement=_rank_agreement(state),
        worth=worth_of(state, judgement, tested),
        untrained=untrained_results(state.agreement.untrained, state.asked, state.answers.values()),
        costs=cost_results(state),
    )


def _runner_up(arm: str | None, chances: dict[str, float]) -> str | None:
    others = {name: chance for name, chance in chances.items() if name != arm}
    return max(others, key=lambda name: others[name], default=None)


def _result(state: RaceState, name: str, judgement: Judgement | None, rows: int) -> ArmResult:
    plan = state.arms[name]
    best = state.best_trial(name) or state.brackets[name].best()
    finalists = state.finalists
    trials = finalists.trials.get(name, ()) if finalists else ()
    scored = [line for line in state.scored.values() if line.trial.arm == name]
    failed = [line for line in state.failed.values() if line.trial.arm == name]
    peaks = [line.peak_bytes for line in scored if line.peak_bytes]
    drawn = judgement is not None and name in judgement.draws.arms
    untrained = _before(state, plan.checkpoint)
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
        validation=figure(best.primary) if best else None,
        test=judgement.draws.figure(name, rows) if judgement and drawn else None,
        untrained=figure(untrained.primary) if untrained else None,
        bits_per_byte=figure(best.likelihood) if best else None,
        stop_bits=figure(best.stop_bits) if best else None,
        stop_rate=figure(best.stop) if best else None,
        p_best=judgement.p_best.get(name) if judgement else None,
        tokens=sum(line.tokens for line in scored) + sum(line.tokens for line in failed),
        seconds=sum(line.seconds for line in scored) + sum(line.seconds for line in failed),
        peak_bytes=max(peaks, default=None),
        preferred=_preferred(state, name, best),
    )


def _before(state: RaceState, checkpoint: str) -> AnswersMade | None:
    """The answers of a checkpoint as it was: on test, else on validation."""
    name = state.agreement.prompt_of(checkpoint)
    chosen = state.asked.get(name)
    setup = chosen.setup if chosen else None
    keys = [answers_key(name, split, None, setup) for split in ("test", "validation")]
    return next((state.answers[key] for key in keys if key in state.answers), None)


def _preferred(state: RaceState, arm: str, best: TrialScored | None) -> Figure | None:
    """Share of preference pairs decided as their author did: on test, else on validation."""
    tested = next(
        (line for line in state.answers.values() if line.arm == arm and line.split == "test"), None
    )
    for line in (tested, best):
        if line is not None and (found := line.secondary.get("preferred")):
            return figure(found)
    return None


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
