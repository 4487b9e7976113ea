"""BM25 by hand: known scores, Chinese by characters, an order that never depends on luck."""

import math

import pytest

from forkpoint.untrained.bm25 import K1, B, Bm25, terms

TEXTS = ["the red lamp is broken", "refund for the lamp", "the parcel never came"]


def test_a_score_is_the_one_computed_by_hand() -> None:
    """One shared word: ln(1 + (N - n + .5) / (n + .5)) times its saturated count."""
    rarity = math.log(1 + (3 - 1 + 0.5) / 1.5)
    mean = (5 + 4 + 4) / 3
    wanted = rarity * (K1 + 1) / (1 + K1 * (1 - B + B * 4 / mean))
    assert {1: pytest.approx(wanted)} == Bm25(TEXTS).scores("Refund, please!")


def test_a_word_in_every_text_still_weighs_more_than_nothing() -> None:
    """The plain formula would turn negative and put the texts that match last."""
    index = Bm25(TEXTS)
    assert 0 < index.rarity("the") < index.rarity("lamp") < index.rarity("refund")


def test_a_repeated_word_saturates_and_a_long_text_is_held_back() -> None:
    """Twice the word is less than twice the score; the shorter of two texts wins."""
    index = Bm25(["lamp", "lamp lamp", "lamp " + "and more of it " * 5])
    scores = index.scores("lamp")
    assert scores[1] < 2 * scores[0]
    assert scores[2] < scores[0]


def test_chinese_is_found_by_its_characters() -> None:
    """No blanks are needed, and a shared word counts more than shared single characters."""
    index = Bm25(["台灯坏了，请换货", "网站打不开", "灯光和台阶"])
    assert [0, 2] == index.nearest("我的台灯", 3)


def test_words_touching_chinese_are_words() -> None:
    """`USB线` holds a word and a character; full width is folded."""
    assert ["usb", "线"] == terms("ＵＳＢ线")


def test_what_shares_no_word_is_not_found_and_equals_keep_their_order() -> None:
    """Fewer than asked for; ties by place."""
    index = Bm25(["blue box", "red box", "red box"])
    assert [1, 2] == index.nearest("red", 5)
    assert [] == index.nearest("nothing here", 5)
    assert [] == Bm25([]).nearest("red", 5)
