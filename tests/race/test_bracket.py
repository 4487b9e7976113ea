"""Which learning rate an arm goes on with."""

import pytest

from forkpoint.ledger import ArmPlan, Measured, Trial, TrialScored
from forkpoint.race.bracket import Bracket

SETTINGS = {"rate_factors": (1 / 3, 1.0, 3.0), "seed": 0}


def bracket(renderings: tuple[str, ...] = ("chat",)) -> Bracket:
    """An arm whose centre is 3e-3; only what the bracket reads is set."""
    arm = ArmPlan.model_construct(name="a.lora", centre_rate=3e-3, renderings=renderings)
    settings = type("Settings", (), SETTINGS)()
    return Bracket(arm, settings)


def scored(trial: Trial, score: float, bits: float | None, error: float = 0.03) -> TrialScored:
    """What the bracket reads of a trial's line."""
    primary = Measured(
        value=score, standard_error=error, n=150, unit="macro_f1", better="higher"
    )  # fmt: skip
    likelihood = Measured(
        value=bits, standard_error=0.02, n=150, unit="bits_per_byte", better="lower"
    )  # fmt: skip
    return TrialScored.model_construct(
        trial=trial, primary=primary, likelihood=likelihood, tokens=10
    )


def outcome(scores: list[tuple[float, float | None]]) -> tuple[float, bool]:
    """The rate chosen after these outcomes at a third, the centre and three times, and edges."""
    contest = bracket()
    for trial, (score, bits) in zip(list(contest.wanted), scores, strict=True):
        contest.read(scored(trial, score, bits))
    while open_trials := contest.open_trials():  # a widened bracket: what lies beyond is hopeless
        for trial in open_trials:
            contest.read(scored(trial, 0.0, 9.0))
    decision = contest.decision()
    assert decision is not None
    return decision.rate, decision.at_edge


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        # after so short a run the metric alone moves no rate, however clear it is
        ([(0.2, 0.9), (0.3, 0.5), (0.8, 0.4)], 3e-3),
        # a rate beside the centre has to lower the bits by three tenths, on either side
        ([(0.10, 1.9), (0.08, 0.7), (0.11, 0.48)], 9e-3),
        ([(0.10, 1.9), (0.08, 0.7), (0.11, 0.50)], 3e-3),
        ([(0.06, 0.45), (0.057, 0.66), (0.12, 1.74)], 1e-3),
        ([(0.06, 0.47), (0.057, 0.66), (0.12, 1.74)], 3e-3),
        # and its answers must not be clearly worse
        ([(0.10, 1.9), (0.50, 0.7), (0.11, 0.2)], 3e-3),
        # a centre that learns nothing is left
        ([(0.10, 0.5), (0.00, 4.0), (0.00, 6.0)], 1e-3),
        # without a likelihood the metric has to be clearly better
        ([(0.10, None), (0.08, None), (0.11, None)], 3e-3),
        ([(0.10, None), (0.08, None), (0.31, None)], 9e-3),
    ],
)
def test_the_rate_that_an_arm_goes_on_with(
    scores: list[tuple[float, float | None]], expected: float
) -> None:
    """The centre, unless the likelihood is much better elsewhere and the metric no worse."""
    assert expected == pytest.approx(outcome(scores)[0], rel=0.01)


def test_a_best_rate_at_the_edge_widens_the_bracket() -> None:
    """After three rates whose best is the highest, a fourth is wanted beyond it, and no fifth."""
    contest = bracket()
    for trial, bits in zip(list(contest.wanted), (1.9, 0.7, 0.4), strict=True):
        contest.read(scored(trial, 0.1, bits))
    assert [2.7e-2] == pytest.approx([trial.rate for trial in contest.open_trials()], rel=0.01)
    contest.read(scored(contest.open_trials()[0], 0.1, 0.9))
    assert not contest.open_trials()
    decision = contest.decision()
    assert decision is not None and not decision.at_edge
