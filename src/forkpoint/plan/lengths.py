"""How much training is full length, which rungs lead to it, and which rows each step sees."""

import math

import numpy as np

from forkpoint.ledger import RungPlan

FEW_ROWS = 2_000  # rows; below it three passes, above it fewer [method, 'Rungs, epochs, rates']
MANY_ROWS = 20_000  # rows; above it one pass
PASSES_FEW, PASSES_SOME, PASSES_MANY = 3.0, 2.0, 1.0
FIRST_SHARE, MIDDLE_SHARE = 1 / 16, 3 / 8  # of the full length [docs/studies/bank.md, 'Rates']
EARLY_SHARES = (1 / 32, 1 / 8)  # before the middle, where the first of them has many steps
STEPS_FOR_A_RUNG = 12  # optimizer steps; with fewer a score says more of the warmup than of the arm
STEPS_FOR_AN_EARLY_RUNG = 100
APART = 2.0  # times as long as the rung before: a shorter step up shows little for its cost
RATE_HORIZON = 0.32  # the best rate falls with this power of a run's length [arXiv 2409.19913;
# docs/studies/bank.md, 'Rates']
STEPS_WANTED = 200  # optimizer steps at full length that rows_per_step aims for; with half of
# them a new label set hardly leaves the floor on the bundled tickets [docs/LOG.md, 'Steps']
ROWS_PER_STEP = (4, 8, 16, 32, 64)


def default_passes(rows: int) -> float:
    """Passes over the training rows at full length, the same for every arm."""
    if rows < FEW_ROWS:
        return PASSES_FEW
    return PASSES_SOME if rows < MANY_ROWS else PASSES_MANY


def default_rows_per_step(rows: int, passes: float) -> int:
    """The largest usual step that still leaves about STEPS_WANTED steps at full length."""
    fitting = [size for size in ROWS_PER_STEP if rows * passes / size >= STEPS_WANTED]
    return fitting[-1] if fitting else ROWS_PER_STEP[0]


def plan_rungs(rows: int, passes: float, rows_per_step: int) -> tuple[RungPlan, ...]:
    """The rungs up to full length; the first is as short as still says something."""
    full_steps = max(1, round(rows * passes / rows_per_step))
    first: tuple[float, ...] = (max(FIRST_SHARE, STEPS_FOR_A_RUNG / full_steps),)
    if EARLY_SHARES[0] * full_steps >= STEPS_FOR_AN_EARLY_RUNG:
        first = EARLY_SHARES
    shares: list[float] = []
    for share in (*first, MIDDLE_SHARE):
        long_enough = round(share * full_steps) >= STEPS_FOR_A_RUNG
        if long_enough and share <= 1 / APART and (not shares or share >= APART * shares[-1]):
            shares.append(share)
    shares.append(1.0)
    rungs = []
    for index, share in enumerate(shares, start=1):
        steps = max(1, round(full_steps * share))
        visits = steps * rows_per_step
        unique = min(rows, visits)
        rungs.append(
            RungPlan(
                index=index,
                unique_rows=unique,
                passes=visits / unique,
                steps=steps,
                share=steps / full_steps,
            )
        )
    return tuple(rungs)


def step_plan(row_count: int, rung: RungPlan, rows_per_step: int, seed: int) -> list[list[int]]:
    """Row numbers of every optimizer step of a rung: the same for every arm.

    Each pass shuffles the rung's rows anew; a rung's rows are the first of one seeded order, so
    a longer rung holds the rows of a shorter one.
    """
    order = np.random.default_rng([seed, 0]).permutation(row_count)[: rung.unique_rows]
    visits: list[int] = []
    wanted = rung.steps * rows_per_step
    passes = math.ceil(wanted / len(order))
    for number in range(passes):
        shuffled = np.random.default_rng([seed, 1 + number]).permutation(order)
        visits.extend(int(row) for row in shuffled)
    return [visits[at : at + rows_per_step] for at in range(0, wanted, rows_per_step)]


def smallest_difference(rows: int, disagreement: float = 0.2) -> float:
    """The smallest paired difference that `rows` test rows show with 80 % power at 5 %.

    `disagreement` is the share of rows on which two arms differ in being right.
    """
    z_two_sided, z_power = 1.959964, 0.841621
    return min(1.0, (z_two_sided + z_power) * math.sqrt(disagreement / max(rows, 1)))
