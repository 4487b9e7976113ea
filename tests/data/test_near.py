"""Near-duplicates are found whatever the script; templates are none."""

import itertools
import random

import pytest

from forkpoint.data import Row, Turn
from forkpoint.data.near import near_pairs, ngrams, normalised, similarity

HEADS, TAILS = ("Ka", "Mi", "To", "Ral", "Ben"), ("na", "ren", "do")
NAMES = [head + tail for head, tail in itertools.product(HEADS, TAILS)]
ITEMS = ("lamp", "clock", "mirror", "chair", "coat", "kettle", "radio", "drum", "kite", "heater")
INSTRUCTION = (
    "You are an assistant of the Northern Trading Company. Read the customer's message with care "
    "and answer with exactly one word, the department that should handle it: billing, shipping, "
    "returns or sales. Do not explain your answer, do not add anything else. "
)
LONG_EN = (
    "Fill a kettle with fresh water, bring it to the boil, warm the pot, add one spoon of leaves "
    "for each cup, pour the water over them and wait four minutes before you serve it."
)
LONG_ZH = (
    "先把新鲜的水烧开，温一下茶壶，每杯放一勺茶叶，冲入开水，"
    "等上四分钟再倒出来，这样泡出来的茶味道最好，也不会太苦。"
)


def row(place: int, asked: str, answer: str, system: str | None = None) -> Row:
    turns = [Turn("user", asked), Turn("assistant", answer)]
    if system:
        turns.insert(0, Turn("system", system))
    return Row(f"{place:016d}", "f.jsonl", place + 1, tuple(turns))


def templated(kind: str) -> list[Row]:
    draw = random.Random(0)
    pairs = list(itertools.product(NAMES, ITEMS))
    if kind == "slots":
        return [row(i, f"Where is {n}'s {t}?", "shipping") for i, (n, t) in enumerate(pairs)]
    if kind == "instruction":
        return [row(i, f"{INSTRUCTION}\n{n} asks for {draw.randint(100, 999)} of the {t}", "sales")
                for i, (n, t) in enumerate(pairs)]  # fmt: skip
    if kind == "system":
        return [row(i, f"{n} asks for {draw.randint(100, 999)} of the {t}", "sales", INSTRUCTION)
                for i, (n, t) in enumerate(pairs)]  # fmt: skip
    if kind == "sums":
        return [row(i, f"What is {i} + {draw.randint(0, 999)}?", str(i % 7)) for i in range(300)]
    return [row(i, f"我叫{n}，订单{draw.randint(10_000, 99_999)}的{t}还没到，请查一下。", "物流")
            for i, (n, t) in enumerate(pairs)]  # fmt: skip


@pytest.mark.parametrize("kind", ["slots", "instruction", "system", "sums", "chinese"])
def test_prompts_of_one_template_are_no_duplicates(kind):
    """Rows that share a template and a label but say different things stay apart."""
    rows = templated(kind)
    pairs = list(near_pairs(rows))
    assert len(pairs) <= 0.005 * len(rows), pairs


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ((f"How do I make tea? {LONG_EN}", "tea"), (f"how do I make TEA? {LONG_EN} ", "tea")),
        (("How do I make good tea?", LONG_EN), ("How does one make good tea?", LONG_EN)),
        (("How do I make good tea?", LONG_EN), ("How do I make good tea!!", LONG_EN + " Enjoy.")),
        (("怎样泡茶才好喝？", LONG_ZH), ("请问怎样泡茶才好喝", LONG_ZH)),
        ((f"{LONG_ZH}这是哪一步？", "泡茶"), (f"{LONG_ZH}这是哪一步?", "泡茶")),
    ],
)
def test_the_same_in_other_words_is_found(one, two):
    """Changed case, width, stops or a word, with practically the same answer."""
    others = templated("chinese")[:40] + templated("slots")[:40]
    rows = [*others, row(900, *one), row(901, *two)]
    assert [(80, 81)] == list(near_pairs(rows))


def test_other_answers_are_no_duplicates():
    """The same question with an entirely different answer is no near-duplicate."""
    rows = [row(1, "Write a story.", LONG_EN), row(2, "Write a story!", LONG_ZH)]
    assert [] == list(near_pairs(rows))


def test_similarity_is_jaccard():
    """On a known case: 'abcdef' and 'abcdeg' share 1 of 3 five-letter grams."""
    assert 1 / 3 == similarity(ngrams("abcdef"), ngrams("abcdeg"))
    assert 1.0 == similarity(ngrams("ＡＢＣ　def。"), ngrams("abc  DEF"))
    assert "abc def" == normalised("ＡＢＣ　def。")


def test_odd_texts_do_no_harm():
    """Empty, tiny and broken texts are compared like any other."""
    texts = ["a", "", " ", "？", "\ud800", "😀", "a" * 10_000]
    rows = [row(i, text, "x") for i, text in enumerate(texts)]
    assert {(1, 2), (1, 3), (2, 3)} == set(near_pairs(rows))
    assert [] == list(near_pairs([]))
