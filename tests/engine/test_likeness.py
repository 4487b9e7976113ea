"""What the engine makes of likelihood beside scores that all lie at the floor."""

import math
import statistics

import numpy as np
import pytest

from forkpoint.engine import Arm, Ask, Score, Selector, Settings
from forkpoint.engine.history import SEED_END
from forkpoint.engine.history import _seed_error as seed_error
from forkpoint.engine.scale import Scale
from forkpoint.race.live_prior import LIVE_PRIOR

RUNGS = [30, 90, 240]
ROWS = 150
NAMES = ("a.full", "b.full", "a.slow", "b.slow")
FIRST = {"a.full": 0.42, "b.full": 0.45, "a.slow": 0.62, "b.slow": 0.66}  # answer bits per byte


def told(likelihoods: dict[str, float], finals: dict[str, float]) -> dict[str, float]:
    """P(best) by arm: all score .06 at the first rung, some were taken to full length."""
    settings = Settings(scale="bounded", prior=LIVE_PRIOR, seed_sd=0.02, row_correlation=0.5)
    race = Selector([Arm(name=name) for name in NAMES], RUNGS, 1e6, settings)
    for name in NAMES:
        tell(race, name, 0, 0.06, likelihoods.get(name))
    for name, value in finals.items():
        tell(race, name, 2, value, None)
    return {arm.arm: arm.p_best for arm in race.standing().arms}


def tell(race: Selector, arm: str, rung: int, value: float, bits: float | None) -> None:
    """One score on ROWS rows, with its likelihood where there is one."""
    error = math.sqrt(value * (1 - value) / ROWS)
    scores = [Score(value=value, standard_error=error, n=ROWS, unit="share", better="higher")]
    if bits is not None:
        scores.append(
            Score(value=bits, standard_error=0.01, n=ROWS, unit="bits/byte", better="lower",
                  channel="likelihood")
        )  # fmt: skip
    ask = Ask(arm=arm, rung=rung, amount_tokens=RUNGS[rung], kind="fresh")
    race.tell(ask, scores, float(RUNGS[rung]))


def test_an_arm_tried_once_is_judged_by_those_that_learn_like_it() -> None:
    """At the floor, an arm whose likelihood is that of an arm that stayed there hardly competes;
    without likelihoods nothing tells it from one that may yet take off."""
    finals = {"a.full": 0.90, "b.full": 0.91, "a.slow": 0.08}
    with_likelihood, without = told(FIRST, finals), told({}, finals)
    assert with_likelihood["b.slow"] < 0.15
    assert without["b.slow"] > 2 * with_likelihood["b.slow"]


def test_likelihood_says_who_is_alike_and_not_who_is_better() -> None:
    """Where the arm of the worse likelihood took off, its likes are believed to do so too."""
    finals = {"a.slow": 0.90, "a.full": 0.08}
    chances = told(FIRST, finals)
    assert chances["b.slow"] > 3 * chances["b.full"]


def test_an_arm_without_likelihood_is_like_nobody() -> None:
    """A missing likelihood is no error, and ties the arm to no other."""
    some = {name: bits for name, bits in FIRST.items() if name != "b.slow"}
    chances = told(some, {"a.full": 0.90, "a.slow": 0.08})
    assert 1.0 == pytest.approx(sum(chances.values()))
    assert chances["b.slow"] > told(FIRST, {"a.full": 0.90, "a.slow": 0.08})["b.slow"]


def test_noise_between_seeds_does_not_explode_at_the_floor() -> None:
    """A score of 0 has no more noise between seeds, on the scale of curves, than one of .1."""
    scale = Scale("bounded", higher_is_better=True)
    assert seed_error(scale, 1 - SEED_END, 0.02, ROWS) == seed_error(scale, 1.0, 0.02, ROWS)
    assert seed_error(scale, 0.5, 0.02, ROWS) < seed_error(scale, 1.0, 0.02, ROWS) < 0.03
    assert 0.0 == seed_error(scale, 1.0, 0.0, ROWS)


def test_the_mean_of_a_bounded_loss_counts_values_beyond_the_ends_as_the_ends() -> None:
    """The expected loss of a normal curve value is the integral over what `backward` makes of it,
    near 0 and 1 too, where a symmetric formula would be off by a factor of two."""
    scale = Scale("bounded", higher_is_better=True)
    quantiles = (np.arange(20_000) + 0.5) / 20_000
    normal = np.array([statistics.NormalDist().inv_cdf(float(q)) for q in quantiles])
    for mean in (-0.2, 0.0, 0.03, 0.31, 0.5, 0.97, 1.2):
        for sd in (0.0, 0.02, 0.14, 0.5):
            wanted = float(scale.backward(mean + sd * normal).mean())
            found = float(scale.expected(np.array([mean]), np.array([sd**2]))[0])
            assert found == pytest.approx(wanted, abs=5e-4)


def test_no_race_ends_on_first_rungs() -> None:
    """An arm that leads by far at the first rung is looked at further before it is called sure."""
    settings = Settings(scale="bounded", prior=LIVE_PRIOR, p_best_enough=0.5, regret_enough=0.5)
    race = Selector([Arm(name=name) for name in NAMES], RUNGS, 1e4, settings)
    for name in NAMES:
        tell(race, name, 0, 0.9 if name == "a.full" else 0.02, None)
    asks = race.ask()
    assert race.reason is None
    assert asks
    race = Selector([Arm(name=name, rungs=(2,)) for name in NAMES], RUNGS, 1e4, settings)
    for name in NAMES:
        tell(race, name, 2, 0.9 if name == "a.full" else 0.02, None)
    assert not race.ask()
    assert race.reason is not None
    assert race.reason.key in ("engine.stop-sure", "engine.stop-regret")
