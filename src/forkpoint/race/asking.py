"""The untrained arms' side of a race: every setup answers, one is chosen, and the best go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forkpoint.ledger import AnswersMade, ArmDropped, SetupChosen, UntrainedArm
from forkpoint.race.work import AnswerWork, Step, answers_key
from forkpoint.verdict.untrained_result import best_first, oriented

if TYPE_CHECKING:
    from forkpoint.race.state import RaceState


def next_asking(state: RaceState) -> Step | None:
    """The setups still to be tried on validation, then the choice of each arm; None when done."""
    arms = state.agreement.untrained
    if not arms:
        return state.run_open(
            AnswerWork(subject=f"{name}.untrained", checkpoint=name, split="validation")
            for name in dict.fromkeys(arm.checkpoint for arm in state.agreement.arms)
        )
    works = [
        AnswerWork(
            subject=arm.name, checkpoint=arm.checkpoint, split="validation", setup=setup.name
        )
        for arm in arms
        for setup in arm.setups
    ]
    if step := state.run_open(works):
        return step
    for arm in arms:
        if arm.name not in state.asked and arm.name not in state.dropped:
            return Step(decision=_choice(state, arm))
    return None


def _choice(state: RaceState, arm: UntrainedArm) -> SetupChosen | ArmDropped:
    """The best setup on validation; of equal ones the first, whose prompt is the shortest."""
    tried = {setup.name: oriented(_line(state, arm.name, setup.name)) for setup in arm.setups}
    scored = {name: value for name, value in tried.items() if value is not None}
    if not scored:
        failed = [line for line in state.unanswered.values() if line.arm == arm.name]
        values: dict[str, str | int | float] = {"tries": len(tried)}
        key = "race.dropped_unscored"
        if failed:
            key = "race.dropped_all_failed"
            values["last"] = failed[-1].key
        return ArmDropped(arm=arm.name, rung=0, key=key, values=values, p_best=None)
    best = max(scored, key=lambda name: scored[name])
    lines = {name: _line(state, arm.name, name) for name in tried}
    return SetupChosen(
        arm=arm.name,
        setup=best,
        tried={name: line.primary.value if line else None for name, line in lines.items()},
    )


def _line(state: RaceState, arm: str, setup: str) -> AnswersMade | None:
    return state.answers.get(answers_key(arm, "validation", None, setup))


def validation_line(state: RaceState, arm: str) -> AnswersMade | None:
    """An untrained arm's validation answers as it was chosen to be asked."""
    chosen = state.asked.get(arm)
    return _line(state, arm, chosen.setup) if chosen else None


def to_test(state: RaceState) -> tuple[str, ...]:
    """The untrained arms that answer the test rows: the best of all, then the best of each kind."""
    approaches = {arm.name: arm.approach for arm in state.agreement.untrained}
    first: dict[str, str] = {}
    lines = {arm.name: validation_line(state, arm.name) for arm in state.agreement.untrained}
    for name in best_first(lines):
        first.setdefault(approaches[name], name)
    return tuple(first.values())


def works_on_test(state: RaceState) -> list[AnswerWork]:
    """Test answers of the untrained arms in the finalists' line and of the finalists' own prompts.

    In races of older versions those of the finalists' checkpoints as they were.
    """
    plan, finalists = state.agreement, state.finalists
    checkpoints = dict.fromkeys(state.arms[arm].checkpoint for arm in state.tested())
    arms = {arm.name: arm for arm in plan.untrained}
    names = [*(finalists.untrained if finalists else ()), *map(plan.prompt_of, checkpoints)]
    works = []
    for name in dict.fromkeys(names):
        chosen = state.asked.get(name)
        if name in arms and chosen is None:
            continue  # none of its setups came to answers
        checkpoint = arms[name].checkpoint if name in arms else name.removesuffix(".untrained")
        setup = chosen.setup if chosen else None
        works.append(AnswerWork(subject=name, checkpoint=checkpoint, split="test", setup=setup))
    return works
