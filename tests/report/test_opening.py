"""The first screen: the verdict in words."""

import doctest
import re
from typing import get_args

import pytest

from forkpoint.record import Figure
from forkpoint.report import View, visible, wording
from forkpoint.report.opening import helps, opening, origin
from forkpoint.report.view_record import Saying
from forkpoint.verdict.verdict_record import VerdictKind

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("module", [visible, wording])
def test_documented_examples_are_true(module: object) -> None:
    """The examples in the docstrings run."""
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert (0, True) == (result.failed, result.attempted > 0)


@pytest.mark.parametrize("kind", get_args(VerdictKind))
def test_every_kind_of_verdict_has_its_headline(finished: View, kind: VerdictKind) -> None:
    """Each verdict reads differently, in both languages, and names the checkpoint if it has one."""
    assert finished.verdict is not None
    verdict = finished.verdict.model_copy(update={"kind": kind})
    view = finished.model_copy(update={"verdict": verdict})
    english, chinese = opening(view, "en").headline, opening(view, "zh").headline
    assert CHINESE.search(chinese)
    assert not CHINESE.search(english)
    if kind != "floor":
        assert "pocket-instruct" in english
        assert "pocket-instruct" in chinese


def test_the_first_screen_holds_chance_gap_cost_and_loss(finished: View) -> None:
    """Chance to be best, lead, cost against brute force, worst loss, each with its origin."""
    tiles = {tile.label: tile for tile in opening(finished, "en").tiles}
    assert "70%" == tiles["Chance to be the best"].value
    assert "+0.040" == tiles["Against the runner-up, on test"].value
    assert "−0.008 to 0.088, measured, n = 72" == tiles["Against the runner-up, on test"].note
    assert "33% of brute force" == tiles["Cost of the race"].value
    assert "−0.12" == tiles["Forgotten most"].value


def test_an_open_race_says_where_it_stands(unfinished: View) -> None:
    """No verdict: how many trials, who leads with an interval, and how to go on."""
    first = opening(unfinished, "en")
    assert (
        "Interrupted after 19 scored trials; 5 of 6 arms were still in the race." == first.headline
    )
    assert "leads on validation with macro-F1 0.821 (0.725 to 0.918)" in first.sentences[0]
    assert "--resume unfinished" in first.sentences[1]


def test_an_open_verdict_says_how_many_rows_would_settle_it(finished: View) -> None:
    """The smallest difference shown falls as 1/sqrt(rows): .15 at 72 rows is .04 at about 1,000."""
    rows = next(s for s in helps(finished, "en") if s.key == "report.help_rows")
    assert {"rows": "1,000", "difference": "0.040", "now": 72} == rows.values


def test_a_reason_that_is_no_longer_known_is_still_told() -> None:
    """Run folders outlive the catalogue: an unknown key or value ends no report."""
    assert "gone.away (n 3)" == wording.told(Saying(key="gone.away", values={"n": 3}), "en")
    odd = Saying(key="engine.dropped", values={"rung": 1, "p_best": "none"})
    assert "engine.dropped (rung 1, p_best none)" == wording.told(odd, "zh")


def test_an_origin_names_source_and_n() -> None:
    """How a figure came to be: its kind, its source, its n."""
    figure = Figure(value=1, origin="published", source="study", n=1200)
    assert "published (study), n = 1,200" == origin(figure, "en")
