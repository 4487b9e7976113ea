"""Many arms are conditioned through what they share, and nothing else changes."""

import time

import numpy as np
import pytest

from forkpoint.engine import Arm, CurveScales, Paired, Prior, Score, Selector, Settings
from forkpoint.engine import curves as curves_module
from forkpoint.engine.belief import Belief, CrowdBelief, DenseBelief
from forkpoint.engine.curves import CurveModel
from forkpoint.engine.kernel import Grid
from forkpoint.engine.seen import Errors, Seen
from forkpoint.race.live_prior import LIVE_PRIOR

ARMS, RUNGS = 70, 4
DOUBLINGS = np.array([0.0, 1.6, 3.0, 4.3])
ONE = CurveScales(
    mean_slope=-0.05, bend=0.001, own_level=0.2, own_slope=0.03, own_walk=0.02, common_slope=0.05,
    common_walk=0.04, alike_reach=0.1, alike_slope=0.05, alike_walk=0.05, wiggle=0.02,
)  # fmt: skip
TWO = ONE.model_copy(update={"kin_reach": 0.3, "own_walk": 0.08})
PRIOR = Prior(scales=(ONE, TWO), origin="a test")


def grid() -> Grid:
    """Arms that train, but for the last two."""
    t_AK = np.tile(DOUBLINGS, (ARMS, 1))
    t_AK[-2:] = 0.0
    final_A = np.arange(ARMS) * RUNGS + RUNGS - 1
    return Grid(t_AK.ravel(), np.repeat(np.arange(ARMS), RUNGS), final_A)


def seen(exact: bool) -> Seen:
    """All but three arms at the first rung, some further on; some without a likelihood."""
    drawn = np.random.default_rng(3)
    first = np.arange(ARMS - 3) * RUNGS
    cell_N = np.concatenate([first, first[5:25] + 1, first[8:12] + 3])
    value_N = drawn.normal(0.5, 0.1, len(cell_N))
    row_N = np.zeros(len(cell_N)) if exact else drawn.uniform(0.01, 0.05, len(cell_N))
    seed_N = np.zeros(len(cell_N)) if exact else np.full(len(cell_N), 0.02)
    kin_A = drawn.normal(0.0, 0.5, ARMS)
    kin_A[10:20] = np.nan
    return Seen(cell_N, value_N, Errors(row_N, seed_N, 0.0 if exact else 0.5), kin_A)


def both(exact: bool, monkeypatch: pytest.MonkeyPatch) -> tuple[Belief, Belief]:
    """The belief of whole matrices, and that of the crowd."""
    monkeypatch.setattr(curves_module, "CROWD", 1000)
    dense = CurveModel(grid(), PRIOR).belief(seen(exact))
    monkeypatch.setattr(curves_module, "CROWD", 64)
    crowd = CurveModel(grid(), PRIOR).belief(seen(exact))
    assert isinstance(dense, DenseBelief)
    assert isinstance(crowd, CrowdBelief)
    return dense, crowd


@pytest.mark.parametrize("exact", [False, True])
def test_a_crowd_believes_what_whole_matrices_say(
    exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights, means and covariances are those of one Cholesky factor of everything, for noisy
    scores on shared rows and for exact ones."""
    dense, crowd = both(exact, monkeypatch)
    cells = np.arange(ARMS * RUNGS)
    within = 1e-5 if exact else 1e-7  # exact scores have errors of 1e-5: rounding is near
    assert crowd.weight_H == pytest.approx(dense.weight_H, abs=within)
    assert crowd.mean(cells) == pytest.approx(dense.mean(cells), abs=within)
    assert crowd.covariance(cells, cells) == pytest.approx(
        dense.covariance(cells, cells), abs=within
    )
    assert crowd.between(cells[:-1], cells[1:]) == pytest.approx(
        dense.between(cells[:-1], cells[1:]), abs=within
    )


def test_drawn_futures_of_a_crowd_have_the_covariance_of_its_finals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A standard normal for each load and each arm gives the finals their covariance."""
    dense, crowd = both(False, monkeypatch)
    for part in range(2):
        root_WA = crowd.away(part, np.eye(crowd.width()))
        loads = crowd.width() - ARMS
        cov_AA = root_WA[:loads].T @ root_WA[:loads] + root_WA[loads:].T @ root_WA[loads:]
        wanted = dense.parts(dense.final_A, dense.final_A)[part]
        assert cov_AA == pytest.approx(wanted, abs=1e-7)


def race(arms: int, budget: float, monkeypatch: pytest.MonkeyPatch, crowd: int) -> Selector:
    """A race of simulated arms with 200 rows a score, three trials under way."""
    monkeypatch.setattr(curves_module, "CROWD", crowd)
    drawn = np.random.default_rng(1)
    final_A, slope_A = drawn.normal(0.6, 0.08, arms), drawn.uniform(0.1, 0.5, arms)
    settings = Settings(
        scale="bounded", prior=LIVE_PRIOR, row_correlation=0.5, seed_sd=0.01, parallel=3
    )
    rungs = [50, 150, 400, 1000]
    racers = [Arm(name=f"arm{number}") for number in range(arms)]
    selector = Selector(racers, rungs, budget * 1000 * arms, settings)
    while asks := selector.ask():
        for ask in asks:
            arm = selector.course.index[ask.arm]
            expected = final_A[arm] - 0.3 * slope_A[arm] * ((ask.amount_tokens / 1000) ** -0.3 - 1)
            row = np.random.default_rng((arm, ask.rung)).binomial(
                200, np.clip(expected, 0.01, 0.99)
            )
            value = float(row / 200)
            error = float(np.sqrt(max(value * (1 - value), 0.00125) / 200))
            told = Score(value=value, standard_error=error, n=200, unit="share", better="higher")
            selector.tell(ask, [told], float(ask.amount_tokens))
    return selector


def away_by_cholesky(belief: Belief, part: int, normal_SW: np.ndarray) -> np.ndarray:
    """The same draws of finals for either form: both take another root of the same covariance."""
    cov_AA = belief.parts(belief.final_A, belief.final_A)[part]
    root_AA = np.linalg.cholesky((cov_AA + cov_AA.T) / 2 + 1e-9 * np.eye(len(cov_AA)))
    drawn: np.ndarray = normal_SW @ root_AA.T
    return drawn


def test_a_crowd_races_as_whole_matrices_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trials that 80 arms are given are the same, trial by trial, with either arithmetic, where
    both draw the same futures."""
    for form in (DenseBelief, CrowdBelief):
        monkeypatch.setattr(form, "away", away_by_cholesky)
        monkeypatch.setattr(form, "width", lambda belief: len(belief.final_A))
    dense = race(80, 0.2, monkeypatch, 1000)
    crowd = race(80, 0.2, monkeypatch, 64)
    assert len(crowd._history.scores) > 90
    assert list(crowd._history.scores) == list(dense._history.scores)
    assert crowd.standing().pick == dense.standing().pick


def test_a_crowd_that_was_told_pairs_is_conditioned_on_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Covariances told for pairs fit no small number of weights: whole matrices are used."""
    selector = Selector([Arm(name=f"arm{n}") for n in range(70)], [50, 100], 5000.0)
    told = Score(value=1.0, standard_error=0.1, n=50, unit="nats", better="lower")
    ask = selector.ask()[0]
    selector.tell(ask, [told], 50.0)
    pairs = [Paired(arm=ask.arm, rung=0, covariance=0.005)]
    selector.tell(selector.ask()[0], [told], 50.0, pairs)
    known = selector._know()
    assert known is not None
    assert isinstance(known.belief, DenseBelief)


def test_a_thousand_arms_are_decided_in_well_under_a_second() -> None:
    """After the opening a decision over 1,000 arms takes less than .6 s of a core (about .1 s where
    nothing else runs)."""
    arms = [Arm(name=f"arm{number}") for number in range(1000)]
    selector = Selector(arms, [50, 150, 400, 1000], 500_000.0, Settings(prior=LIVE_PRIOR))
    drawn = np.random.default_rng(0)
    for _ in arms:
        ask = selector.ask()[0]
        value = float(drawn.binomial(200, 0.5) / 200)
        told = Score(value=value, standard_error=0.035, n=200, unit="share", better="higher")
        selector.tell(ask, [told], 50.0)
    began = time.process_time()
    assert selector.ask()[0].rung > 0
    assert time.process_time() - began < 0.6
