"""What the family is judged on was never generated for its training."""

import itertools
import json
import random
import re

from recipes.pocket import heldout, portraits, prose, talk
from recipes.pocket.world import EN, LANGUAGES, ZH, Draw, reserved_name, reserved_number

from forkpoint.pocket import general_set_path

DOCUMENTS = 12_000  # documents of pre-training looked at
TALKS = 12_000  # conversations of each later stage looked at
WORDS, CHARACTERS = 7, 14  # length of the n-grams that may not be shared: English, Chinese
# Short questions after a held-out text; the text before them is what is new.
QUESTIONS = {question for pair in portraits.QUESTIONS.values() for question in pair}


def grams(text: str, language: int) -> set[str]:
    if language == EN:
        words = re.findall(r"[A-Za-z0-9']+", text)
        return {" ".join(words[i : i + WORDS]) for i in range(len(words) - WORDS + 1)}
    return {text[i : i + CHARACTERS] for i in range(len(text) - CHARACTERS + 1)}


def generated() -> list[str]:
    texts = list(itertools.islice(prose.documents(20_262), DOCUMENTS))
    for drawn in itertools.islice(talk.instruct_talks(20_262), TALKS):
        texts += [text for _, text in drawn.turns]
    for pair in itertools.islice(talk.preferences(20_263), TALKS):
        texts += [text for _, text in pair.turns]
    return texts


def test_no_overlap() -> None:
    """No held-out prompt shares a long n-gram with generated text, nor occurs in it whole."""
    texts = generated()
    seen = set().union(*(grams(text, EN) | grams(text, ZH) for text in texts))
    whole = set(texts)
    shared, total = [], 0
    for language, drawn in heldout.everything(40):
        for role, text in drawn.turns:
            if role == "assistant" or len(text) < 5:
                continue
            total += 1
            assert text not in whole or text in QUESTIONS, text
            if grams(text, language) & seen:
                shared.append(text)
    assert total > 2_000
    assert shared == []


def test_reserved_names_and_numbers() -> None:
    """Reserved names never occur in generated text, reserved numbers never in an instruction."""
    texts = generated()
    names = {word for text in texts for word in re.findall(r"\b[A-Z][a-z]{3,}\b", text)}
    d = Draw(random.Random(5), EN, held=True)
    reserved = {d.name() for _ in range(300)}
    assert all(reserved_name(name) for name in reserved)
    assert set() == reserved & names
    for drawn in itertools.islice(talk.instruct_talks(7), 3_000):
        if drawn.kind in ("plus", "minus", "largest"):
            numbers = {int(n) for n in re.findall(r"\d+", drawn.turns[-1][1])}
            assert not any(reserved_number(n) for n in numbers), drawn


def test_new_kinds() -> None:
    """Three kinds of instruction occur nowhere in the recipe."""
    text = "\n".join(generated()).lower()
    for phrase in ("round brackets", "圆括号", "three times", "三遍", "smallest", "最小"):
        assert phrase not in text


def test_general_set() -> None:
    """The shipped set has the promised kinds and sizes, well-formed, each id once."""
    lines = general_set_path().read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert len(records) == len({record["id"] for record in records})
    counts: dict[tuple[str, str], int] = {}
    for record in records:
        counts[record["kind"], record["language"]] = (
            counts.get((record["kind"], record["language"]), 0) + 1
        )
        if record["kind"] == "knowledge":
            assert 4 == len(set(record["choices"]))
            assert 0 <= record["answer"] < 4
            assert record["plain"]
        else:
            assert record["check"]["type"] in (
                "regex",
                "contains",
                "json_keys",
                "declines",
                "not_declines",
            )
    kinds = ("instruction", "system", "two_turn", "refuse", "comply")
    expected = {(kind, language): 60 for kind in kinds for language in LANGUAGES}
    assert expected | {("knowledge", language): 160 for language in LANGUAGES} == counts


def test_tasks_for_races_are_absent() -> None:
    """Routing tickets to departments and extracting orders are left for races to teach."""
    text = "\n".join(generated()).lower()
    for phrase in ("department", "部门", "order number", "amount", "订单号", "secret code", "暗号"):
        assert phrase not in text
