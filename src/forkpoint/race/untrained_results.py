"""What the verdict says of the arms that are not trained, and what every arm's answers cost."""

from __future__ import annotations

from forkpoint.ledger import AnswerCost, AnswersMade, Measured
from forkpoint.plan.price import read_price
from forkpoint.race.asking import best_untrained, validation_line
from forkpoint.race.final_answers import FinalAnswers
from forkpoint.race.state import RaceState
from forkpoint.record import Figure
from forkpoint.verdict.judge import Judgement
from forkpoint.verdict.verdict_record import CostResult, UntrainedResult, Worth
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


def untrained_results(state: RaceState) -> tuple[UntrainedResult, ...]:
    """Every untrained arm, the best on validation first."""
    order = best_untrained(state)
    arms = {arm.name: arm for arm in state.agreement.untrained}
    found = []
    for name in (*order, *(name for name in arms if name not in order)):
        arm, chosen = arms[name], state.asked.get(name)
        line, test = validation_line(state, name), _test_line(state, name)
        last = test or line
        found.append(
            UntrainedResult(
                arm=name,
                checkpoint=arm.checkpoint,
                approach=arm.approach,
                setup=chosen.setup if chosen else None,
                tried=dict(chosen.tried) if chosen else {},
                validation=figure(line.primary) if line else None,
                test=figure(test.primary) if test else None,
                stop_rate=figure(last.stop) if last else None,
                shortened=test.shortened if test else 0,
            )
        )
    return tuple(found)


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


def figure(measured: Measured) -> Figure | None:
    """A measured score as a figure; None where nothing could be scored."""
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
