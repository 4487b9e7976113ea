"""Heuristics that find bad rows: named parts, 1 for nothing to say."""

import random

from forkpoint.data import Row, Turn, load
from forkpoint.selecting.heuristics import WEIGHTS, heuristics, quality
from forkpoint.selecting.label_agreement import AGREEMENT, label_agreement
from forkpoint.words import say


def row(number: int, prompt: str, answer: str) -> Row:
    return Row(
        f"{number:016x}", "rows.jsonl", number, (Turn("user", prompt), Turn("assistant", answer))
    )


def test_good_rows_share_the_highest_score() -> None:
    """On bundled rows, which hold no fault, hardly any row is spoken against."""
    rows = load("tickets").rows[:400]
    scores = [quality(parts) for parts in heuristics(rows)]
    assert sum(score < 1 for score in scores) <= 4  # 1 %
    assert 1.0 == max(scores)


def test_bad_rows_are_named_for_what_they_are() -> None:
    """An echo, an empty answer and a left-over template token cost their weight."""
    sound = [
        row(
            n, f"What does machine number {n} of the red hall make?", f"It makes {n} bolts an hour."
        )
        for n in range(40)
    ]
    bad = [
        row(90, "Which tree stands in front of the old town hall?",
            "Which tree stands in front of the old town hall?"),
        row(91, "Who wrote the letter to the mayor last spring?", "N/A"),
        row(92, "How long is the river?", "It is 40 miles long.<|im_end|>"),
    ]  # fmt: skip
    found = heuristics([*sound, *bad])
    assert [{}] * 40 == found[:40]
    assert "echoes" in found[40]
    assert "empty_answers" in found[41]
    assert "template_tokens" in found[42]
    assert [0.0, 0.0, WEIGHTS["template_tokens"]] == [quality(parts) for parts in found[40:]]


def test_wrong_labels_are_doubted() -> None:
    """Of labels exchanged on 15 % of real rows, most are doubted, and few right ones."""
    rows = list(load("tickets").rows[:600])
    rng = random.Random(5)
    labels = sorted({one.answer for one in rows})
    wrong = set(rng.sample(range(600), 90))
    for place in wrong:
        other = rng.choice([label for label in labels if label != rows[place].answer])
        rows[place] = row(place, rows[place].prompt[-1].content, other)
    counts = {label: sum(one.answer == label for one in rows) for label in labels}
    doubted = set(label_agreement(rows, counts))
    assert len(doubted & wrong) >= 0.5 * len(wrong)
    assert len(doubted - wrong) <= 0.1 * (600 - len(wrong))


def test_few_rows_are_not_judged_by_a_classifier() -> None:
    """A classifier of a handful of rows says nothing, so it is not asked."""
    rows = [row(n, f"text {n}", "yes" if n % 2 else "no") for n in range(20)]
    assert {} == label_agreement(rows, {"yes": 10, "no": 10})


def test_every_part_has_its_words() -> None:
    """Each part is named in both languages."""
    for name in (*WEIGHTS, AGREEMENT):
        assert say(f"score.part_{name}", "en")
        assert say(f"score.part_{name}", "zh")
