"""Metrics on answers whose score is known."""

import json
from collections import Counter

import pytest

from forkpoint.data.profile_record import DataProfile
from forkpoint.errors import BadInput
from forkpoint.measure.metric import (
    aggregate,
    check_metric,
    fields,
    json_f1,
    label,
    macro_f1,
    number,
    numeric_match,
    primary_metric,
    score,
)


@pytest.mark.parametrize(
    ("kind", "job", "metric"),
    [
        ("label", "task", "macro_f1"),
        ("number", "task", "numeric_match"),
        ("json", "task", "json_f1"),
        ("short", "task", "chrf"),
        ("long", "dialogue", "chrf"),
        ("long", "raw_text", "bits_per_byte"),
    ],
)
def test_primary_metric_follows_the_kind_of_answer(kind: str, job: str, metric: str) -> None:
    """One metric decides a race, by what the answers are."""
    profile = DataProfile.model_construct(answer_kind=kind, job=job)
    assert metric == primary_metric(profile)


@pytest.mark.parametrize(
    ("answer", "expected", "same"),
    [
        ("7", "7.0", True),
        ("The answer is 1,234.", "1234", True),
        ("3 + 4 = 7", "####7", True),
        ("so #### 12 apples, not 13", "12", True),
        ("７", "7", True),
        ("-5", "5", False),
        ("", "7", False),
        ("no idea", "no idea", False),
        ("7.1", "7", False),
        ("it is −3 degrees", "-3", True),
    ],
)
def test_numbers_match_by_value(answer: str, expected: str, same: bool) -> None:
    """Numbers are compared as numbers, the last one or the marked one."""
    assert same == numeric_match(answer, expected)


def test_number_that_is_none() -> None:
    """A text without a number has none."""
    assert number("none at all") is None


def test_labels_forgive_case_and_full_stop() -> None:
    """'Refund.' and ' refund' are one label; 'refunds' is another."""
    assert label(" Refund.\n") == label("refund")
    assert label("退款。") == label("退款")
    assert label("refunds") != label("refund")


def test_json_is_scored_by_field() -> None:
    """Half of the fields right is half the score; order and fences do not matter."""
    expected = '{"name": "Ana", "job": "cook", "tags": ["a", "b"]}'
    assert json_f1('{"tags": ["b", "a"], "job": "cook", "name": "Ana"}', expected) == 1.0
    assert json_f1(f"```json\n{expected}\n```", expected) == 1.0
    assert json_f1('{"name": "Ana", "job": "nun", "tags": ["a", "c"]}', expected) == 0.5
    assert json_f1("{'name': 'Ana'}", expected) == 0.0
    assert json_f1("[" * 100_000, expected) == 0.0
    assert json_f1('{"name": "Ana"}', expected) == pytest.approx(2 * 1 / (1 + 4))


def test_json_numbers_are_compared_by_value() -> None:
    """3 and 3.0 are the same field; true and 1 are not."""
    assert fields({"a": 3.0}) == fields({"a": 3})
    assert fields({"a": True}) != fields({"a": 1})
    assert fields({"a": {"b": [1, 1]}}) == Counter({(".a.b[]", "1"): 2})


def test_chrf_agrees_with_sacrebleu() -> None:
    """Equal texts score 1, no answer 0, Chinese counts by character."""
    assert score("chrf", "今天天气好", "今天天气好") == pytest.approx(1.0)
    assert score("chrf", "  ", "anything") == 0.0
    assert 0.0 < score("chrf", "今天天气", "今天天气好") < 1.0


def test_macro_f1_known_answer() -> None:
    """Two classes, one all right, one half right: F1 of 0.8 and 2/3."""
    gold = ["a", "a", "b", "b"]
    said = ["a", "a", "b", "a"]
    found = macro_f1(gold, said)
    assert found.value == pytest.approx((0.8 + 2 / 3) / 2)
    assert found.n == 4
    assert found.low is not None and found.high is not None
    assert found.low <= found.value <= found.high


def test_macro_f1_counts_rare_classes_like_common_ones() -> None:
    """Always saying the common class is not a good answer."""
    found = macro_f1(["a"] * 90 + ["b"] * 10, ["a"] * 100)
    assert found.value == pytest.approx((180 / 190) / 2)


@pytest.mark.parametrize("metric", ["macro_f1", "numeric_match", "json_f1"])
def test_perfect_scores_keep_an_interval(metric: str) -> None:
    """Twenty right answers of twenty do not prove a rate of exactly 1."""
    answers = [str(number) for number in range(20)]
    found = aggregate(metric, [1.0] * 20, answers, answers)
    assert found.value == 1.0
    assert found.low is not None and found.low < 0.9
    assert found.standard_error is not None and found.standard_error > 0.02


def test_unknown_metric_is_named() -> None:
    """A typing mistake is said with what there is."""
    with pytest.raises(BadInput, match="macro_f1"):
        check_metric("macro-f1")
    check_metric("my.py:score")


def test_deep_or_odd_json_never_raises() -> None:
    """Whatever a model writes, it is scored."""
    for text in ("NaN", "1e999", '"' + "\\ud800" + '"', json.dumps({"a": {}}), "", "null"):
        assert 0.0 <= json_f1(text, '{"a": 1}') <= 1.0
