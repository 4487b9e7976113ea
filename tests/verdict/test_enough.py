"""Would more rows help? On curves whose truth is known."""

from collections.abc import Callable

import numpy as np
import pytest

from forkpoint.verdict.contrast import SeedNoise
from forkpoint.verdict.enough import Enough, SizeScores, enough, fit
from forkpoint.verdict.resample import Sample

SIZES = (100, 200, 400, 800)
NOISE = SeedNoise(sd=0.005, freedom=10, repeats=8)


def asked(
    truth: Callable[[float], float], seed: int = 0, n: int = 400, **changes: object
) -> Enough:
    """The answer on scores drawn from a curve of accuracies."""
    generator = np.random.default_rng(seed)
    hard_N = generator.random(n)
    sizes = [
        SizeScores(
            rows=rows,
            steps=rows // 4,
            samples=[
                Sample((hard_N < truth(rows) + generator.normal(0, NOISE.sd)).astype(float))
                for _ in range(3)
            ],
        )
        for rows in SIZES
    ]
    known: dict[str, object] = {
        "metric": "exact_match", "margin": 0.02, "passes": 3.0, "rows": 800, "trivial": 0.2,
        "target": None, "tokens": 0, "seed": seed,
    }  # fmt: skip
    return enough("a", changes.pop("sizes", sizes), NOISE, **(known | changes))  # type: ignore[arg-type]


def rising(rows: float) -> float:
    """A curve that gains about 8 points a doubling."""
    return 1 - 0.8 * (rows / 100) ** -0.22


def level(rows: float) -> float:
    """A curve that was flat before the first size."""
    return 0.8 + 0.001 * float(np.log2(rows / 100))


def late(rows: float) -> float:
    """A curve that has only begun to rise."""
    return {100: 0.25, 200: 0.27, 400: 0.35, 800: 0.7}[int(rows)]


def test_a_rising_curve_goes_on_rising() -> None:
    """Where each doubling brought several points, the next is said to bring some."""
    found = asked(rising, n=1000)
    assert "more_helps" == found.answer
    assert found.next_gain is not None
    truth = rising(1600) - rising(800)
    assert found.next_gain.low <= truth <= found.next_gain.high  # type: ignore[operator]


def test_a_flat_curve_is_flat() -> None:
    """Where the last doublings brought nothing, the next is said to bring less than the margin."""
    found = asked(level, n=1000)
    assert "flat" == found.answer
    assert found.flat_rows is not None
    assert found.flat_rows.value <= 800


def test_a_curve_that_takes_off_is_not_extrapolated() -> None:
    """Growing returns have no shape to continue: the answer is that it cannot be known."""
    found = asked(late)
    assert ("cannot_be_known", "enough.taking_off") == (found.answer, found.reason)
    assert found.next_gain is None
    assert len(SIZES) == len(found.points)
    assert 3 == len(found.gains)


def test_scores_on_the_floor_say_nothing() -> None:
    """A model that is no better than the most common answer is not called flat."""
    found = asked(lambda rows: 0.2)
    assert "enough.floor" == found.reason


def test_two_sizes_are_too_few() -> None:
    """Two points fit any curve."""
    sample = [Sample(np.ones(50))]
    sizes = [SizeScores(rows=n, steps=n, samples=sample) for n in (50, 100)]
    assert "enough.few_sizes" == asked(rising, sizes=sizes).reason
    assert "enough.few_sizes" == asked(rising, sizes=[]).reason


def test_few_validation_rows_leave_it_open() -> None:
    """With 30 rows and small gains nothing is claimed."""
    found = asked(lambda rows: 0.7 + 0.02 * np.log2(rows / 100), n=30)
    assert "unclear" == found.answer


def test_a_target_within_reach_and_one_beyond() -> None:
    """A target gets rows with an interval, or the answer that it is too far to be known."""
    near = asked(rising, n=1000, target=0.6)
    assert near.target_rows is not None
    assert 800 < near.target_rows.value < 6400
    far = asked(rising, n=1000, target=0.97)
    assert far.target_rows is None
    assert "enough.target_at_beyond" == far.target_reason
    assert far.p_target is not None
    assert far.p_target < 0.5


@pytest.mark.parametrize("exponent", [0.1, 0.4, 1.0])
def test_the_interval_holds_what_it_says(exponent: float) -> None:
    """On power laws with noise the 95 % interval of the next level holds 90 % of truths or more."""
    rows_K = np.array([100.0, 200.0, 400.0, 800.0])
    inside = []

    def loss(rows: object) -> np.ndarray:
        return 0.1 + 0.5 * (np.asarray(rows) / 100) ** -exponent

    for seed in range(40):
        generator = np.random.default_rng(seed)
        seen_K = loss(rows_K) + generator.normal(0, 0.01, 4)
        curves = fit(rows_K, seen_K, 0.01**2 * np.eye(4), seed)
        rough_B = curves.wiggle_B * generator.standard_normal(len(curves.wiggle_B))
        low, high = np.quantile(curves.loss(1600) + rough_B, [0.025, 0.975])
        inside.append(low <= loss(1600) <= high)
    assert np.mean(inside) >= 0.9


def test_the_same_scores_give_the_same_answer() -> None:
    """Nothing is drawn that is not seeded."""
    assert asked(rising) == asked(rising)
