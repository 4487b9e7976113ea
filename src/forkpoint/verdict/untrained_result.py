"""What came of the arms that are not trained, by the ledger's lines about them."""

from collections.abc import Iterable, Mapping, Sequence

from forkpoint.ledger import AnswersMade, Measured, SetupChosen, UntrainedArm
from forkpoint.record import Figure
from forkpoint.verdict.verdict_record import UntrainedResult


def untrained_results(
    arms: Sequence[UntrainedArm],
    asked: Mapping[str, SetupChosen],
    answers: Iterable[AnswersMade],
) -> tuple[UntrainedResult, ...]:
    """Every untrained arm as far as it has answered, the best on validation first."""
    chosen = {name: line.setup for name, line in asked.items()}
    lines = {
        (line.arm, line.split): line
        for line in answers
        if line.trial is None and line.arm in chosen and line.setup == chosen[line.arm]
    }
    first = best_first({arm.name: lines.get((arm.name, "validation")) for arm in arms})
    order = {name: place for place, name in enumerate(first)}
    return tuple(
        _result(
            arm, asked.get(arm.name), lines.get((arm.name, "validation")),
            lines.get((arm.name, "test")),
        )
        for arm in sorted(arms, key=lambda arm: order.get(arm.name, len(order)))
    )  # fmt: skip


def best_first(lines: Mapping[str, AnswersMade | None]) -> tuple[str, ...]:
    """Arms by the score of their answers, best first; of equal ones the shorter prompts.

    An arm without a score is not among them.
    """
    found = []
    for place, (name, line) in enumerate(lines.items()):
        value = oriented(line)
        if line is not None and value is not None:
            tokens = line.cost.prompt_tokens.value if line.cost else None
            found.append((-value, tokens or 0.0, place, name))
    return tuple(name for *_, name in sorted(found))


def oriented(line: AnswersMade | None) -> float | None:
    """The primary score, more is better; None without answers or without a score."""
    if line is None or line.primary.value is None:
        return None
    return line.primary.value if line.primary.better == "higher" else -line.primary.value


def _result(
    arm: UntrainedArm,
    chosen: SetupChosen | None,
    validation: AnswersMade | None,
    test: AnswersMade | None,
) -> UntrainedResult:
    last = test or validation
    return UntrainedResult(
        arm=arm.name,
        checkpoint=arm.checkpoint,
        approach=arm.approach,
        setup=chosen.setup if chosen else None,
        tried=dict(chosen.tried) if chosen else {},
        validation=figure(validation.primary) if validation else None,
        test=figure(test.primary) if test else None,
        stop_rate=figure(last.stop) if last else None,
        shortened=test.shortened if test else 0,
    )


def figure(measured: Measured | None) -> Figure | None:
    """A measured score as a figure; None where nothing could be scored."""
    if measured is None or measured.value is None:
        return None
    return Figure(
        value=measured.value,
        low=measured.low,
        high=measured.high,
        n=measured.n,
        unit=measured.unit,
        origin="measured",
    )
