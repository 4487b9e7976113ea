"""The report on a terminal."""

from forkpoint.report import View
from forkpoint.report.text import text


def test_the_first_screen_answers(finished: View) -> None:
    """Verdict, table, cost against brute force, what was forgotten, what would help, in order."""
    shown = text(finished, "en")
    wanted = [
        "Not enough evidence yet; pocket-instruct, full fine-tuning, leads.",
        "pocket-instruct.full  0.919  0.86–0.98",
        "Who is out, and why",
        "33% of brute force",
        "knowledge: 0.90 → 0.78, −0.12 (−0.15 to −0.08, n = 200)",
        "What would help",
    ]
    places = [shown.find(words) for words in wanted]
    assert -1 not in places
    assert sorted(places) == places


def test_it_fits_the_terminal(finished: View) -> None:
    """No line is wider than asked for."""
    for width in (60, 80, 120):
        assert width >= max(len(line) for line in text(finished, "en", width=width).split("\n"))


def test_without_colour_there_is_no_escape(finished: View) -> None:
    """Plain text carries no ANSI codes; with colour it does."""
    assert "\x1b" not in text(finished, "en")
    assert "\x1b[1m" in text(finished, "en", colour=True)


def test_chinese_is_chinese(unfinished: View) -> None:
    """The Chinese text has Chinese headings and none of the English ones."""
    shown = text(unfinished, "zh")
    assert "候选" in shown
    assert "已中断" in shown
    assert "Arm " not in shown
