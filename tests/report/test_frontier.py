"""Task score against ability kept, drift, the floor and pairs, as people read them."""

import pytest

from forkpoint.record import Figure
from forkpoint.report import View
from forkpoint.report.frontier_chart import frontier_svg, mean_ability
from forkpoint.report.page import html
from forkpoint.report.text import text
from forkpoint.report.wording import named, w
from forkpoint.verdict.verdict_record import Drift, FloorStanding, FloorVerdict

HOSTILE = "<script>alert(1)</script>"


def figure(value: float, half: float = 0.1) -> Figure:
    """A measured share of fifty questions."""
    return Figure(value=value, low=value - half, high=value + half, n=50, origin="measured")


@pytest.fixture
def kept(finished: View) -> View:
    """The finished race with drift, a floor, a task that failed, and preference pairs."""
    assert finished.verdict is not None
    arm = finished.arms[0].name
    verdict = finished.verdict.model_copy(
        update={
            "drifts": (Drift(subject=arm, drift=figure(0.4), null_control=figure(0.7)),),
            "floor": FloorVerdict(
                checkpoint="pocket-base",
                slack=0.05,
                standings=(
                    FloorStanding(arm=arm, difference=figure(-0.3, 0.05), says="below"),
                    FloorStanding(arm=HOSTILE, difference=figure(0.0), says="unclear"),
                ),
            ),
            "retain_failed": {"exam": HOSTILE},
        }
    )
    first = finished.arms[0]
    result = first.result.model_copy(update={"preferred": figure(0.8)})
    arms = (first.model_copy(update={"result": result}), *finished.arms[1:])
    return finished.model_copy(update={"verdict": verdict, "arms": arms})


def test_every_kind_of_ability_weighs_the_same() -> None:
    """The mean of means; independent errors shrink with the number of kinds."""
    found = mean_ability([figure(0.2), figure(0.6), figure(0.4), figure(0.8)])
    assert found is not None
    assert found.value == pytest.approx(0.5)
    assert ((found.high or 0) - (found.low or 0)) / 2 == pytest.approx(0.05)
    assert 200 == found.n
    assert mean_ability([]) is None


def test_the_frontier_shows_every_finalist(finished: View) -> None:
    """One named mark for each arm whose ability was measured; none for a single arm."""
    measured = {change.subject for change in finished.changes}
    drawn = frontier_svg(finished, "en", "f", "Frontier")
    if len(measured) < 2:
        assert drawn is None
        return
    assert drawn is not None
    for arm in measured:
        assert arm[:20] in drawn


@pytest.mark.parametrize(
    ("lang", "titles"),
    [("en", ("general ability kept", "floor")), ("zh", ("保留的通用能力", "下限"))],
)
def test_the_frontier_names_its_axes_and_the_floor(
    finished: View, lang: str, titles: tuple[str, ...]
) -> None:
    """What goes up and right stands in the picture; the floor only where one was asked for."""
    measured = list(dict.fromkeys(change.subject for change in finished.changes))
    assert finished.verdict is not None
    assert len(measured) > 1
    ability, floor = titles
    plain = frontier_svg(finished, lang, "f", "Frontier")
    assert plain is not None
    assert ability in plain
    assert w("axis_score", lang, metric=named("metric", finished.metric, lang)) in plain
    assert f">{floor}<" not in plain
    standing = FloorStanding(arm=measured[0], difference=figure(-0.3, 0.05), says="below")
    asked = FloorVerdict(checkpoint="pocket-base", slack=0.05, standings=(standing,))
    verdict = finished.verdict.model_copy(update={"floor": asked})
    drawn = frontier_svg(finished.model_copy(update={"verdict": verdict}), lang, "f", "Frontier")
    assert drawn is not None
    assert f">{floor}<" in drawn


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("a random move as long", "below the floor", "could not be run", "likelier")),
        ("zh", ("随机移动", "跌破下限", "未能运行", "chosen")),
    ],
)
def test_what_was_kept_is_said_in_text_and_page(
    kept: View, lang: str, words: tuple[str, ...]
) -> None:
    """Drift beside its control, standings, failed tasks, pairs; nothing unescaped."""
    said, page = text(kept, lang), html(kept, lang)
    flat = "".join(said.split())
    for word in words:
        assert "".join(word.split()) in flat, word
        assert word in page, word
    assert HOSTILE not in page
