"""What an arm is fed: which rows, texts and pairs stand in each of its optimizer steps."""

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from forkpoint.ledger import Agreement, ArmPlan, RungPlan, Trial
from forkpoint.plan.lengths import step_plan
from forkpoint.train.approach import approach

Steps = list[list[str]]


class Stages(NamedTuple):
    """Row ids of every optimizer step, one stage after the other."""

    texts: Steps  # raw text
    rows: Steps
    pairs: Steps  # rows of which the chosen answer is preferred to the rejected one


def task_ids(agreement: Agreement, arm: ArmPlan, fold: int = 0) -> tuple[str, ...]:
    """The training rows that an arm may see: all of them, or those of its subset."""
    if arm.subset is None:
        return agreement.sides(fold).train_ids
    return agreement.subsets[arm.subset].ids


def arm_steps(agreement: Agreement, trial: Trial) -> list[list[str]]:
    """The row ids of every optimizer step of a trial."""
    arm = next(arm for arm in agreement.arms if arm.name == trial.arm)
    return fed_steps(
        task_ids(agreement, arm, trial.fold),
        agreement.replay_ids.get(arm.checkpoint, ()) if arm.replay else (),
        arm.replay,
        agreement.rungs[trial.rung - 1],
        agreement.settings.rows_per_step,
        trial.seed,
    )


def arm_stages(agreement: Agreement, trial: Trial) -> Stages:
    """Everything that a trial is trained on: its rows, with what its approach adds to them."""
    arm = next(arm for arm in agreement.arms if arm.name == trial.arm)
    pairs = set(agreement.pair_ids)
    return staged(
        arm_steps(agreement, trial),
        approach(arm.approach).NEEDS,
        agreement.corpus_ids,
        [row for row in task_ids(agreement, arm, trial.fold) if row in pairs],
        agreement.rungs[trial.rung - 1].share,
        trial.seed,
    )


def staged(
    steps: Steps,
    needs: Collection[str],
    corpus_ids: Sequence[str],
    pair_ids: Sequence[str],
    share: float,
    seed: int,
) -> Stages:
    """The stages around the steps on rows, at a share of full length.

    At full length the raw text is read once and every pair is seen once; a shorter rung reads the
    first of the same order. Pairs come in the order in which their rows were met.
    """
    size = max(map(len, steps), default=1)
    texts: list[str] = []
    if "corpus" in needs:
        order = np.random.default_rng([seed, 0]).permutation(len(corpus_ids))
        texts = [corpus_ids[int(place)] for place in order[: _part(share, len(corpus_ids))]]
    pairs: list[str] = []
    if "preferences" in needs:
        known = set(pair_ids)
        met = [row for row in dict.fromkeys(row for step in steps for row in step) if row in known]
        pairs = met[: _part(share, len(pair_ids))]
    return Stages(_cut(texts, size), steps, _cut(pairs, size))


def _part(share: float, count: int) -> int:
    return min(count, math.ceil(share * count))


def _cut(ids: list[str], size: int) -> Steps:
    return [ids[at : at + size] for at in range(0, len(ids), size)]


def replay_weight(task_tokens: Sequence[int], general_tokens: Sequence[int]) -> float:
    """What a token of a general row counts in the loss beside one of a task row, at most 1.

    A general row weighs as a task row does, however long its answer: by tokens alone a label of
    three would be a tenth of each step's loss [docs/LOG.md, 'Replay'].
    """
    if not task_tokens or not general_tokens or not sum(general_tokens):
        return 1.0
    task, general = (sum(n) / len(n) for n in (task_tokens, general_tokens))
    return min(1.0, task / general)


def fed_steps(
    ids: Sequence[str],
    replay_ids: Sequence[str],
    replay: float,
    rung: RungPlan,
    rows_per_step: int,
    seed: int,
) -> list[list[str]]:
    """Task rows of every step, the same number for all arms, with replay rows beside them.

    An arm with fewer rows than the rung sees them more often, so that all arms take the same
    steps. Replay comes on top: the task rows of a step do not depend on it.
    """
    own = rung.model_copy(update={"unique_rows": min(rung.unique_rows, len(ids))})
    plan = step_plan(len(ids), own, rows_per_step, seed)
    steps = [[ids[row] for row in step] for step in plan]
    if not replay or not replay_ids:
        return steps
    wanted = [round(replay * rows_per_step * (number + 1)) for number in range(len(steps))]
    kept = min(len(replay_ids), math.ceil(replay * own.unique_rows))
    order = np.random.default_rng([seed, 0]).permutation(len(replay_ids))[:kept]
    passes = math.ceil(wanted[-1] / max(1, kept))
    visits: list[str] = []
    for number in range(passes):
        shuffled = np.random.default_rng([seed, 1 + number]).permutation(order)
        visits.extend(replay_ids[int(row)] for row in shuffled)
    for number, step in enumerate(steps):
        step.extend(visits[wanted[number - 1] if number else 0 : wanted[number]])
    return steps
