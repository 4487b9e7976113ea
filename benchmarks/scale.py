"""The scheduler against many arms on many simulated workers, in virtual time; no cluster is needed.

    python benchmarks/scale.py --arms 100 --workers 10 --seeds 3
    python benchmarks/scale.py --arms 1000 --workers 100 --seeds 1 --rules window

A trial takes a time in proportion to its training tokens, times a drawn factor. The rules differ in
what the engine knows when a worker is free:

    one      one worker: each trial is chosen knowing all before it; the others are held against it
    window   the race's own rule (race/racing.py): outcomes are told in the order of asking
    arrival  outcomes are told as they arrive: no worker waits, but who was faster decides
    batch    as many trials as there are workers, told when the last of them has ended

Printed for each: idle share of the workers until the end, virtual time (one trial of full length of
the dearest arm is 1), regret (score of the best arm less that of the arm picked), trials, and the
engine's own seconds for each of its decisions.
"""

import argparse
import heapq
import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from forkpoint.engine import Arm, Ask, Score, Selector, Settings
from forkpoint.race.live_prior import LIVE_PRIOR

SHARES = (0.05, 0.15, 0.4, 1.0)  # rungs, of the full length
FULL_TOKENS = 1_000_000
ROWS = 200  # validation rows of a score
SPREAD = 0.25  # SD of the logarithm of a trial's time
RULES = ("one", "window", "arrival", "batch")


class World:
    """Arms with drawn learning curves; the same seed, the same scores in whatever order."""

    def __init__(self, arms: int, seed: int) -> None:
        drawn = np.random.default_rng(seed)
        self.seed = seed
        self.final_A = np.clip(drawn.normal(0.6, 0.08, arms), 0.05, 0.95)
        self.slope_A = drawn.uniform(0.1, 0.5, arms)
        self.cost_A = np.exp(drawn.uniform(np.log(0.2), 0.0, arms))
        self.names = [f"arm-{number:05d}" for number in range(arms)]
        self.index = {name: number for number, name in enumerate(self.names)}

    def score(self, ask: Ask) -> Score:
        """What the trial scores on its rows."""
        arm, share = self.index[ask.arm], SHARES[ask.rung]
        expected = self.final_A[arm] - self.slope_A[arm] * (share**-0.3 - 1) * 0.3
        drawn = np.random.default_rng((self.seed, arm, ask.rung))
        hits = drawn.binomial(ROWS, float(np.clip(expected, 0.01, 0.99)))
        value = hits / ROWS
        error = float(np.sqrt(max(value * (1 - value), 0.25 / ROWS) / ROWS))
        return Score(value=value, standard_error=error, n=ROWS, unit="exact", better="higher")

    def tokens(self, ask: Ask) -> float:
        """Training tokens times the arm's cost, which is what a budget counts."""
        return float(FULL_TOKENS * SHARES[ask.rung] * self.cost_A[self.index[ask.arm]])

    def seconds(self, ask: Ask) -> float:
        """Virtual time of the trial."""
        drawn = np.random.default_rng((self.seed, self.index[ask.arm], ask.rung, 1))
        return self.tokens(ask) / FULL_TOKENS * float(np.exp(drawn.normal(0.0, SPREAD)))


class Clock:
    """Seconds that the engine itself takes, one entry a call."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def ask(self, selector: Selector) -> list[Ask]:
        """Ask, timed over the decisions that come of it."""
        began = time.process_time()
        asks = selector.ask()
        self.seconds.extend([(time.process_time() - began) / max(1, len(asks))] * max(1, len(asks)))
        return asks


def race(world: World, rule: str, workers: int, budget: float, ahead: float) -> dict[str, Any]:
    """One race in virtual time."""
    slots = 1 if rule == "one" else workers
    parallel = max(1, round(slots * ahead)) if rule == "window" else slots
    arms = [
        Arm(name=n, cost_per_token=float(c)) for n, c in zip(world.names, world.cost_A, strict=True)
    ]
    settings = Settings(
        parallel=parallel, scale="bounded", prior=LIVE_PRIOR, row_correlation=0.5, seed_sd=0.01
    )
    rungs = [round(share * FULL_TOKENS) for share in SHARES]
    selector = Selector(arms, rungs, budget, settings, world.seed)
    now, busy_time = opening(world, slots)
    clock, trials = Clock(), len(arms)
    waiting: list[Ask] = []
    while (asks := clock.ask(selector)) and asks[0].rung == 0:  # these have run, side by side
        for ask in asks:
            if ask.rung == 0:
                selector.tell(ask, [world.score(ask)], world.tokens(ask))
            else:
                waiting.append(ask)
    waiting.extend(asks)
    clock.seconds.clear()
    asked: list[Ask] = list(waiting)  # not yet told, in the order of asking
    running: list[tuple[float, int, Ask]] = []
    ended: set[tuple[str, int]] = set()
    while waiting or running:
        while waiting and len(running) < slots:
            ask = waiting.pop(0)
            trials += 1
            seconds = world.seconds(ask)
            busy_time += seconds
            heapq.heappush(running, (now + seconds, trials, ask))
        now, _, done = heapq.heappop(running)
        ended.add((done.arm, done.rung))
        for told in _to_tell(rule, asked, ended, done, bool(running or waiting)):
            asked.remove(told)
            selector.tell(told, [world.score(told)], world.tokens(told))
            if rule != "batch":
                new = clock.ask(selector)
                waiting.extend(new)
                asked.extend(new)
        if rule == "batch" and not asked:
            new = clock.ask(selector)
            waiting.extend(new)
            asked.extend(new)
    pick = world.index[selector.standing().pick or world.names[0]]
    took = np.array(clock.seconds)
    return {
        "rule": rule, "seed": world.seed, "arms": len(arms), "workers": slots, "ahead": ahead,
        "idle": 1.0 - busy_time / (now * slots), "time": now, "trials": trials,
        "regret": float(world.final_A.max() - world.final_A[pick]),
        "decisions": len(took), "engine_seconds": float(took.sum()),
        "slowest_decision_seconds": float(took.max()),
        "reason": selector.reason.key if selector.reason else None,
    }  # fmt: skip


def opening(world: World, slots: int) -> tuple[float, float]:
    """Every arm at the first rung, as the race does it before the engine chooses: time, work."""
    free = [0.0] * slots
    asks = [Ask(arm=name, rung=0, kind="fresh", amount_tokens=1) for name in world.names]
    took = [world.seconds(ask) for ask in asks]
    for seconds in took:
        heapq.heappush(free, heapq.heappop(free) + seconds)
    return max(free), sum(took)


def price(world: World, budget: float, decisions: int) -> dict[str, Any]:
    """Processor seconds of the first decisions once every arm was seen at the first rung."""
    arms = [Arm(name=n, cost_per_token=float(c))
            for n, c in zip(world.names, world.cost_A, strict=True)]  # fmt: skip
    settings = Settings(scale="bounded", prior=LIVE_PRIOR, row_correlation=0.5, seed_sd=0.01)
    rungs = [round(share * FULL_TOKENS) for share in SHARES]
    selector = Selector(arms, rungs, budget, settings, world.seed)
    seconds = []
    for _ in range(len(arms) + decisions):
        began = time.process_time()
        asks = selector.ask()
        seconds.append(time.process_time() - began)
        for ask in asks:
            selector.tell(ask, [world.score(ask)], world.tokens(ask))
    return {"arms": len(arms), "opening_seconds": round(sum(seconds[: len(arms)]), 3),
            "decision_seconds": [round(one, 3) for one in seconds[len(arms) :]]}  # fmt: skip


def _to_tell(
    rule: str, asked: Sequence[Ask], ended: set[tuple[str, int]], done: Ask, others: bool
) -> list[Ask]:
    """The outcomes that the engine is told now, by the rule."""
    if rule in ("one", "arrival"):
        return [done]
    if rule == "batch":
        return [] if others else list(asked)
    ready = []
    for ask in asked:
        if (ask.arm, ask.rung) not in ended:
            break
        ready.append(ask)
    return ready


def main() -> None:
    """One line a race."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arms", type=int, default=100)
    parser.add_argument("--workers", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rules", default=",".join(RULES))
    parser.add_argument("--ahead", type=float, default=1.0, help="asks under way for each worker")
    parser.add_argument("--price", type=int, default=0, help="time this many decisions, then stop")
    parser.add_argument("--share", type=float, default=0.25, help="budget over brute force")
    given = parser.parse_args()
    for seed in range(given.seeds):
        world = World(given.arms, seed)
        budget = given.share * FULL_TOKENS * float(world.cost_A.sum())
        if given.price:
            print(json.dumps(price(world, budget, given.price)), flush=True)
            continue
        for rule in given.rules.split(","):
            line = race(world, rule, given.workers, budget, given.ahead)
            print(json.dumps({k: round(v, 4) if isinstance(v, float) else v
                              for k, v in line.items()}), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
