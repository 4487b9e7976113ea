"""Nothing of the test is ever trained on, and the split depends on content and seed alone."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forkpoint.data import Row, Turn, bundled, default_sizes, k_folds, load, split
from forkpoint.data.splits import leak_key
from forkpoint.errors import BadInput


def text(name: str, words: int = 12) -> str:
    """A text of its own for each name."""
    draw = random.Random(name)
    return " ".join(f"{draw.getrandbits(28):x}" for _ in range(words))


def row(place: int, asked: str, answer: str = "yes", **extra: str) -> Row:
    return Row(f"{place:016d}", "f.jsonl", place, (Turn("user", asked), Turn("assistant", answer)),
               extra=extra)  # fmt: skip


def many(count: int, seed: int = 0, **extra: str) -> list[Row]:
    draw = random.Random(seed)
    return [row(i + 1000 * seed, " ".join(f"{draw.getrandbits(40):x}" for _ in range(6)), **extra)
            for i in range(count)]  # fmt: skip


def ids(rows) -> list[str]:
    return [r.id for r in rows]


def test_default_sizes():
    """Of 1,000 rows 650 are trained on, 150 decide and 200 test; big data give smaller shares."""
    assert (150, 200) == default_sizes(1000)
    assert (1000, 2000) == default_sizes(1_000_000)


def test_every_row_is_on_one_side_or_listed():
    """Sides do not overlap; what is not on a side is listed with its reason and what was kept."""
    rows = many(600)
    rows += [Row(rows[3].id, "g.jsonl", 7, rows[3].turns)]
    parts = split(rows, seed=1)
    sides = ids(parts.train) + ids(parts.validation) + ids(parts.test)
    assert sorted(ids(rows[:600])) == sorted(sides)
    assert {"copy": 1} == parts.removed_counts()
    assert ("g.jsonl", 7) == (parts.removed[0].row.file, parts.removed[0].row.line)
    assert (120, 90) == (len(parts.test), len(parts.validation))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), order=st.randoms())
def test_the_order_of_the_file_plays_no_part(seed, order):
    """The same rows and seed give the same split, in whatever order they came."""
    rows = many(60)
    shuffled = list(rows)
    order.shuffle(shuffled)
    one, two = split(rows, seed=seed), split(shuffled, seed=seed)
    assert (ids(one.train), ids(one.validation), ids(one.test)) == (
        ids(two.train), ids(two.validation), ids(two.test),
    )  # fmt: skip
    assert one.test_hash() == two.test_hash()


def test_the_seed_decides():
    """Another seed gives another test set."""
    rows = many(100)
    assert split(rows, seed=1).test_hash() != split(rows, seed=2).test_hash()


def test_same_prompt_and_near_duplicates_stay_together():
    """Rows that give each other away are on the same side, with every seed."""
    rows = many(200)
    asked = [text(f"asked {i}") for i in range(30)]
    answers = [text(f"answer {i}", 20) for i in range(30)]
    twins = [row(5000 + i, a, answers[i]) for i, a in enumerate(asked)]
    twins += [row(6000 + i, f"Well: {a[10:]}", answers[i]) for i, a in enumerate(asked)]
    twins += [row(7000 + i, a.upper() + " ??", "other") for i, a in enumerate(asked)]
    for seed in range(5):
        parts = split(rows + twins, seed=seed)
        side = {r.id: s for s in ("train", "validation", "test") for r in getattr(parts, s)}
        for i in range(30):
            found = {side[f"{base + i:016d}"] for base in (5000, 6000, 7000)}
            assert 1 == len(found)


def test_a_constant_instruction_is_no_leak():
    """When all rows have the same prompt they can still be split."""
    rows = [row(i, "Write a poem.", f"{r.turns[0].content}") for i, r in enumerate(many(600))]
    parts = split(rows, seed=0)
    assert (120, 90) == (len(parts.test), len(parts.validation))


def test_a_group_is_never_on_both_sides():
    """--group-by: the rows of one customer are on one side."""
    draw = random.Random(0)
    rows = [row(i, r.turns[0].content, customer=f"c{draw.randrange(60)}")
            for i, r in enumerate(many(600))]  # fmt: skip
    parts = split(rows, seed=3, group_by="customer")
    sides = [{r.extra["customer"] for r in s} for s in (parts.train, parts.validation, parts.test)]
    assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
    assert 100 <= len(parts.test) <= 120


def test_labels_keep_their_proportion():
    """A label of one row in ten has its share of the test, with every seed."""
    rows = [row(i, r.turns[0].content, "rare" if i % 10 == 0 else "common")
            for i, r in enumerate(many(600))]  # fmt: skip
    for seed in range(5):
        parts = split(rows, seed=seed)
        assert 11 <= sum(r.answer == "rare" for r in parts.test) <= 13


def test_time_puts_the_latest_rows_into_the_test():
    """--split time:FIELD: training is earlier than validation is earlier than the test."""
    rows = [row(i, r.turns[0].content, day=f"2024-{1 + i % 12:02d}-{1 + i // 12 % 28:02d}")
            for i, r in enumerate(many(300))]  # fmt: skip
    rows.append(row(9999, rows[11].turns[0].content + "!", day="2023-01-01"))
    parts = split(rows, seed=0, time_field="day")
    late = [max(r.extra["day"] for r in s) for s in (parts.train, parts.validation)]
    early = [min(r.extra["day"] for r in s) for s in (parts.validation, parts.test)]
    assert late[0] < early[0] and late[1] < early[1]
    assert {"same_prompt": 1} == parts.removed_counts()
    assert ("0000000000009999", rows[11].id) == (parts.removed[0].row.id, parts.removed[0].kept.id)


def test_a_given_test_file_is_kept_and_training_rows_that_leak_are_removed():
    """--test: copies, same prompts and near-duplicates leave the training side, and are listed."""
    test = [row(i, text(f"asked {i}"), text(f"answer {i}", 20)) for i in range(40)]
    rows = many(100, seed=7)
    rows += [Row(test[0].id, "train.jsonl", 500, test[0].turns)]
    rows += [row(501, text("asked 1").upper() + "!", "no idea")]
    rows += [row(502, text("asked 2")[10:] + " please", text("answer 2", 20))]
    parts = split(rows, seed=0, test=test)
    assert sorted(ids(test)) == sorted(ids(parts.test))
    assert [(500, "copy", 0), (501, "same_prompt", 1), (502, "near", 2)] == [
        (r.row.line, r.why, r.kept.line) for r in sorted(parts.removed, key=lambda r: r.row.line)
    ]
    assert not {leak_key(r) for r in parts.train} & {leak_key(r) for r in parts.test}
    assert 100 == len(parts.train) + len(parts.validation)


def test_a_given_validation_that_leaks_from_the_test_is_cleaned():
    """Validation decides on the way, so it must not know the test either."""
    test, validation = many(20, seed=1), many(20, seed=2)
    leaking = row(77, test[0].turns[0].content, "other")
    parts = split(many(50), seed=0, test=test, validation=[*validation, leaking])
    assert sorted(ids(validation)) == sorted(ids(parts.validation))
    assert {"same_prompt": 1} == parts.removed_counts()
    assert 50 == len(parts.train)


def test_folds_test_each_row_once():
    """Below 500 rows: each row is tested exactly once and never trained on in that fold."""
    rows = many(103)
    folds = k_folds(rows, seed=0)
    assert sorted(ids(rows)) == sorted(r for f in folds for r in ids(f.test))
    for fold in folds:
        assert 103 == len(fold.train) + len(fold.validation) + len(fold.test)
        assert not set(ids(fold.train)) & set(ids(fold.test))
        assert not set(ids(fold.validation)) & set(ids(fold.test))


@pytest.mark.parametrize(
    ("rows", "asked", "told"),
    [
        (many(3), {}, "would hold"),
        (many(50, customer="c"), {"group_by": "customer"}, "1 groups"),
        (many(50), {"group_by": "customer"}, "“customer” is missing"),
        (many(50, day="soon"), {"time_field": "day"}, "is no time"),
        ([*many(50, day="3"), *many(50, 1, day="2024-01-01")], {"time_field": "day"}, "all in one"),
    ],
)  # fmt: skip
def test_what_cannot_be_split_is_said(rows, asked, told):
    """A sentence in both languages, not an empty side."""
    with pytest.raises(BadInput) as error:
        split(rows, seed=0, **asked)
    assert told in error.value.message("en")
    assert error.value.message("zh")


def test_too_few_rows_for_folds():
    """Folds with empty sides are refused."""
    with pytest.raises(BadInput, match="too few"):
        k_folds(many(5), seed=0)


def test_bundled_rows_are_split_without_loss():
    """The demo's split: 650, 150, 200, no row removed."""
    parts = split(load(bundled("tickets")).rows, seed=0)
    assert (650, 150, 200) == (len(parts.train), len(parts.validation), len(parts.test))
