"""How far a race is and how long it still takes: the plan's stations, at the pace seen so far."""

from forkpoint.ledger import Trial
from forkpoint.plan.forecast import LEADERS, reserve_tokens, trial_seconds
from forkpoint.race.state import RaceState

PACE_TRIALS = 2.0  # trials that say "as planned" beside those that have run


def seconds_left(state: RaceState) -> float:
    """Seconds to the verdict: what is left of each station, times the pace of finished trials."""
    planned = planned_stations(state)
    done = stations_done(state)
    left = sum(seconds * (1.0 - done[name]) for name, seconds in planned.items())
    return 0.0 if state.ended else left * pace(state)


def share_done(state: RaceState) -> float:
    """The share of the planned time that is behind, 0..1."""
    planned = planned_stations(state)
    done = stations_done(state)
    whole = sum(planned.values())
    behind = sum(seconds * done[name] for name, seconds in planned.items())
    return 1.0 if state.ended else behind / max(whole, 1e-9)


def planned_stations(state: RaceState) -> dict[str, float]:
    """Predicted seconds of each station; a race planned before they were kept is all racing."""
    return dict(state.agreement.stations) or {"racing": state.agreement.predicted_seconds}


def stations_done(state: RaceState) -> dict[str, float]:
    """The share of each station that is behind, 0..1."""
    plan = state.agreement
    bracketed = len(state.chosen) + sum(arm not in state.chosen for arm in state.dropped)
    raced, last = state.racing_ended is not None, state.finalists is not None
    wanted = [trial for bracket in state.brackets.values() for trial in bracket.wanted]
    tried = [trial for trial in wanted if trial in state.scored or trial in state.failed]
    asked = sum(" validation " in key for key in [*state.answers, *state.unanswered])
    to_ask = sum(len(arm.setups) for arm in plan.untrained) or len(plan.checkpoints)
    tested = sum(" test " in key for key in state.answers)
    return {
        "untrained": 1.0 if tried else min(1.0, asked / max(to_ask, 1)),
        "bracket": 1.0 if bracketed >= len(plan.arms) else len(tried) / max(len(wanted), 1),
        "racing": 1.0 if raced else _raced(state),
        "finishing": _finished(state) if raced else 0.0,
        "test": min(1.0, tested / max(_test_pieces(state), 1)) if last else 0.0,
        "general": min(1.0, len(state.general) / max(_general_pieces(state), 1)) if last else 0.0,
    }


def pace(state: RaceState) -> float:
    """Measured over predicted seconds of the trials so far, drawn towards 1 while they are few."""
    predicted = [seconds for trial in state.scored if (seconds := _predicted(state, trial))]
    if not predicted:
        return 1.0
    doubt = PACE_TRIALS * sum(predicted) / len(predicted)
    real = sum(line.seconds for trial, line in state.scored.items() if _predicted(state, trial))
    return (real + doubt) / (sum(predicted) + doubt)


def _predicted(state: RaceState, trial: Trial) -> float | None:
    plan, arm = state.agreement, state.arms[trial.arm]
    speed = plan.speeds.get(arm.checkpoint)
    if speed is None:
        return None
    tokens = arm.full_tokens * plan.rungs[trial.rung - 1].share
    correction = plan.corrections.get(arm.approach)
    return trial_seconds(speed, arm.approach, tokens, len(plan.rung_validation_ids), correction)


def _raced(state: RaceState) -> float:
    """By the tokens of trials above the first rung, against what is meant for the racing."""
    first = sum(bracket.tokens for bracket in state.brackets.values())
    plan = state.agreement
    reserve = reserve_tokens(plan.arms, plan.rungs, plan.settings, plan.budget_tokens)
    meant = plan.budget_tokens - reserve - first
    return min(1.0, (state.spent_tokens - first) / max(meant, 1.0))


def _finished(state: RaceState) -> float:
    """By the trials of the leaders' further seeds or folds, as many as the budget foresees."""
    settings = state.agreement.settings
    if state.test_opened or (state.finalists and not settings.folds):
        return 1.0
    repeats = sum(trial.seed != settings.seed or trial.fold > 0 for trial in state.scored)
    return min(1.0, repeats / max(1, LEADERS * settings.repeats))


def _test_pieces(state: RaceState) -> int:
    if state.finalists is None:
        return 0
    trials = sum(len(found) for found in state.finalists.trials.values())
    plan = state.agreement
    beside = {*map(plan.prompt_of, _checkpoints(state)), *state.finalists.untrained}
    return trials + len(beside)


def _general_pieces(state: RaceState) -> int:
    if state.finalists is None:
        return 0
    return len(state.finalists.trials) + len(_checkpoints(state)) + 1  # and the null control


def _checkpoints(state: RaceState) -> set[str]:
    arms = state.finalists.trials if state.finalists else {}
    return {state.arms[arm].checkpoint for arm in arms}
