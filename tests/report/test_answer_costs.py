"""What an answer costs, as people read it: in the order of the arms, with what is behind it."""

import pytest

from forkpoint.record import Figure
from forkpoint.report import View
from forkpoint.report.page import html
from forkpoint.report.series import ordered, ordered_costs
from forkpoint.report.text import text
from forkpoint.verdict.verdict_record import CostResult


def figure(value: float, n: int) -> Figure:
    return Figure(value=value, low=value * 0.9, high=value * 1.1, n=n, origin="measured")


@pytest.fixture
def priced(finished: View) -> View:
    """Every arm with its cost, in the reverse order, and one that is not trained."""
    names = [arm.name for arm in reversed(ordered(finished))]
    costs = tuple(
        CostResult(
            arm=name, split="test", prompt_tokens=figure(40, 72), generated_tokens=figure(3, 72),
            seconds=figure(0.0031, 7), alone_seconds=figure(0.02, 8), peak_bytes=600_000_000,
            money="$0.0017",
        )
        for name in ("else.prompt", *names)
    )  # fmt: skip
    return finished.model_copy(update={"costs": costs})


def test_costs_come_in_the_order_of_the_arms(priced: View) -> None:
    """The named arm first; what is not trained comes last."""
    names = [arm.name for arm in ordered(priced)]
    assert [*names, "else.prompt"] == [one.arm for one in ordered_costs(priced)]


@pytest.mark.parametrize(
    ("lang", "behind", "price"),
    [
        ("en", "Test, n = 72 answers, 7 batches, 8 alone", "per 1,000 answers"),
        ("zh", "测试，n = 72 个回答，7 批，8 个单独作答", "每千个回答"),
    ],
)
def test_a_cost_says_what_is_behind_it(priced: View, lang: str, behind: str, price: str) -> None:
    """n of answers, batches and single answers on the page; a width that is not rounded away."""
    page, said = html(priced, lang), text(priced, lang)
    assert behind in page
    assert price in page
    assert "0.0028" in page
    assert "0.0031 ±0.0003" in said
    assert "±0.000 " not in said


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_table_fits_the_terminal(priced: View, width: int) -> None:
    """No line is wider than asked for; at the usual width no name is broken."""
    said = text(priced, "en", width=width)
    assert width >= max(len(line) for line in said.split("\n"))
    costs = said[said.index("Cost of one answer") : said.index("Means with half")]
    assert costs.replace("\n", "").count("$") == len(priced.costs)
    tokens = "".join(costs.split()).count("±")
    assert 4 * len(priced.costs) == tokens  # nothing is cut away
    if width == 100:
        assert all(f"  {arm.name} " in said for arm in priced.arms)
