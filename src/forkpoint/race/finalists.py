"""From racing to finalists: full length and further seeds for the leaders, then the choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forkpoint.ledger import Finalists, Trial
from forkpoint.race.asking import to_test

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forkpoint.engine.standing import ArmStanding
    from forkpoint.race.state import RaceState

CLOSE_SEED_SDS = 2.0  # leaders nearer than this many seed SDs are repeated [docs/method.md]
PLAUSIBLE = 0.05  # chance to be within the margin of the best that makes an arm a finalist


def ranked(state: RaceState) -> list[ArmStanding]:
    """Arms that can be finalists, by their predicted final score, best first."""
    arms = [
        standing
        for standing in state.racing.selector.standing().arms
        if standing.final_loss is not None
        and standing.arm in state.chosen
        and standing.state != "failed"
    ]
    return sorted(arms, key=lambda standing: (standing.final_loss or 0.0, standing.arm))


def finishing_trials(state: RaceState) -> list[Trial]:
    """Trials still to run before the choice, as far as the budget allows, in order of worth.

    Whoever may still be the best is taken to full length, in rounds: what a round showed is told
    to the engine, and may make others plausible. If the two leaders are closer than CLOSE_SEED_SDS
    seed SDs on validation they are then repeated with further seeds at their best rung.
    """
    while batch := _next_round(state):
        if trials := [trial for trial in batch if _is_open(state, trial)]:
            return trials
        for trial in batch:
            state.racing.learn(trial)
    leaders = [standing.arm for standing in ranked(state)[:2]]
    if state.agreement.folds or len(leaders) < 2 or not _close(state, leaders):
        return []
    repeats = list(state.racing.learnt)
    for extra in range(1, state.agreement.settings.finalist_seeds):
        for arm in leaders:
            if best := state.best_trial(arm):
                seed = state.agreement.settings.seed + extra
                repeats.append(state.trial(arm, best.trial.rung, seed))
    return [trial for trial in _affordable(state, repeats) if _is_open(state, trial)]


def _next_round(state: RaceState) -> list[Trial]:
    """Full-length trials that are wanted by what the engine knows, beyond those it was told of."""
    order = ranked(state)
    if not order:
        return []
    stages = {name: arm.stage for name, arm in state.arms.items()}
    arms = wanted_at_full_length(order, stages, list(beside(state, order[0].arm).values()))
    before = state.racing.learnt
    wanted = [_full(state, arm) for arm in arms]
    new = [trial for trial in wanted if trial not in state.raced and trial not in before]
    return _affordable(state, [*before, *new])[len(before) :]


def wanted_at_full_length(
    order: Sequence[ArmStanding], stages: Mapping[str, str | None], rests_on: Sequence[str] = ()
) -> list[str]:
    """Arms to take to full length, in order of worth; `order` has the best predicted first.

    Leaders first, with what a claim about the first rests on; then the plausible, likeliest
    best first; then the best of another stage.
    """
    plausible = [standing for standing in order if standing.p_within_margin >= PLAUSIBLE]
    plausible.sort(key=lambda standing: (-standing.p_best, standing.arm))
    other_stage = [one.arm for one in order if stages[one.arm] != stages[order[0].arm]]
    arms = [
        *(standing.arm for standing in order[:2]),
        *rests_on,
        *(standing.arm for standing in plausible),
        *other_stage[:1],
    ]
    return list(dict.fromkeys(arms))


def _full(state: RaceState, arm: str) -> Trial:
    return state.trial(arm, state.agreement.rungs[-1].index, state.agreement.settings.seed)


def _is_open(state: RaceState, trial: Trial) -> bool:
    return trial not in state.scored and trial not in state.failed


def _affordable(state: RaceState, trials: list[Trial]) -> list[Trial]:
    """The first of the trials, as many as the budget left covers in this order.

    Counted in planned tokens from the end of the racing, so that which trials are affordable
    does not depend on which of them have already run.
    """
    left = float(state.agreement.budget_tokens - state.racing_tokens)
    chosen = []
    for trial in trials:
        share = state.agreement.rungs[trial.rung - 1].share
        left -= state.arms[trial.arm].full_tokens * share
        if left < 0:
            break
        chosen.append(trial)
    return chosen


def _close(state: RaceState, leaders: list[str]) -> bool:
    values = [best.primary.value for arm in leaders if (best := state.best_trial(arm))]
    if len(values) < 2 or values[0] is None or values[1] is None:
        return False
    return abs(values[0] - values[1]) < CLOSE_SEED_SDS * state.agreement.settings.known_seed_sd


def choose_finalists(state: RaceState) -> Finalists:
    """Winner and runner-up by validation, the cheapest plausible arm, the best other stage.

    Only arms at full length: what an arm would have become is not seen on the test set.
    """
    standings = {standing.arm: standing for standing in ranked(state)}
    ended = [arm for arm in standings if _full(state, arm) in state.scored]
    order = sorted(ended, key=lambda arm: (-_validation(state, arm), arm))
    if len(order) < 2:  # the budget took nobody further: as far as they came
        leaders = sorted(list(standings)[:2], key=lambda arm: (-_validation(state, arm), arm))
        order = [*leaders, *(arm for arm in standings if arm not in leaders)]
    roles: dict[str, str] = {}
    if order:
        roles["winner"] = order[0]
        if len(order) > 1:
            roles["runner_up"] = order[1]
        plausible = [arm for arm in order if standings[arm].p_within_margin >= PLAUSIBLE]
        roles["cheapest"] = min(plausible or order[:1], key=lambda arm: cost_order(state, arm))
        stage = state.arms[order[0]].stage
        others = [arm for arm in order if state.arms[arm].stage != stage]
        if others:
            roles["other_stage"] = others[0]
        roles.update(beside(state, order[0]))
    everyone = state.racing.selector.standing().arms
    return Finalists(
        roles=roles,
        trials=_on_further_folds(
            state, {arm: _trials_at_best(state, arm) for arm in dict.fromkeys(roles.values())}
        ),
        p_best={standing.arm: standing.p_best for standing in everyone},
        predicted={
            standing.arm: (standing.final_value, standing.final_sd or 0.0)
            for standing in everyone
            if standing.final_value is not None
        },
        untrained=to_test(state),
    )


def beside(state: RaceState, arm: str) -> dict[str, str]:
    """Role -> arm of those that a claim about `arm` rests on, whatever their standing.

    A subset is believed only against the random subset of its size, and replay only against the
    other shares of it.
    """
    plan = state.arms[arm]
    subset = state.agreement.subsets.get(plan.subset or "")
    roles = {}
    for other in state.agreement.arms:
        if other.name not in state.chosen or (other.checkpoint, other.approach) != (
            plan.checkpoint,
            plan.approach,
        ):
            continue
        if subset and other.subset == subset.null and other.replay == plan.replay:
            roles["null"] = other.name
        if other.subset == plan.subset and other.replay != plan.replay:
            roles[f"replay-{100 * other.replay:g}"] = other.name
    return roles


def _trials_at_best(state: RaceState, arm: str) -> tuple[Trial, ...]:
    best = state.best_trial(arm)
    if best is None:
        return ()
    seed = state.agreement.settings.seed
    seeds = range(seed, seed + state.agreement.settings.finalist_seeds)
    trials = [state.trial(arm, best.trial.rung, number) for number in seeds]
    return tuple(trial for trial in trials if trial in state.scored)


def _on_further_folds(
    state: RaceState, first: dict[str, tuple[Trial, ...]]
) -> dict[str, tuple[Trial, ...]]:
    """Every finalist's trials on the folds that the budget left takes them to.

    All finalists on all folds where it does; else the two leaders alone, on as many folds as it
    does: arms are compared on the same rows.
    """
    further = len(state.agreement.folds) - 1
    if further < 1:
        return first
    left = state.agreement.budget_tokens - state.spent_tokens
    able = {arm: trials for arm, trials in first.items() if trials}
    price = {
        arm: state.arms[arm].full_tokens * state.agreement.rungs[trials[0].rung - 1].share
        for arm, trials in able.items()
    }
    running, folds = list(able), further
    if sum(price.values()) * further > left:
        running = running[:2]
        one_fold = sum(price[arm] for arm in running)
        folds = max(0, min(further, int(left // max(one_fold, 1.0))))
    seed = state.agreement.settings.seed
    return {
        arm: (
            *able[arm],
            *(
                state.trial(arm, able[arm][0].rung, seed + fold, fold)
                for fold in range(1, folds + 1)
            ),
        )
        for arm in running
    }


def _validation(state: RaceState, arm: str) -> float:
    """Mean validation score of an arm over its seeds at its best rung; higher is better."""
    lines = [state.scored[trial] for trial in _trials_at_best(state, arm)]
    values = [line.primary.value for line in lines if line.primary.value is not None]
    if not values:
        return float("-inf")
    sign = 1.0 if lines[0].primary.better == "higher" else -1.0
    return sign * sum(values) / len(values)


def cost_order(state: RaceState, arm: str) -> tuple[float, float, str]:
    """What makes an arm cheap: parameters to serve, then seconds to train, then its name."""
    plan = state.arms[arm]
    shape = state.agreement.checkpoints[plan.checkpoint].shape
    serve = float(shape.active_parameters or shape.parameters or 0)
    return serve, plan.full_tokens / plan.train_tokens_per_second, arm
