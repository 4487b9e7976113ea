"""Whether training was worth it, and what every arm's answers cost."""

from __future__ import annotations

from forkpoint.ledger import AnswerCost, AnswersMade
from forkpoint.plan.price import read_price
from forkpoint.race.asking import validation_line
from forkpoint.race.final_answers import FinalAnswers
from forkpoint.race.state import RaceState
from forkpoint.verdict.judge import Judgement
from forkpoint.verdict.untrained_result import figure
from forkpoint.verdict.verdict_record import CostResult, Worth
from forkpoint.verdict.worth import first_tested, judge_worth

PRICED_ANSWERS = 1_000  # answers that a price is quoted for


def worth_of(
    state: RaceState, judgement: Judgement | None, tested: FinalAnswers | None
) -> Worth | None:
    """The named arm, or the winner on validation, against the best untrained one on validation."""
    if judgement is None or tested is None or state.finalists is None:
        return None
    trained = judgement.arm or state.finalists.roles.get("winner")
    untrained = first_tested(state.finalists.untrained, list(tested.asked))
    if trained not in judgement.draws.arms or untrained is None or trained is None:
        return None
    settings = state.agreement.settings
    sample = tested.asked[untrained]
    return judge_worth(judgement, trained, untrained, sample, settings.margin, settings.seed)


def _test_line(state: RaceState, arm: str) -> AnswersMade | None:
    lines = [line for line in state.answers.values() if line.split == "test" and line.arm == arm]
    return min(lines, key=lambda line: line.trial.seed if line.trial else -1, default=None)


def cost_results(state: RaceState) -> tuple[CostResult, ...]:
    """What an answer costs, trained arms first: on test where it was answered, else validation."""
    found = []
    for name in state.arms:
        best = state.best_trial(name)
        found.append(_cost(state, name, _test_line(state, name), best.cost if best else None))
    for arm in state.agreement.untrained:
        line = validation_line(state, arm.name)
        found.append(
            _cost(state, arm.name, _test_line(state, arm.name), line.cost if line else None)
        )
    return tuple(cost for cost in found if cost)


def _cost(
    state: RaceState, arm: str, test: AnswersMade | None, validation: AnswerCost | None
) -> CostResult | None:
    cost = test.cost if test and test.cost else validation
    if cost is None:
        return None
    price, seconds = state.agreement.price, cost.seconds.value
    money = None
    if price and seconds is not None:
        money = read_price(price).of(PRICED_ANSWERS * seconds)
    return CostResult(
        arm=arm,
        split="test" if test and test.cost else "validation",
        prompt_tokens=figure(cost.prompt_tokens),
        generated_tokens=figure(cost.generated_tokens),
        seconds=figure(cost.seconds),
        alone_seconds=figure(cost.alone_seconds) if cost.alone_seconds else None,
        peak_bytes=cost.peak_bytes,
        money=money,
    )
