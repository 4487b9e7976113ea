"""Figures of others: computed as they say."""

import pytest
from scipy import stats

from forkpoint.sources.studies import LORA_LAND_PAIRS, TINKER_PAIRS, bearings_on, mean_of_pairs


@pytest.mark.parametrize(
    "differences",
    [
        tuple(one for _, one in LORA_LAND_PAIRS),
        tuple(tuned - base for _, base, tuned in TINKER_PAIRS),
    ],
)
def test_interval_of_pairs_is_students(differences: tuple[float, ...]) -> None:
    """The interval over pairs of twins is Student's, as scipy computes it."""
    figure = mean_of_pairs(differences, "score", "x")
    low, high = stats.t.interval(
        0.95,
        len(differences) - 1,
        loc=sum(differences) / len(differences),
        scale=stats.sem(differences),
    )
    assert pytest.approx((low, high), abs=1e-5) == (figure.low, figure.high)
    assert len(differences) == figure.n


def test_a_direction_agrees_with_its_interval() -> None:
    """A study is called undecided exactly where its interval includes 0."""
    for code in ("FP-B03", "FP-B14", "FP-B23"):
        for _, bearing, figure in bearings_on(code):
            assert figure.low is not None and figure.high is not None
            includes = figure.low <= 0 <= figure.high
            assert includes == (bearing.direction == "undecided")
