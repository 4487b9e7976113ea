"""Races whose trials are drawn from known learning curves: the driver without any training."""

import hashlib
import json
import math
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
from race_records import FULL_TOKENS, agreement, capability

from forkpoint.ledger import Agreement, Measured, write_whole
from forkpoint.measure.interval import mean, nothing, rate
from forkpoint.race.driver import AGREEMENT, run_race
from forkpoint.race.executor import More, Observer, Outcome, nothing_more
from forkpoint.race.work import AnswerWork, GeneralWork, TrialWork, Work
from forkpoint.verdict.verdict_record import Verdict

BEST_RATE_LOSS = 0.12  # score lost per factor three beside the best rate
BEST_RATE_BITS = 1.6  # times the bits per factor three beside it

Truth = Callable[[str, float], float]  # arm, share of the full length -> expected score


def make_agreement(folder: Path, **changes: Any) -> Agreement:
    """Six pocket arms on 400 rows, written as race.json."""
    ids = tuple(f"{number:016x}" for number in range(400))
    agreed = agreement((ids[:240], ids[240:320], ids[320:]), lambda text: text)
    settings = agreed.settings.model_copy(
        update={"metric": "exact_match", "general_set": None, **changes.pop("settings", {})}
    )
    agreed = agreed.model_copy(
        update={
            "settings": settings,
            "rung_validation_ids": ids[240:320],
            "budget_tokens": round(0.5 * 22 * FULL_TOKENS),
            "brute_force_tokens": 22 * FULL_TOKENS,
            **changes,
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / AGREEMENT, agreed.to_json().encode())
    return agreed


class SimulatedExecutor:
    """Outcomes drawn from curves; the same work always comes to the same outcome."""

    workers = 1

    def __init__(
        self,
        folder: Path,
        agreed: Agreement,
        truth: Truth = capability,
        mishap: Callable[[TrialWork], dict[str, Any] | None] = lambda work: None,
        order: Callable[[list[Work]], list[Work]] = lambda works: works,
        best_rate_factor: float = 1.0,
        unscored: Callable[[str, str], bool] = lambda arm, row: False,
        unanswered: Callable[[AnswerWork], dict[str, Any] | None] = lambda work: None,
    ) -> None:
        self.folder = folder
        self.agreement = agreed
        self.truth = truth
        self.mishap = mishap
        self.order = order
        self.best_rate_factor = best_rate_factor
        self.unscored = unscored  # whether a user's scorer has nothing to say on an arm's row
        self.unanswered = unanswered
        self.ran: list[str] = []

    def run(
        self, works: Sequence[Work], observer: Observer, more: More = nothing_more
    ) -> Iterator[Outcome]:
        """One outcome for each piece of work, in the wanted order."""
        for work in self.order(list(works)):
            observer.started(work)
            self.ran.append(work.key)
            yield Outcome(work, self._values(work), seconds=1.0)

    def close(self) -> None:
        """Nothing runs."""

    def _values(self, work: Work) -> dict[str, Any]:
        match work:
            case TrialWork():
                if mishap := self.mishap(work):
                    return {"failed": mishap, "tokens": 100}
                return self._trial(work)
            case AnswerWork():
                if mishap := self.unanswered(work):
                    return {"failed": mishap}
                return self._answers(work)
            case GeneralWork():
                raise AssertionError("general ability is off here")
        raise AssertionError(work)

    def _trial(self, work: TrialWork) -> dict[str, Any]:
        trial = work.trial
        share = self.agreement.rungs[trial.rung - 1].share
        path = f"{trial.folder}/answers.jsonl"
        ids = self.agreement.sides(trial.fold).rung_validation_ids
        scored = self._scored(trial.arm, trial.rate, share, trial.seed, ids, path)
        return {
            "kind": "trial_scored",
            "trial": trial.model_dump(),
            "attempt": work.attempt,
            "tokens": round(FULL_TOKENS * share),
            "train_seconds": 1.0,
            "peak_bytes": 1_000_000,
            "final_loss": 0.1,
            **scored,
        }

    def _answers(self, work: AnswerWork) -> dict[str, Any]:
        trial = work.trial
        test = work.split == "test"
        sides = self.agreement.sides(trial.fold) if trial else self.agreement
        ids = sides.test_ids if test else sides.rung_validation_ids
        how = work.setup or (trial.seed if trial else 0)
        path = f"answers/{work.subject}.{work.split}-{how}.jsonl"
        share = self.agreement.rungs[trial.rung - 1].share if trial else 0.0
        rate_used = trial.rate if trial else None
        seed = trial.seed if trial else 0
        name = f"{work.subject} {work.setup}" if work.setup else work.subject
        scored = self._scored(name, rate_used, share, seed, ids, path)
        return {
            "kind": "answers_made",
            "arm": work.subject,
            "split": work.split,
            "trial": trial.model_dump() if trial else None,
            "setup": work.setup,
            **scored,
        }

    def _scored(
        self, arm: str, used: float | None, share: float, seed: int, ids: Sequence[str], path: str
    ) -> dict[str, Any]:
        beside = self._beside(arm, used)
        expected = self.truth(arm, share) - BEST_RATE_LOSS * beside
        bits = (1.0 - self.truth(arm, share)) * BEST_RATE_BITS**beside
        digest = hashlib.sha256(f"{arm} {share} {seed} {used}".encode()).digest()
        noise = random.Random(digest).gauss(0.0, 0.01)
        hits = [self._luck(key, arm) < expected + noise for key in ids]
        scores = [
            None if self.unscored(arm, key) else float(hit)
            for key, hit in zip(ids, hits, strict=True)
        ]
        lines = [
            {"row_id": key, "score": score, "gold": key[-2:], "said": key[-2:] if hit else "",
             "expected_bits": 1.0, "expected_bytes": 4}
            for key, hit, score in zip(ids, hits, scores, strict=True)
        ]  # fmt: skip
        write_whole(self.folder / path, b"\n".join(orjson.dumps(line) for line in lines))
        return {
            "primary": self._primary(hits, scores).model_dump(),
            "secondary": {},
            "likelihood": mean([bits, bits + 0.01], "bits/byte", "lower").model_dump(),
            "stop": rate([True] * len(ids)).model_dump(),
            "stop_bits": nothing("bits", "lower").model_dump(),
            "answers": path,
            "answers_sha256": "0" * 64,
        }

    @staticmethod
    def _primary(hits: list[bool], scores: Sequence[float | None]) -> Measured:
        """The score over the rows; none where the user's scorer gave none at all."""
        if all(score is None for score in scores):
            return nothing("share", "higher")
        return rate(hits)

    def _beside(self, arm: str, used: float | None) -> float:
        """How many factors of three a rate lies beside the best one."""
        if used is None:
            return 0.0
        centre = next(a.centre_rate for a in self.agreement.arms if a.name == arm)
        return abs(math.log(used / (centre * self.best_rate_factor), 3))

    @staticmethod
    def _luck(key: str, arm: str) -> float:
        """How hard a row is: mostly the row's own, a little the arm's."""
        row = random.Random(key).random()
        return 0.8 * row + 0.2 * random.Random(key + arm).random()


class Silent:
    """An audience that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[Any] = []

    def line(self, line: Any, state: Any) -> None:
        self.lines.append(line)

    def started(self, work: Work) -> None:
        pass

    def progressed(self, work: Work, values: dict[str, Any]) -> None:
        pass


def race(folder: Path, **how: Any) -> tuple[Verdict, SimulatedExecutor]:
    """Run a simulated race in a folder that holds race.json (made here if it does not)."""
    path = folder / AGREEMENT
    agreed = Agreement.from_json(path.read_bytes()) if path.exists() else make_agreement(folder)
    executor = SimulatedExecutor(folder, agreed, **how)
    return run_race(folder, executor, Silent()), executor


def decisions(folder: Path) -> list[dict[str, Any]]:
    """What the ledger decided, without times, numbers and interruptions."""
    kept = []
    for piece in (folder / "ledger.jsonl").read_text().splitlines():
        line = json.loads(piece)
        if line["kind"] in ("rate_chosen", "arm_dropped", "racing_ended", "finalists"):
            kept.append({k: v for k, v in line.items() if k not in ("seq", "time")})
    return kept
