"""Few rows: every row is tested once, by a training that has not seen it."""

import json
import random
import shutil
from pathlib import Path

import pytest
from race_records import FULL_TOKENS
from simulated_race import decisions, make_agreement, race

from forkpoint.ledger import Agreement, Sides, write_whole
from forkpoint.race.driver import AGREEMENT
from forkpoint.race.work import TrialWork


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORKPOINT_HOME", str(tmp_path / "home"))
    return tmp_path


def folded(folder: Path, **changes: object) -> Agreement:
    """The simulated race with its 400 rows in five folds, each row tested once."""
    agreed = make_agreement(folder)
    ids = (*agreed.train_ids, *agreed.validation_ids, *agreed.test_ids)
    parts = [ids[place::5] for place in range(5)]
    folds = tuple(
        Sides(
            train_ids=tuple(
                key
                for other in range(5)
                if other not in (place, (place + 1) % 5)
                for key in parts[other]
            ),
            rung_validation_ids=parts[(place + 1) % 5],
            test_ids=parts[place],
        )
        for place in range(5)
    )
    update = {
        "folds": folds,
        "settings": agreed.settings.model_copy(update={"folds": len(folds)}),
        "train_ids": folds[0].train_ids,
        "validation_ids": folds[0].rung_validation_ids,
        "rung_validation_ids": folds[0].rung_validation_ids,
        "test_ids": tuple(key for part in parts for key in part),
        "brute_force_tokens": 26 * FULL_TOKENS,
        "budget_tokens": 20 * FULL_TOKENS,
        **changes,
    }
    agreed = agreed.model_copy(update=update)
    write_whole(folder / AGREEMENT, agreed.to_json().encode())
    return agreed


def test_few_rows_are_all_tested_once(home: Path) -> None:
    """Every finalist answers every row with a training that has not seen it."""
    agreed = folded(home / "run")
    verdict, executor = race(home / "run")
    assert (len(agreed.test_ids), 5) == (verdict.test_rows, verdict.test_folds)
    answered: dict[str, list[str]] = {}
    for path in sorted((home / "run" / "answers").glob("*.test-*.jsonl")):
        arm = path.name.split(".test-")[0]
        if arm.endswith(".untrained"):
            continue
        rows = [json.loads(line)["row_id"] for line in path.read_text().splitlines()]
        answered.setdefault(arm, []).extend(rows)
    assert len(answered) >= 2
    for rows in answered.values():
        assert sorted(agreed.test_ids) == sorted(rows)
    trained = [key for key in executor.ran if "-f" in key]
    assert len(trained) == 4 * len(answered)


def test_a_budget_too_small_for_all_folds_tests_the_leaders_on_some(home: Path) -> None:
    """Both leaders are compared on the same part of the rows, and n says how many."""
    agreed = folded(home / "run", budget_tokens=11 * FULL_TOKENS)
    verdict, _ = race(home / "run")
    assert 1 <= verdict.test_folds < 5
    assert 80 * verdict.test_folds == verdict.test_rows
    assert verdict.spent_tokens <= agreed.budget_tokens


@pytest.mark.parametrize("seed", range(3))
def test_a_folded_race_cut_anywhere_ends_the_same(home: Path, seed: int) -> None:
    """Killed after any ledger line and resumed, it decides and ends as undisturbed."""
    folded(home / "whole")
    whole, _ = race(home / "whole")
    lines = (home / "whole" / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    for cut in random.Random(seed).sample(range(1, len(lines)), 6):
        folder = home / f"cut-{cut}"
        shutil.copytree(home / "whole", folder)
        (folder / "ledger.jsonl").write_bytes(b"".join(lines[:cut]))
        (folder / "verdict.json").unlink()
        verdict, _ = race(folder)
        assert decisions(home / "whole") == decisions(folder)
        assert (whole.kind, whole.arm, whole.p_best) == (verdict.kind, verdict.arm, verdict.p_best)


def test_a_failed_fold_is_out_for_all(home: Path) -> None:
    """Arms stay compared on the same rows when one training fails."""
    folded(home / "run")

    def mishap(work: TrialWork) -> dict[str, object] | None:
        if work.trial.fold == 2 and work.trial.arm == "pocket-instruct.full":
            return {"key": "race.child_ended", "values": {"code": 1, "said": ""}, "retry": None}
        return None

    verdict, _ = race(home / "run", mishap=mishap)
    assert (4, 320) == (verdict.test_folds, verdict.test_rows)
