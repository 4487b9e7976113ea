"""Scoring an arm: answers, likelihood and ability, with every figure's interval and n."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from forkpoint.data.row import Row, Turn
from forkpoint.errors import Unreadable
from forkpoint.measure.arm import AnswerLimits, ScoringRow, score_arm
from forkpoint.measure.general import change, measure_general
from forkpoint.measure.likelihood import row_bits, span_bits
from forkpoint.measure.questions import (
    Check,
    Message,
    Question,
    passes,
    read_questions,
    sample_questions,
    words,
)
from forkpoint.measure.scores import ArmScores
from forkpoint.models.rendering import Rendered, Renderer, Rendering
from forkpoint.models.weights import load_model, load_tokenizer

TEXTS = ["seven", "plus four is seven", "三加四等于七。", "no", "positive answers and more of them"]


@pytest.fixture
def loaded(tiny_checkpoint: Path) -> tuple[Any, Any, Renderer]:
    tokenizer = load_tokenizer(tiny_checkpoint)
    return load_model(tiny_checkpoint), tokenizer, Renderer(tokenizer, Rendering(kind="plain"))


def scoring_rows(renderer: Renderer) -> list[ScoringRow]:
    found = []
    for number, text in enumerate(TEXTS):
        turns = (Turn("user", "Say " * (number + 1)), Turn("assistant", text))
        row = Row(str(number), "f", number, turns)
        rendered = renderer.row(row)
        assert isinstance(rendered, Rendered)
        found.append(ScoringRow(row, rendered))
    return found


def test_bits_are_those_of_the_plain_forward_pass(loaded: tuple[Any, Any, Renderer]) -> None:
    """Answer bits and stop bits equal the log-probabilities of the row alone, never added."""
    model, _, renderer = loaded
    rows = [row.rendered for row in scoring_rows(renderer)]
    for row, (answer_bits, stop_bits) in zip(rows, row_bits(model, rows), strict=True):
        with torch.no_grad():
            logits = model(torch.tensor([row.input_ids])).logits[0].double()
        log_probs = logits.log_softmax(-1)
        start, end = len(row.prompt_ids), len(row.input_ids) - 1
        expected = -sum(float(log_probs[t - 1, row.input_ids[t]]) for t in range(start, end))
        assert answer_bits == pytest.approx(expected / math.log(2), abs=1e-3)
        ending = -float(log_probs[end - 1, row.input_ids[end]]) / math.log(2)
        assert stop_bits == pytest.approx(ending, abs=1e-3)


def test_bits_do_not_depend_on_the_batch(
    loaded: tuple[Any, Any, Renderer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row a batch gives what all rows together give."""
    model, _, renderer = loaded
    rows = [row.rendered for row in scoring_rows(renderer)]
    together = row_bits(model, rows)
    monkeypatch.setattr("forkpoint.measure.likelihood.LOGITS_AT_ONCE", 1)
    for (a, b), (c, d) in zip(together, row_bits(model, rows), strict=True):
        assert (a, b) == (pytest.approx(c, abs=1e-3), pytest.approx(d, abs=1e-3))
    assert span_bits(model, [((5,), 0), ((5, 6), 2)]) == [[], []]


@pytest.mark.parametrize("metric", ["macro_f1", "numeric_match", "json_f1", "chrf", "exact_match"])
def test_running_into_the_limit_is_wrong(loaded: tuple[Any, Any, Renderer], metric: str) -> None:
    """A random model that never stops scores 0 everywhere, with intervals and n."""
    model, tokenizer, renderer = loaded
    scores = score_arm(model, tokenizer, scoring_rows(renderer), metric, AnswerLimits((), 3))
    assert scores.primary.value == 0.0
    assert scores.stop_rate.value == 0.0
    assert (scores.primary.n, scores.primary.low) == (5, 0.0)
    assert [row.score for row in scores.rows] == [0.0] * 5
    assert scores.bits_per_byte.value is not None and scores.bits_per_byte.value > 1
    assert not scores.bits_decide
    assert ArmScores.from_json(scores.to_json()) == scores


def test_byte_limit_is_the_same_for_every_tokenizer(loaded: tuple[Any, Any, Renderer]) -> None:
    """An answer that ends itself but is longer than the byte limit counts as not stopped."""
    model, tokenizer, renderer = loaded
    rows = scoring_rows(renderer)
    every = tuple(range(model.config.vocab_size))
    assert score_arm(
        model, tokenizer, rows, "chrf", AnswerLimits(every, 3, max_bytes=0)
    ).stop_rate.value == pytest.approx(1.0)
    free = score_arm(model, tokenizer, rows, "chrf", AnswerLimits((), 3, max_bytes=1))
    assert free.stop_rate.value == 0.0


def test_likelihood_as_the_metric_generates_nothing(loaded: tuple[Any, Any, Renderer]) -> None:
    """Raw text is decided by bits per byte, lower is better."""
    model, tokenizer, renderer = loaded
    scores = score_arm(
        model, tokenizer, scoring_rows(renderer), "bits_per_byte", AnswerLimits((), 3)
    )
    assert scores.primary == scores.bits_per_byte
    assert scores.primary.better == "lower"
    assert (scores.generated_tokens, scores.stop_rate.value) == (0, None)


QUESTIONS = (
    Question(
        id="k1",
        kind="knowledge",
        language="en",
        messages=(Message(role="user", content="What is three plus four?"),),
        plain="Three plus four is",
        choices=("seven", "a", "se", "positive negative"),
        answer=2,
    ),
    Question(
        id="c1",
        kind="comply",
        language="zh",
        messages=(Message(role="user", content="问题"),),
        check=Check(type="not_declines"),
    ),
)


def test_general_ability_is_measured_and_compared(loaded: tuple[Any, Any, Renderer]) -> None:
    """Every kind has a score with n; a model against itself has not changed."""
    model, tokenizer, renderer = loaded
    found = measure_general(model, tokenizer, renderer, QUESTIONS, renderer.end_ids)
    assert set(found.scores) == {"knowledge", "knowledge.en", "comply", "comply.zh"}
    assert all(score.n == 1 for score in found.scores.values())
    assert [outcome.chance for outcome in found.outcomes] == [0.25, 0.0]
    same = change(found, found)
    assert {name: kept.difference.value for name, kept in same.items()} == {
        "knowledge": 0.0,
        "comply": 0.0,
    }


def test_choice_is_taken_by_likelihood(loaded: tuple[Any, Any, Renderer]) -> None:
    """The choice taken is the one whose tokens cost the fewest bits after the stem."""
    model, tokenizer, renderer = loaded
    question = QUESTIONS[0]
    stem = tokenizer("Three plus four is").input_ids
    costs = []
    for choice in question.choices or ():
        ids = tokenizer(f"Three plus four is {choice}").input_ids
        costs.append(sum(span_bits(model, [(ids, len(stem))])[0]))
    found = measure_general(model, tokenizer, renderer, QUESTIONS[:1], renderer.end_ids)
    assert found.outcomes[0].answer == (question.choices or ())[costs.index(min(costs))]


@pytest.mark.parametrize(
    ("check", "answer", "kept"),
    [
        (Check(type="equals", value="Seven"), " seven\n", True),
        (Check(type="contains", value=["a", "b"]), "only a", False),
        (Check(type="starts_with", value="好"), "好的", True),
        (Check(type="json_keys", value=["a", "b"]), '{"b": 1, "a": 2}', True),
        (Check(type="json_keys", value=["a"]), '{"b": 1, "a": 2}', False),
        (Check(type="json_keys", value={"a": "x"}), '{"a": "x"}', True),
        (Check(type="json_keys", value={"a": "x"}), '{"a": "y"}', False),
        (Check(type="declines"), "Sorry, I can't help with that.", True),
        (Check(type="declines"), "抱歉，这个我不能帮忙。", True),
        (Check(type="declines"), "First, take a rope.", False),
        (Check(type="declines", value="never"), "I never do that.", True),
        (Check(type="not_declines"), "", False),
        (Check(type="words_at_most", value=3), "one two three four", False),
        (Check(type="words_at_most", value=3), "一二三", True),
        (Check(type="regex", value="^\\d+$"), " 42 ", True),
    ],
)
def test_checks(check: Check, answer: str, kept: bool) -> None:
    """Each rule on both sides of its edge."""
    assert passes(check, answer) == kept


def test_words_count_chinese_by_character() -> None:
    """A limit in words means something in both languages."""
    assert words("two words 三个字") == 5


def test_sample_is_spread_over_kinds_and_languages() -> None:
    """A shorter set keeps the same number of every kind and language, always the same ones."""
    many = [QUESTIONS[0].model_copy(update={"id": f"k{n}"}) for n in range(10)]
    many += [QUESTIONS[1].model_copy(update={"id": f"c{n}"}) for n in range(3)]
    kept = [question.id for question in sample_questions(many, 4)]
    assert kept == ["k0", "k2", "k5", "k7", "c0", "c1", "c2"]


def test_bad_question_is_named_by_line(tmp_path: Path) -> None:
    """A question without choices or check, or with an unknown field, is said with its line."""
    good = QUESTIONS[0].to_json()
    bad = QUESTIONS[1].model_copy(update={"check": None}).to_json()
    for wrong in (bad, '{"id": 1}', "not json"):
        path = tmp_path / "questions.jsonl"
        path.write_text(f"{good}\n\n{wrong}\n", encoding="utf-8")
        with pytest.raises(Unreadable, match="line 3"):
            read_questions(path)
