"""What arms are fed: subsets, random subsets of the same size, rows against forgetting."""

import json
from pathlib import Path

import orjson
import pytest

from forkpoint.data import load
from forkpoint.data.splits import leak_key
from forkpoint.errors import BadInput
from forkpoint.ledger import RungPlan
from forkpoint.pocket import general_set_path, replay_rows_path
from forkpoint.race.diet import fed_steps, replay_weight
from forkpoint.race.subsets import random_subset, read_subsets

IDS = [f"{number:04x}" for number in range(120)]
REPLAY = [f"r{number:04x}" for number in range(120)]


def rung(steps: int, unique: int, size: int) -> RungPlan:
    """A rung of some steps."""
    visits = steps * size
    return RungPlan(
        index=1, unique_rows=min(unique, visits), passes=visits / unique, steps=steps, share=1.0
    )


def test_every_arm_takes_the_same_steps() -> None:
    """An arm with fewer rows sees them more often; steps and their sizes stay the same."""
    full = rung(60, 120, 8)
    every = fed_steps(IDS, (), 0.0, full, 8, seed=1)
    some = fed_steps(IDS[:40], (), 0.0, full, 8, seed=1)
    assert [8] * 60 == [len(step) for step in every] == [len(step) for step in some]
    assert set(IDS[:40]) == {key for step in some for key in step}
    assert 12 == max([key for step in some for key in step].count(key) for key in IDS[:40])


def test_replay_leaves_the_task_rows_of_a_step_as_they_are() -> None:
    """Rows against forgetting come on top, spread evenly, so arms differ in nothing else."""
    full = rung(60, 120, 8)
    plain = fed_steps(IDS, REPLAY, 0.0, full, 8, seed=3)
    mixed = fed_steps(IDS, REPLAY, 0.3, full, 8, seed=3)
    assert plain == [[key for key in step if key in IDS] for step in mixed]
    added = [len(step) - 8 for step in mixed]
    assert {2, 3} == set(added)
    assert round(0.3 * 60 * 8) == sum(added)


def test_replay_holds_at_most_its_share_of_distinct_rows() -> None:
    """A share of .5 over 120 rows draws on 60 general rows, however many there are."""
    mixed = fed_steps(IDS, REPLAY, 0.5, rung(60, 120, 8), 8, seed=3)
    assert 60 == len({key for step in mixed for key in step if key.startswith("r")})


def test_without_general_rows_an_arm_with_replay_still_trains() -> None:
    """Nothing to mix in is no reason to stop; the share is then 0."""
    full = rung(10, 40, 4)
    assert fed_steps(IDS, (), 0.0, full, 4, seed=0) == fed_steps(IDS, (), 1.0, full, 4, seed=0)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, list[str]]:
    """A data file of 50 rows and the ids of its rows."""
    path = tmp_path / "rows.jsonl"
    path.write_text(
        "\n".join(json.dumps({"prompt": f"p{n}", "completion": f"c{n}"}) for n in range(50))
    )
    return path, [row.id for row in load(path).rows]


def test_a_subset_brings_its_random_subset(files: tuple[Path, list[str]]) -> None:
    """A subset is believed only against as many random rows; equal sizes share one."""
    path, ids = files
    found = read_subsets([f"a={path}", f"b={path}"], ids[:30], seed=5)
    assert ["a", "b", "random-30"] == list(found)
    assert "random-30" == found["a"].null == found["b"].null
    assert 30 == len(found["a"].ids)
    assert 50 == found["a"].named_rows


def test_rows_that_are_no_training_rows_are_left_out(files: tuple[Path, list[str]]) -> None:
    """Rows held for validation or test never enter by way of a subset."""
    path, ids = files
    found = read_subsets([f"a={path}"], ids[10:20], seed=0)
    assert tuple(ids[10:20]) == found["a"].ids


def test_random_subsets_repeat_with_their_seed() -> None:
    """The same seed draws the same rows, another seed others."""
    assert random_subset(IDS, 30, 1) == random_subset(IDS, 30, 1)
    assert random_subset(IDS, 30, 1) != random_subset(IDS, 30, 2)
    assert 30 == len(set(random_subset(IDS, 30, 1)))


@pytest.mark.parametrize("text", ["a", "=x", "A=x", "random-5=x", "a=", "../a=x"])
def test_a_subset_needs_a_plain_name_and_a_file(text: str) -> None:
    """The name becomes a folder's; what is wrong is said with how to write it."""
    with pytest.raises(BadInput, match="NAME=FILE"):
        read_subsets([text], IDS, seed=0)


def test_a_subset_without_training_rows_is_refused(files: tuple[Path, list[str]]) -> None:
    """A file of other rows cannot be an arm."""
    path, _ = files
    with pytest.raises(BadInput, match="50 rows"):
        read_subsets([f"a={path}"], IDS, seed=0)


def test_the_shipped_general_rows_ask_nothing_that_is_measured() -> None:
    """Replay must not train on the questions that measure forgetting."""
    asked = {
        orjson.loads(line)["messages"][-1]["content"]
        for line in general_set_path().read_bytes().splitlines()
    }
    rows = load(replay_rows_path()).rows
    assert 800 == len(rows)
    assert len(rows) == len({leak_key(row) for row in rows})
    assert set() == asked & {row.prompt[-1].content for row in rows}


def test_a_general_row_weighs_no_more_than_a_task_row() -> None:
    """Answers of 30 tokens beside labels of 3 count a tenth each; short ones are not made more."""
    assert pytest.approx(0.1) == replay_weight([2, 3, 4], [20, 40])
    assert 1.0 == replay_weight([30], [3]) == replay_weight([3], []) == replay_weight([], [3])
