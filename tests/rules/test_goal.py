"""What a goal sentence is understood to say."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forkpoint.facts.goal import GOAL_CHARACTERS, read_goal


@pytest.mark.parametrize(
    ("text", "said", "denied"),
    [
        ("customer service, answers in JSON", {"dialogue", "format", "service"}, set()),
        ("做客服，用 JSON 回答", {"dialogue", "format", "service"}, set()),
        ("classify tickets, not a chatbot", {"classification"}, {"dialogue"}),
        ("只做分类，不是对话", {"classification"}, {"dialogue"}),
        ("summaries of medical reports", {"summary", "domain"}, set()),
        ("医疗报告摘要", {"summary", "domain"}, set()),
        ("a legal assistant from scratch", {"assistant", "domain", "from_scratch"}, set()),
        ("从零打造法律助手", {"assistant", "domain", "from_scratch"}, set()),
        ("no JSON but a polite tone", {"style"}, {"format"}),
        ("不要 JSON，语气要亲切", {"style"}, {"format"}),
        ("imitate our founder on one GPU", {"imitate", "little_compute"}, set()),
        ("for a SaaS, must not forget what it knows", {"commercial", "keep"}, set()),
        ("商用，不能忘记原有的通用能力", {"commercial", "keep"}, set()),
        ("不需要做分类，要会聊天", {"dialogue"}, {"classification"}),
        ("not only a chatbot, also JSON", {"dialogue", "format"}, set()),
        ("不只是聊天，还要翻译", {"dialogue", "translation"}, set()),
        ("", set(), set()),
        ("blue", set(), set()),
    ],
)
def test_a_goal_is_understood(text: str, said: set[str], denied: set[str]) -> None:
    """English and Chinese goals are understood alike; what is denied is not asked for."""
    goal = read_goal(text)
    assert said == {one.want for one in goal.signs if not one.denied}
    assert denied == {one.want for one in goal.signs if one.denied}


GOALS = tomllib.loads((Path(__file__).parent / "goals.toml").read_text(encoding="utf-8"))["goal"]


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal["text"][:30])
def test_goals_as_people_write_them(goal: dict[str, list[str]]) -> None:
    """A goal says exactly what it says: words with two meanings and denials are told apart."""
    found = [f"{'!' * one.denied}{one.want}" for one in read_goal(str(goal["text"])).signs]
    assert sorted(goal["says"]) == sorted(found)


def test_words_are_whole() -> None:
    """A word inside another word says nothing: a "barcode" is no code, "flaw" is no law."""
    assert () == read_goal("barcodes, flaws, prelabelling, voicemail").signs


def test_words_are_verbatim() -> None:
    """The words that were understood are the user's own, so that they can be checked."""
    goal = read_goal("Customer  Service with Multi-turn talk")
    assert ("Customer Service", "Multi-turn") == goal.words("dialogue")


def test_a_thing_said_and_denied_counts_as_said() -> None:
    """One denial does not outweigh a plain wish for the same thing."""
    goal = read_goal("not a chatbot in the shop, a chatbot in the app")
    assert ("chatbot",) == goal.words("dialogue")
    assert not goal.denies("dialogue")


@given(st.text(max_size=300))
def test_any_text_is_a_goal(text: str) -> None:
    """No text breaks the reading, and what was understood stands in it."""
    goal = read_goal(text)
    for sign in goal.signs:
        assert all(word in goal.text for word in sign.words)


def test_a_pasted_document_is_cut() -> None:
    """A goal has a greatest length, and a long one is read in a moment."""
    goal = read_goal("not a chat " * 100_000)
    assert len(goal.text) <= GOAL_CHARACTERS
