"""The demo data sets."""

import math
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from forkpoint.data import BUNDLED, bundled, load, split
from forkpoint.data.near import near_pairs

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def recipe():
    sys.path.insert(0, str(ROOT))
    try:
        from recipes import demo_data
    finally:
        sys.path.remove(str(ROOT))
    return demo_data


def test_recipe_makes_the_same_bytes(recipe):
    """The shipped files are what the recipe writes, byte for byte."""
    for name, text in recipe.data_sets().items():
        assert bundled(name.removesuffix(".jsonl")).read_bytes() == text.encode()


@pytest.mark.parametrize("name", BUNDLED)
def test_a_thousand_clean_rows(name):
    """Each set has 1,000 rows without a fault, a copy or a near-duplicate, short prompts."""
    data = load(bundled(name))
    assert (1000, 0) == (len(data.rows), data.fault_count)
    assert [] == list(near_pairs(data.rows))
    assert all(len(row.turns[0].content) <= 110 for row in data.rows)
    parts = split(data.rows, seed=0)
    assert (650, 150, 200) == (len(parts.train), len(parts.validation), len(parts.test))
    assert {} == parts.removed_counts()


def test_tickets_have_six_departments_in_both_languages():
    """Six labels, none rare, half of the messages Chinese."""
    rows = load(bundled("tickets")).rows
    counts = Counter(row.answer for row in rows)
    assert 6 == len(counts)
    assert min(counts.values()) >= 100
    chinese = sum(not row.turns[0].content.isascii() for row in rows)
    assert 450 <= chinese <= 550


def grams(text):
    return {text[i : i + size].lower() for size in (2, 3, 4) for i in range(len(text))}


def naive_bayes_accuracy(train, test):
    """Accuracy of a Bernoulli-like naive Bayes on character n-grams."""
    counts = defaultdict(Counter)
    labels = Counter(row.answer for row in train)
    for row in train:
        counts[row.answer].update(grams(row.turns[0].content))

    def score(text, label):
        seen, rows = counts[label], labels[label]
        return sum(math.log((seen[g] + 0.1) / (rows + 1)) for g in grams(text)) + math.log(rows)

    right = sum(row.answer == max(labels, key=lambda name: score(row.turns[0].content, name))
                for row in test)  # fmt: skip
    return right / len(test)


def test_tickets_can_be_learned_and_even_cannot():
    """Counting character n-grams routes most tickets; the coin stays a coin."""
    rates = {}
    for name in BUNDLED:
        parts = split(load(bundled(name)).rows, seed=0)
        rates[name] = naive_bayes_accuracy(parts.train, [*parts.test, *parts.validation])
    assert 0.70 < rates["tickets"] < 0.98
    assert 0.40 < rates["even"] < 0.60
