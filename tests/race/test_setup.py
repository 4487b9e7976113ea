"""What is agreed before a race: folds, rows too long, files of their own, and refusals."""

import json
from pathlib import Path
from typing import Any

import pytest

from forkpoint.data import bundled
from forkpoint.errors import BadInput
from forkpoint.ledger import Agreement
from forkpoint.race.request import RaceRequest
from forkpoint.race.setup import prepare
from forkpoint.race.work import Work
from forkpoint.report.plan_text import plan_text

LONG = "far " * 400  # an answer that no context of 128 tokens takes


class Nobody:
    """Nobody watches."""

    def started(self, work: Work) -> None:
        """Nothing is shown."""

    def progressed(self, work: Work, values: dict[str, Any]) -> None:
        """Nothing is shown."""


def row(said: str, answer: str) -> str:
    messages = [{"role": "user", "content": said}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": messages})


@pytest.fixture(scope="module")
def tickets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred bundled rows, three with an answer that is too long."""
    path = tmp_path_factory.mktemp("setup") / "rows.jsonl"
    lines = bundled("tickets").read_text(encoding="utf-8").splitlines()[:100]
    lines += [row(f"please write number {number}", f"{number} {LONG}") for number in range(3)]
    path.write_text("\n".join([*lines, '{"messages": []}']) + "\n", encoding="utf-8")
    return path


def agreed(data: Path, folder: Path, **changes: Any) -> Agreement:
    request = RaceRequest(
        data=str(data),
        models=("pocket-instruct",),
        approaches=("lora", "full"),
        context_tokens=128,
        skip_general=True,
        **changes,
    )
    return prepare(request, folder, Nobody())


def test_below_500_rows_every_row_is_tested_once(tickets: Path, tmp_path: Path) -> None:
    """Five folds whose tests are all the rows; what is too long is left out and listed."""
    plan = agreed(tickets, tmp_path / "run")
    tested = [key for fold in plan.folds for key in fold.test_ids]
    assert (5, 100) == (len(plan.folds), len(tested))
    assert sorted(set(tested)) == sorted(plan.test_ids)
    assert 3 == len([why for why in plan.excluded.values() if why == "race.excluded_too_long"])
    for fold in plan.folds:
        assert not set(fold.train_ids) & {*fold.test_ids, *fold.rung_validation_ids}
    assert "5 folds" in plan_text(plan, "en")
    assert "line 104" in plan_text(plan, "en")  # the broken row, named before the start


def test_answers_are_cut_only_where_asked_and_only_in_training(
    tickets: Path, tmp_path: Path
) -> None:
    """`--truncate answers` keeps long training rows, and says how many were cut."""
    plan = agreed(tickets, tmp_path / "run", folds=0, truncate="answers")
    assert plan.cut
    assert set(plan.cut) <= set(plan.train_ids)
    assert 3 == len(plan.cut) + len(plan.excluded)
    assert str(len(plan.cut)) in plan_text(plan, "zh")
    assert all(arm.full_tokens < 3 * 128 * len(plan.train_ids) for arm in plan.arms)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"folds": 5, "time_field": "day"}, "race.folds_divided"),
        ({"folds": 5, "truncate": "answers"}, "race.folds_truncate"),
    ],
)
def test_what_does_not_go_together_is_refused(
    tickets: Path, tmp_path: Path, changes: dict[str, Any], key: str
) -> None:
    """A sentence instead of a race whose test set would not be what it says."""
    with pytest.raises(BadInput) as refused:
        agreed(tickets, tmp_path / "run", **changes)
    assert key == refused.value.key
