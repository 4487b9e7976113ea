"""Who goes on to the test set: the winner by validation, and whom it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forkpoint.ledger import Finalists, Trial
from forkpoint.race.asking import to_test

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from forkpoint.engine.standing import ArmStanding
    from forkpoint.race.state import RaceState

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


def choose_finalists(state: RaceState) -> Finalists:
    """Winner and runner-up by validation, the cheapest plausible arm, the best other stage.

    Only arms at full length: what an arm would have become is not seen on the test set.
    """
    standings = {standing.arm: standing for standing in ranked(state)}
    ended = [arm for arm in standings if full_length(state, arm) in state.scored]

    def stood(arm: str) -> float:
        return stood_at(state, arm, standings[arm].final_value)

    order = sorted(ended, key=lambda arm: (-stood(arm), arm))
    if len(order) < 2:  # the budget took nobody further: as far as they came
        first = list(standings)[:2]
        leaders = sorted(first, key=lambda arm: (-stood(arm), arm))
        order = [*leaders, *(arm for arm in standings if arm not in leaders)]
    plausible = [arm for arm in order if standings[arm].p_within_margin >= PLAUSIBLE]
    stages = {name: arm.stage for name, arm in state.arms.items()}
    roles = leading_roles(order, plausible, stages, lambda arm: cost_order(state, arm))
    if order:
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


def leading_roles(
    order: Sequence[str],
    plausible: Sequence[str],
    stages: Mapping[str, str | None],
    cost: Callable[[str], tuple[float, float, str]],
) -> dict[str, str]:
    """Role -> arm, from the arms that can be finalists, best on validation first."""
    if not order:
        return {}
    others = [arm for arm in order if stages[arm] != stages[order[0]]]
    return {
        "winner": order[0],
        **({"runner_up": order[1]} if len(order) > 1 else {}),
        "cheapest": min(plausible or order[:1], key=cost),
        **({"other_stage": others[0]} if others else {}),
    }


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


def full_length(state: RaceState, arm: str) -> Trial:
    """An arm's trial at full length with the race's seed."""
    return state.trial(arm, state.agreement.rungs[-1].index, state.agreement.settings.seed)


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


def stood_at(state: RaceState, arm: str, predicted: float | None) -> float:
    """What an arm stands at on validation, higher is better: its runs at its best rung, and what
    the engine predicts as one run more, so that one lucky run does not win [docs/studies/bank.md].
    """
    lines = [state.scored[trial] for trial in _trials_at_best(state, arm)]
    values = [line.primary.value for line in lines if line.primary.value is not None]
    if not values:
        return float("-inf")
    sign = 1.0 if lines[0].primary.better == "higher" else -1.0
    return sign * with_prediction(values, predicted)


def with_prediction(values: Sequence[float], predicted: float | None) -> float:
    """The mean of an arm's runs and of what was predicted of it, which counts as one run."""
    every = [*values, *([] if predicted is None else [predicted])]
    return sum(every) / len(every)


def cost_order(state: RaceState, arm: str) -> tuple[float, float, str]:
    """What makes an arm cheap: parameters to serve, then seconds to train, then its name."""
    plan = state.arms[arm]
    shape = state.agreement.checkpoints[plan.checkpoint].shape
    serve = float(shape.active_parameters or shape.parameters or 0)
    return serve, plan.full_tokens / plan.train_tokens_per_second, arm
