"""The race as a function of its ledger: order, retries, budget, and the same end after any kill."""

import json
import random
import shutil
from pathlib import Path

import pytest
from race_records import capability
from simulated_race import decisions, make_agreement, race

from forkpoint.ledger import TrialFailed, read_lines
from forkpoint.race.work import TrialWork
from forkpoint.words import say


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORKPOINT_HOME", str(tmp_path / "home"))
    return tmp_path


def clear(arm: str, share: float) -> float:
    """The drawn curves with the instruct checkpoint far ahead."""
    return capability(arm, share) - (0.0 if "instruct" in arm else 0.3 * share)


def kinds(folder: Path) -> list[str]:
    return [line.kind for line in read_lines(folder)]


def test_a_race_names_the_best_arm_within_its_budget(home: Path) -> None:
    """The arm with the best curve wins, and no more is spent than the budget allows."""
    folder = home / "run"
    agreed = make_agreement(folder)
    verdict, _ = race(folder, truth=clear)
    assert "pocket-instruct" == verdict.fork_point
    assert verdict.spent_tokens <= agreed.budget_tokens
    assert verdict.spent_tokens <= 0.5 * verdict.brute_force_tokens


def test_the_test_set_is_opened_once_and_after_the_choice(home: Path) -> None:
    """Finalists are recorded before any answer to a test row is made."""
    race(home / "run")
    lines = kinds(home / "run")
    assert 1 == lines.count("test_opened")
    assert lines.index("finalists") < lines.index("test_opened")
    tested = [line for line in read_lines(home / "run") if getattr(line, "split", "") == "test"]
    assert all(line.seq > lines.index("test_opened") for line in tested)


def test_openings_are_counted_over_races(home: Path) -> None:
    """A second race on the same test rows says so; a resumed one does not count again."""
    race(home / "one")
    assert 1 == race(home / "one")[0].test_openings
    assert 2 == race(home / "two")[0].test_openings


def test_every_arm_tries_the_same_number_of_rates(home: Path) -> None:
    """At the first rung each arm gets its bracket."""
    race(home / "run")
    tried = [
        len(line["tried"]) for line in decisions(home / "run") if line["kind"] == "rate_chosen"
    ]
    assert [3] * 6 == tried


def test_a_best_rate_at_the_edge_widens_the_bracket(home: Path) -> None:
    """When the fastest rate is the best, a faster one is tried, and the centre lies inside."""
    race(home / "run", best_rate_factor=9.0)
    for line in decisions(home / "run"):
        if line["kind"] == "rate_chosen":
            assert 5 == len(line["tried"])
            assert not line["at_edge"]


@pytest.mark.parametrize("seed", range(8))
def test_a_race_cut_anywhere_ends_the_same(home: Path, seed: int) -> None:
    """The ledger cut after any line and resumed takes the same decisions and the same verdict."""
    whole = home / "whole"
    verdict, _ = race(whole)
    lines = (whole / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    ended = next(n for n, line in enumerate(lines) if b'"racing_ended"' in line)
    cut = random.Random(seed).randrange(1, len(lines)) if seed < 6 else ended + seed - 5
    part = home / "part"
    shutil.copytree(whole, part)
    (part / "verdict.json").unlink()
    (part / "ledger.jsonl").write_bytes(b"".join(lines[:cut]) + lines[cut][:20])
    resumed, executor = race(part)
    assert decisions(whole) == decisions(part)
    different = {"test_openings", "seconds"}
    assert verdict.model_dump(exclude=different) == resumed.model_dump(exclude=different)
    assert len(executor.ran) <= len(lines) - cut


def test_arrivals_in_any_order_decide_the_same(home: Path) -> None:
    """Trials of one batch may end in any order: the decisions are the same."""
    race(home / "one")
    for seed in range(3):
        shuffle = random.Random(seed)
        folder = home / f"shuffled-{seed}"
        race(folder, order=lambda works, rng=shuffle: rng.sample(works, len(works)))
        assert decisions(home / "one") == decisions(folder)


DIVERGED = {
    "key": "train.diverged",
    "values": {"step": 1, "steps": 2, "rate": "1"},
    "retry": "rate",
}


def test_a_diverged_trial_is_retried_at_a_third(home: Path) -> None:
    """The lowest rate of an arm diverges: a third of it is tried, then the arm goes on."""

    def mishap(work: TrialWork) -> dict | None:
        low = work.trial.rate < 1.4e-3 and work.trial.arm == "pocket-base.lora"
        return DIVERGED if low and work.trial.rate > 1e-3 else None

    race(home / "run", mishap=mishap)
    tried = next(
        line["tried"]
        for line in decisions(home / "run")
        if line["kind"] == "rate_chosen" and line["arm"] == "pocket-base.lora"
    )
    assert None in tried.values()
    assert 4 == len(tried)


def test_an_arm_that_always_fails_is_dropped_with_its_reason(home: Path) -> None:
    """Never silently: the ledger and the verdict both say so, and the race goes on."""
    crash = {"key": "race.crashed_exit", "values": {"code": 3}, "retry": None}
    verdict, _ = race(
        home / "run",
        mishap=lambda work: crash if work.trial.arm == "pocket-instruct.full" else None,
    )
    dropped = [line for line in decisions(home / "run") if line["kind"] == "arm_dropped"]
    assert "pocket-instruct.full" in [line["arm"] for line in dropped]
    result = next(r for r in verdict.results if r.arm == "pocket-instruct.full")
    assert result.dropped
    assert verdict.arm != "pocket-instruct.full"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_arm_that_fails_later_is_dropped_with_a_sentence(home: Path, lang: str) -> None:
    """Its rung is the one at which it failed, and the reason is told in words, not by its key."""
    crash = {"key": "race.crashed_exit", "values": {"code": 3}, "retry": None}
    race(
        home / "run",
        mishap=lambda work: crash if work.trial.rung == 2 else None,
    )
    failed = {line.trial.arm for line in read_lines(home / "run") if isinstance(line, TrialFailed)}
    out = [line for line in decisions(home / "run") if line["kind"] == "arm_dropped"]
    told = {line["arm"]: line for line in out if line["key"] == "engine.failed"}
    assert failed and failed == told.keys()
    for line in told.values():
        assert 2 == line["rung"] == line["values"]["rung"]
        sentence = say(line["key"], lang, **line["values"])
        assert say("race.crashed_exit", lang, code=3) in sentence
        assert "2" in sentence


def test_a_killed_trial_is_retried_smaller_at_most_twice(home: Path) -> None:
    """Memory that runs out makes the trial smaller, then it is given up."""
    killed = {"key": "race.killed", "values": {}, "retry": "smaller"}
    shrinks: list[int] = []

    def mishap(work: TrialWork) -> dict | None:
        if work.trial.arm != "pocket-chat.full":
            return None
        shrinks.append(work.shrink)
        return killed if work.shrink < 2 else None

    verdict, _ = race(home / "run", mishap=mishap)
    assert {0, 1, 2} == set(shrinks)
    assert next(r for r in verdict.results if r.arm == "pocket-chat.full").rate is not None


def test_when_every_arm_fails_nothing_is_named(home: Path) -> None:
    """No arm, no claim."""
    crash = {"key": "race.crashed_exit", "values": {"code": 3}, "retry": None}
    verdict, _ = race(home / "run", mishap=lambda work: crash)
    assert verdict.arm is None
    assert "verdict.no_arm_left" == verdict.reasons[0][0]


def test_arms_without_a_difference_are_not_called_better(home: Path) -> None:
    """Six arms with the same curve: equal, or not enough evidence, in all of ten races."""
    for number in range(10):
        folder = home / f"even-{number}"
        settings = {"seed": number}
        make_agreement(folder, settings=settings)
        verdict, _ = race(folder, truth=lambda arm, share: 0.3 + 0.3 * share)
        assert verdict.kind in ("equal_enough", "not_enough_evidence"), number


def test_the_verdict_on_disk_is_the_one_returned(home: Path) -> None:
    """verdict.json holds the verdict, and the last ledger line its digest."""
    verdict, _ = race(home / "run")
    saved = json.loads((home / "run" / "verdict.json").read_text())
    assert verdict.arm == saved["arm"]
    assert "race_ended" == kinds(home / "run")[-1]


def test_a_row_without_a_score_for_one_arm_is_out_for_all(home: Path) -> None:
    """Arms are compared on the same rows, and what was left out is counted."""
    agreed = make_agreement(home / "run")
    left = set(agreed.test_ids[:7])
    verdict, _ = race(
        home / "run", unscored=lambda arm, row: row in left and arm == "pocket-instruct.full"
    )
    finalists = [result for result in verdict.results if result.test]
    assert "pocket-instruct.full" in {result.arm for result in finalists}
    assert (len(agreed.test_ids) - 7, 7) == (verdict.test_rows, verdict.test_unscored)
    assert {verdict.test_rows} == {result.test.n for result in finalists if result.test}


def test_resuming_a_race_that_has_ended_changes_nothing(home: Path) -> None:
    """The verdict and the ledger stay as they are, and the verdict is said again."""
    verdict, _ = race(home / "run")
    files = [home / "run" / name for name in ("verdict.json", "ledger.jsonl")]
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in files]
    again, executor = race(home / "run")
    assert verdict == again
    assert not executor.ran
    assert before == [(path.read_bytes(), path.stat().st_mtime_ns) for path in files]
