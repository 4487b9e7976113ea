"""From what was measured to the arms of a race: checkpoint x approach x rows."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.ledger import ArmPlan, MemoryPlan, RungPlan, Settings, Speed, SubsetPlan
from forkpoint.plan.forecast import answers_per_second
from forkpoint.race.diet import fed_steps, staged
from forkpoint.train.approach import approach as train_approach


class Food(NamedTuple):
    """Ids of everything that an arm may be trained on."""

    task: Sequence[str]
    replay: Sequence[str] = ()  # its checkpoint's rows against forgetting
    corpus: Sequence[str] = ()  # pieces of raw text
    pairs: Sequence[str] = ()  # rows with a rejected answer


def arm_name(checkpoint: str, approach: str, subset: str | None, replay: float) -> str:
    """An arm's name, which is also its folder's.

    >>> arm_name("pocket-base", "full", "best", 0.5)
    'pocket-base.full.best.replay-50'
    """
    pieces = [checkpoint, approach, subset, f"replay-{100 * replay:g}" if replay else None]
    return ".".join(piece for piece in pieces if piece)


def plan_arm(
    kind: tuple[str, str, str | None, float],
    found: CheckpointFacts,
    survey: Mapping[str, Any],
    rows: Food,
    full: RungPlan,
    settings: Settings,
    memory: MemoryPlan | None = None,
) -> ArmPlan:
    """One arm with the cost of its full length.

    `kind`: checkpoint, approach, subset and share of replay.
    """
    name, approach, subset, replay = kind
    measured, speed = survey["approaches"][approach], Speed.model_validate(survey["speed"])
    lengths = next(iter(survey["renderings"].values()))
    steps = fed_steps(rows.task, rows.replay, replay, full, settings.rows_per_step, settings.seed)
    needs = train_approach(approach).NEEDS
    known = set(rows.pairs)
    own = [row for row in rows.task if row in known]
    stages = staged(steps, needs, rows.corpus, own, full.share, settings.seed)
    pairs: Mapping[str, int] = next(iter(survey["pair_tokens"].values()), {})
    return ArmPlan(
        name=arm_name(*kind),
        checkpoint=name,
        approach=approach,
        stage=found.stage,
        renderings=tuple(survey["renderings"]),
        centre_rate=measured["rate"],
        rate_reason=measured["rate_key"],
        rate_values=measured["rate_values"],
        full_tokens=sum(
            tokens[row]
            for tokens, part in (
                (lengths, stages.texts),
                (lengths, stages.rows),
                (pairs, stages.pairs),
            )
            for step in part
            for row in step
        ),
        trainable_parameters=measured["trainable_parameters"],
        load_seconds=speed.load_seconds + speed.setup_seconds[approach],
        train_tokens_per_second=speed.train_tokens_per_second[approach],
        answers_per_second=answers_per_second(speed),
        subset=subset,
        replay=replay,
        memory=memory,
    )


def subset_names(subsets: Mapping[str, SubsetPlan]) -> tuple[str | None, ...]:
    """What an arm may train on: all rows, then every subset and the random ones beside them."""
    return (None, *subsets)
