"""The bar: what is left follows the plan's stations and the pace seen so far."""

from itertools import pairwise
from typing import NamedTuple

import pytest
from simulated_race import Silent, SimulatedExecutor, make_agreement

from forkpoint.ledger import Speed, read_lines
from forkpoint.plan.forecast import Course, forecast
from forkpoint.race.driver import run_race
from forkpoint.race.progress import pace, seconds_left, share_done, stations_done
from forkpoint.race.state import RaceState

SPEED = Speed(
    start_seconds=0.0,
    load_seconds=0.1,
    score_row_seconds=0.001,
    answer_batch=32,
    answer_warmup_seconds=0.0,
    answer_prompt_seconds=0.02,
    answer_step_seconds=0.005,
    answer_tokens=4,
    setup_seconds={"lora": 0.2, "full": 0.2},
    train_tokens_per_second={"lora": 80_000.0, "full": 80_000.0},
)


class Watched(NamedTuple):
    """A race before its start, at its end, and share, seconds left and stations in between."""

    begin: RaceState
    end: RaceState
    seen: list[tuple[float, float, dict[str, float]]]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """A simulated race, looked at after every line of its ledger."""
    folder = tmp_path_factory.mktemp("race")
    patch = pytest.MonkeyPatch()
    patch.setenv("FORKPOINT_HOME", str(folder / "home"))
    agreed = make_agreement(folder)
    speeds = dict.fromkeys(agreed.checkpoints, SPEED)
    limits = dict.fromkeys(agreed.checkpoints, 16)
    course = Course(agreed.arms, agreed.rungs, agreed.settings, speeds, limits, 80, 80)
    stations = forecast(course, agreed.budget_tokens)
    agreed = make_agreement(
        folder, speeds=speeds, stations=stations, predicted_seconds=sum(stations.values())
    )
    run_race(folder, SimulatedExecutor(folder, agreed), Silent())
    patch.undo()
    state, seen = RaceState(agreed), []
    for line in read_lines(folder):
        state.read(line)
        seen.append((share_done(state), seconds_left(state), stations_done(state)))
    return Watched(RaceState(agreed), state, seen)


def test_before_the_start_everything_is_ahead(watched: Watched) -> None:
    """The bar begins with the plan's own figure."""
    begin = watched.begin
    assert 0 == share_done(begin)
    assert begin.agreement.predicted_seconds == pytest.approx(seconds_left(begin))


def test_the_bar_moves_forward_and_ends_full(watched: Watched) -> None:
    """From line to line the share grows but for widened brackets; at the end nothing is left."""
    seen = watched.seen
    shares = [share for share, _, _ in seen]
    assert all(later > earlier - 0.05 for earlier, later in pairwise(shares))
    assert 1.0 == shares[-1]
    assert 0.0 == seen[-1][1]
    assert all(0 <= part <= 1 for _, _, stations in seen for part in stations.values())


def test_slow_trials_lengthen_what_is_left(watched: Watched) -> None:
    """The simulated trials take one second each, more than was predicted: the pace says so."""
    assert 1.0 == pace(watched.begin)
    assert pace(watched.end) > 1.0


def test_a_race_planned_without_stations_still_has_a_bar(watched: Watched) -> None:
    """Older run folders can be resumed."""
    plain = watched.begin.agreement.model_copy(update={"stations": {}, "speeds": {}})
    old = RaceState(plain)
    assert plain.predicted_seconds == seconds_left(old)
    assert 0 == share_done(old)
