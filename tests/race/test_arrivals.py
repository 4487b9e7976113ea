"""Several workers: which of them is faster must not change what is decided."""

import heapq
import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from race_records import FULL_TOKENS, capability
from simulated_race import Silent, SimulatedExecutor, decisions, make_agreement

from forkpoint.ledger import Agreement, EnginePlan, TrialScored, TrialStarted, read_lines
from forkpoint.race.driver import run_race
from forkpoint.race.executor import More, Observer, Outcome, nothing_more
from forkpoint.race.work import TrialWork, Work
from forkpoint.verdict.verdict_record import Verdict

WORKERS = 4
LARGE = round(0.9 * 22 * FULL_TOKENS)  # a budget that takes the racing through several looks


class BusyWorkers(SimulatedExecutor):
    """Workers in virtual time, each piece of work taking a drawn time."""

    workers = WORKERS

    def __init__(self, folder: Path, agreed: Any, seed: int, **how: Any) -> None:
        super().__init__(folder, agreed, **how)
        self.random = random.Random(seed)
        self.most = 0  # trials of the racing at the same time

    def run(
        self, works: Sequence[Work], observer: Observer, more: More = nothing_more
    ) -> Iterator[Outcome]:
        waiting, busy, now = list(works), [], 0.0
        while waiting or busy:
            while waiting and len(busy) < WORKERS:
                work = waiting.pop(0)
                observer.started(work)
                self.ran.append(work.key)
                heapq.heappush(busy, (now + self.random.expovariate(1.0), len(self.ran), work))
            racing = [w for _, _, w in busy if isinstance(w, TrialWork) and w.trial.rung > 1]
            self.most = max(self.most, len(racing))
            now, _, work = heapq.heappop(busy)
            yield Outcome(work, self._values(work), seconds=1.0)
            waiting.extend(more())


def clear(arm: str, share: float) -> float:
    """Instruct leads by a little, so that the racing takes several looks."""
    return capability(arm, share) - (0.0 if "instruct" in arm else 0.05 * share)


def diverging(work: TrialWork) -> dict[str, Any] | None:
    """One arm's chosen rate diverges from the third rung on."""
    trial = work.trial
    if trial.arm != "pocket-base.full" or trial.rung < 3 or trial.rate < 5e-4:
        return None
    return {"key": "train.diverged", "values": {"step": 1, "steps": 2, "rate": "1"},
            "retry": "rate"}  # fmt: skip


def agree(folder: Path) -> Agreement:
    """A race whose engine may have as many trials under way as there are workers."""
    engine = EnginePlan(kind="ray", parallel=WORKERS)
    settings = {"threshold": 1.0}
    return make_agreement(folder, settings=settings, budget_tokens=LARGE, engine=engine)


def run(folder: Path, seed: int, **how: Any) -> tuple[Verdict, BusyWorkers]:
    """Such a race; what its workers take is drawn from the seed."""
    agreed = agree(folder)
    workers = BusyWorkers(folder, agreed, seed, truth=clear, **how)
    return run_race(folder, workers, Silent()), workers


def decided(folder: Path) -> list[dict[str, Any]]:
    """The decisions arm by arm: brackets of several arms end in the order of arrival."""
    return sorted(decisions(folder), key=lambda line: (line["kind"], str(line.get("arm"))))


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORKPOINT_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("mishap", [lambda work: None, diverging])
def test_arrivals_in_any_order_decide_the_same(tmp_path: Path, mishap: Any) -> None:
    """Trials under way side by side may end in any order: the same trials, decisions, verdict."""
    first, workers = run(tmp_path / "0", 0, mishap=mishap)
    assert workers.most > 1
    for seed in range(1, 4):
        folder = tmp_path / str(seed)
        verdict, others = run(folder, seed, mishap=mishap)
        assert sorted(workers.ran) == sorted(others.ran)
        assert decided(tmp_path / "0") == decided(folder)
        run_own = {"test_openings", "seconds"}
        assert first.model_dump(exclude=run_own) == verdict.model_dump(exclude=run_own)


def test_the_engine_decides_with_trials_under_way(tmp_path: Path) -> None:
    """A trial is begun before those that run beside it have ended, knowing what has."""
    run(tmp_path / "run", 1)
    open_trials, begun_beside = 0, 0
    scored_before = 0
    for line in read_lines(tmp_path / "run"):
        if isinstance(line, TrialStarted) and line.trial.rung > 1:
            begun_beside += open_trials > 0 and scored_before > 0
            open_trials += 1
        elif isinstance(line, TrialScored) and line.trial.rung > 1:
            open_trials -= 1
            scored_before += 1
    assert begun_beside > 0


@pytest.mark.parametrize("seed", range(3))
def test_a_race_of_several_workers_cut_anywhere_ends_the_same(tmp_path: Path, seed: int) -> None:
    """Trials under way when the driver died are run again: decisions and verdict stay."""
    verdict, _ = run(tmp_path / "whole", 0, mishap=diverging)
    lines = (tmp_path / "whole" / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    cut = random.Random(seed).randrange(1, len(lines))
    part = tmp_path / "part"
    shutil.copytree(tmp_path / "whole", part)
    (part / "verdict.json").unlink()
    (part / "ledger.jsonl").write_bytes(b"".join(lines[:cut]) + lines[cut][:20])
    agreed = agree(part)
    workers = BusyWorkers(part, agreed, seed + 7, truth=clear, mishap=diverging)
    resumed = run_race(part, workers, Silent())
    assert decided(tmp_path / "whole") == decided(part)
    own = {"test_openings", "seconds"}
    assert verdict.model_dump(exclude=own) == resumed.model_dump(exclude=own)


def test_one_trial_counts_once(tmp_path: Path) -> None:
    """However many workers there are, the ledger holds one outcome a trial, and its tokens once."""
    verdict, _ = run(tmp_path / "run", 2)
    scored = [line for line in read_lines(tmp_path / "run") if isinstance(line, TrialScored)]
    assert len({line.trial for line in scored}) == len(scored)
    assert sum(line.tokens for line in scored) == verdict.spent_tokens
