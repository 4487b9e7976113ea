"""Advice as a person reads it."""

import json
import re

import pytest
from rich.cells import cell_len

from forkpoint.advice import Advice, advise
from forkpoint.facts.checkpoint_facts import Notice
from forkpoint.report.advice_json import advice_json
from forkpoint.report.advice_text import advice_text
from forkpoint.report.paragraph import WIDTH, wrap
from forkpoint.report.rules_text import rule_text, rules_list
from forkpoint.rules import RULES
from forkpoint.rules.example import facts_of, profile_of
from forkpoint.words import LANGUAGES, say

TICKETS = profile_of(rows=1_200, answers="json", multi_turn=0.4)
BASE = facts_of(name="hub/One-4B-Base", stage="base", parameters=4_000_000_000)
CHAT = facts_of(name="hub/One-4B", stage="chat", parameters=4_000_000_000, template=True)
GOAL = {"en": "customer service, answers in JSON", "zh": "做客服，用 JSON 回答"}


def advice(goal: str = "") -> Advice:
    """Advice on two twins."""
    return advise(TICKETS, (BASE, CHAT), goal, data_name="tickets.jsonl")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_first_screen(lang: str) -> None:
    """The first screen: what was understood, what to run, who disagrees, what to type."""
    text = advice_text(advice(GOAL[lang]), lang)
    marks = [
        say("advice.goal", lang, goal=GOAL[lang]),
        say("advice.run_first", lang),
        "hub/One-4B · LoRA",
        "hub/One-4B-Base · LoRA",
        say("advice.guides_disagree", lang),
        say("sources.disagreement_rows", lang),
        say("advice.settle", lang),
        "forkpoint race tickets.jsonl --model hub/One-4B --model hub/One-4B-Base",
        say("advice.what_rules_say", lang),
    ]
    places = [text.find(mark) for mark in marks]
    assert -1 not in places
    assert sorted(places) == places


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_rule_is_mentioned(lang: str) -> None:
    """No rule is left out: it speaks, is silent, or says what it lacks."""
    text = advice_text(advice(GOAL[lang]), lang)
    assert [] == [rule.code for rule in RULES if rule.code not in text]


def test_a_measurement_has_interval_and_n() -> None:
    """The measured evidence stands beside the guides, with interval, n and where it is from."""
    text = " ".join(advice_text(advice(GOAL["en"]), "en").split())
    assert "-0.006 on a 0-1 score (95 % interval -0.025 to +0.014, n = 4, published)" in text
    assert "https://arxiv.org/abs/2405.00732" in text
    assert "cannot tell: the interval includes 0" in text


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("goal", [True, False])
def test_lines_keep_their_width(lang: str, goal: bool) -> None:
    """Lines fit a terminal, save for commands and addresses that must stay whole."""
    text = advice_text(advice(GOAL[lang] if goal else ""), lang)
    long = [one for one in text.splitlines() if cell_len(one) > WIDTH]
    assert [] == [one for one in long if "https://" not in one and "forkpoint race" not in one]


def test_chinese_is_chinese() -> None:
    """In Chinese advice no English sentence is left over."""
    text = advice_text(advice(GOAL["zh"]), "zh")
    text = re.sub(r"https?://\S+|forkpoint race .*|\[[^\]]*\]", "", text)
    assert [] == re.findall(r"(?:\b[a-z]{3,}\b[ ,]+){4,}", text)


def test_hostile_text_is_shown_not_obeyed() -> None:
    """Control characters of a goal, a name or a checkpoint's files never reach the terminal."""
    notice = Notice(code="x", level="info", key="advice.goal", values={"goal": "\x1b[2J\u202e"})
    bad = facts_of(name="a\x1b]0;owned\x07", stage="base").model_copy(update={"notices": (notice,)})
    found = advise(TICKETS, (bad, CHAT), "customer \x1b[31mservice", data_name="\x1b[2Jt.jsonl")
    for lang in LANGUAGES:
        for text in (advice_text(found, lang), advice_json(found, lang)):
            assert [] == re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_json_has_the_words_too(lang: str) -> None:
    """The JSON is the record, with a sentence beside every key, and goes back into the record."""
    found = advice(GOAL[lang])
    document = json.loads(advice_json(found, lang))
    assert all(one["text"] for one in document["findings"])
    assert all(one["question"] for one in document["disagreements"])
    assert "lora_land" in {one["key"] for one in document["studies"]}
    assert found == Advice.from_json(found.to_json())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_advice_on_nothing_named(lang: str) -> None:
    """Without checkpoints and without data the advice says what would make it better."""
    text = advice_text(advise(None, (), GOAL[lang]), lang)
    assert say("advice.title_general", lang) in text
    assert say("rules.unknown_rows", lang) in text
    assert "forkpoint advise DATA --model A" in " ".join(text.split())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_rules_as_text(lang: str) -> None:
    """Every rule can be listed and explained in the terminal."""
    listed = rules_list(lang)
    for rule in RULES:
        assert rule.code in listed
        text = rule_text(rule, lang)
        assert say("rules.heading_examples", lang) in text
        assert "**" not in text


@pytest.mark.parametrize(
    "text",
    ["one two three four", "达到多少行，Base 才是更好的起点？（见“下文”）[a、b]", "a" * 60],
)
@pytest.mark.parametrize("width", [8, 20, 92])
def test_wrapping_loses_nothing(text: str, width: int) -> None:
    """Wrapped text is the text: only spaces become line ends, and no line starts with a comma."""
    wrapped = wrap(text, width=width)
    assert re.sub(r"\s", "", text) == re.sub(r"\s", "", wrapped)
    assert [] == [line for line in wrapped.splitlines() if line[:1] in "，。？）”]、"]


@pytest.mark.parametrize("count", [1, 26, 30])
def test_any_number_of_candidates(count: int) -> None:
    """Columns stay apart for one candidate and for more than the alphabet has letters."""
    many = tuple(facts_of(name=f"hub/m{n}", stage="base", parameters=n) for n in range(count))
    text = advice_text(advise(TICKETS, many, "", data_name="t.jsonl"), "en")
    row = next(one for one in text.splitlines() if one.startswith(" FP-B03  "))
    assert count == row.split("1,200")[0].count("+")


def test_an_unknown_stage_is_said() -> None:
    """A checkpoint whose stage cannot be told is shown as such, and its rules as unknown."""
    odd = facts_of(name="hub/odd", stage=None, parameters=7_000_000)
    text = advice_text(advise(TICKETS, (odd, CHAT), "", data_name="t.jsonl"), "en")
    assert "hub/odd (stage unknown, 7.0M)" in text
    assert "Its stage cannot be told from its files." in text
