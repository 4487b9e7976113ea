"""The finalists' test answers as samples on the same rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from forkpoint.ledger import AnswersMade, Trial
from forkpoint.race.state import RaceState
from forkpoint.verdict.resample import Sample, sample_of

NO_MODEL_BITS = 8.0  # bits a byte costs when nothing is known of it

Outcomes = list[dict[str, Any]]


@dataclass(frozen=True)
class FinalAnswers:
    """One sample a training seed for every finalist, all on the same rows in the same order."""

    samples: Mapping[str, Sequence[Sample]]
    trivial: Sample  # the answer that needs no model, on the same rows
    unscored: int  # rows that the user's scorer left without a score for some arm: out for all
    asked: Mapping[str, Sample]  # untrained arm -> its answers to the same rows

    @property
    def rows(self) -> int:
        """Rows that were compared."""
        return len(self.trivial.scores_N)


def read_answers(folder: Path, line: AnswersMade) -> Outcomes:
    """The outcomes of an answers file, in the order of its rows."""
    return [orjson.loads(piece) for piece in (folder / line.answers).read_bytes().splitlines()]


def read_final_answers(folder: Path, state: RaceState) -> FinalAnswers | None:
    """The finalists' answers; None without finalists or without a row that all have scored."""
    metric = state.agreement.settings.metric
    runs = {
        arm: _runs(folder, state, arm, trials) for arm, trials in state.tested().items() if trials
    }
    if not runs:
        return None
    everything = [outcomes for found in runs.values() for outcomes, _ in found]
    asked = _asked(folder, state, everything[0])
    kept = [
        place
        for place in range(len(everything[0]))
        if all(found[place]["score"] is not None for found in (*everything, *asked.values()))
    ]
    if not kept:
        return None
    samples = {
        arm: [
            replace(_oriented([outcomes[place] for place in kept], metric), trainings=trainings)
            for outcomes, trainings in found
        ]
        for arm, found in runs.items()
    }
    trivial = _trivial([everything[0][place] for place in kept], metric)
    return FinalAnswers(
        samples,
        trivial,
        unscored=len(everything[0]) - len(kept),
        asked={
            arm: _oriented([found[place] for place in kept], metric) for arm, found in asked.items()
        },
    )


def _runs(
    folder: Path, state: RaceState, arm: str, trials: Sequence[Trial]
) -> list[tuple[Outcomes, int]]:
    """Outcomes on all tested rows with the number of trainings behind them.

    One for each seed; where every row is tested once, the folds laid end to end are one.
    """
    found = [read_answers(folder, state.answers[f"answers {arm} test {t.seed}"]) for t in trials]
    if state.agreement.folds:
        return [([row for outcomes in found for row in outcomes], len(found))]
    return [(outcomes, 1) for outcomes in found]


def _asked(folder: Path, state: RaceState, like: Outcomes) -> dict[str, Outcomes]:
    """Test outcomes of the untrained arms, in the order of the rows of others' outcomes."""
    found: dict[str, Outcomes] = {}
    for line in state.answers.values():
        if line.split != "test" or line.setup is None:
            continue
        by_row = {outcome["row_id"]: outcome for outcome in read_answers(folder, line)}
        found[line.arm] = [by_row[outcome["row_id"]] for outcome in like]
    return found


def _oriented(outcomes: Outcomes, metric: str) -> Sample:
    """A sample in which higher is better; bits per byte become their negative."""
    if metric != "bits_per_byte":
        return sample_of(outcomes, metric)
    per_row = [
        {"score": -(outcome["expected_bits"] or 0.0) / max(outcome["expected_bytes"], 1)}
        for outcome in outcomes
    ]
    return sample_of(per_row, metric)


def _trivial(outcomes: Outcomes, metric: str) -> Sample:
    """The answer that needs no model: the most common expected answer, said to every row."""
    if metric == "bits_per_byte":
        return sample_of([{"score": -NO_MODEL_BITS} for _ in outcomes], metric)
    common = Counter(outcome["gold"] for outcome in outcomes).most_common(1)[0][0]
    said = [
        {"score": float(outcome["gold"] == common), "gold": outcome["gold"], "said": common}
        for outcome in outcomes
    ]
    return sample_of(said, metric)
