"""Intervals on known answers."""

import numpy as np
import pytest

from forkpoint.measure.interval import mean, paired_rates, rate, ratio, wilson


def test_wilson_known_answer() -> None:
    """8 of 10: 0.490 to 0.943 [Wilson 1927; Newcombe 1998, table I uses the same formula]."""
    low, high = wilson(8, 10)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)
    assert wilson(0, 20)[0] == 0.0
    assert wilson(20, 20)[1] == 1.0


def test_mean_is_students() -> None:
    """1, 2, 3: mean 2, standard error 0.577, interval of t with two degrees of freedom."""
    found = mean([1.0, 2.0, 3.0], "bits")
    assert found.value == pytest.approx(2.0)
    assert found.standard_error == pytest.approx(1 / 3**0.5)
    assert found.high == pytest.approx(2.0 + 4.302653 / 3**0.5, abs=1e-5)


def test_no_rows_is_no_figure() -> None:
    """Nothing measured is None, never 0."""
    assert rate([]).value is None
    assert mean([], "bits").value is None
    assert ratio([], [], "bits/byte").value is None
    assert mean([1.0], "bits").standard_error is None


def test_intervals_cover_what_they_should() -> None:
    """Bits per byte and paired changes cover the truth in about 95 % of samples."""
    random = np.random.default_rng(7)
    hits = {"ratio": 0, "paired": 0}
    for _ in range(400):
        bytes_ = random.integers(5, 60, 80).astype(float)
        bits = bytes_ * random.gamma(4.0, 0.5, 80)
        found = ratio(list(bits), list(bytes_), "bits/byte")
        hits["ratio"] += bool((found.low or 0) <= 2.0 <= (found.high or 0))
        first = random.random(80) < 0.7
        second = np.where(random.random(80) < 0.2, random.random(80) < 0.2, first)
        truth = 0.2 * (0.2 - 0.7)
        change = paired_rates([(bool(a), bool(b)) for a, b in zip(first, second, strict=True)])
        assert change.low is not None and change.high is not None
        hits["paired"] += bool(change.low <= truth <= change.high)
    assert 0.90 <= hits["ratio"] / 400 <= 0.99
    assert 0.90 <= hits["paired"] / 400 <= 0.99


def test_no_change_is_not_certainty() -> None:
    """A hundred rows without a change still leave a few percent open."""
    found = paired_rates([(True, True)] * 100)
    assert found.value == 0.0
    assert found.low is not None and found.high is not None
    assert found.low < -0.01 and found.high > 0.01
