"""One training of a checkpoint on given rows, scored on clean rows; used by three studies."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forkpoint import facts
from forkpoint.data.row import Row
from forkpoint.ledger import RungPlan
from forkpoint.measure.arm import AnswerLimits, ScoringRow, score_arm
from forkpoint.models.rendering import Rendered, Renderer, choose_renderings
from forkpoint.models.weights import load_tokenizer
from forkpoint.race.diet import fed_steps
from forkpoint.race.trial_child import rows_to_train
from forkpoint.train.approach import approach
from forkpoint.train.fine_tune import fine_tune
from forkpoint.train.job import ApproachSettings, TrainJob

MODEL = "pocket-instruct"
RATE = 3e-3
STEPS, ROWS_PER_STEP = 200, 8
ANSWER_TOKENS = 24


class Trainer:
    """A checkpoint with its tokenizer, ready to be trained again and again."""

    def __init__(
        self, name: str = MODEL, kind: str = "full", rate: float = RATE, steps: int = STEPS
    ) -> None:
        self.kind, self.rate, self.steps = kind, rate, steps
        found = facts.read_checkpoint(name)
        self.path = str(found.path)
        self.tokenizer = load_tokenizer(self.path)
        self.renderer = Renderer(self.tokenizer, choose_renderings(found)[0])

    def rendered(self, row: Row) -> Rendered:
        """A row as tokens; raises TypeError for one that cannot be used."""
        found = self.renderer.row(row)
        if not isinstance(found, Rendered):
            raise TypeError(f"line {row.line}: {found.reason}")
        return found

    def train(
        self, rows: Sequence[Row], replay_rows: Sequence[Row], replay: float, seed: int, folder: str
    ) -> Any:
        """The model after its steps on the rows, as a race would feed them."""
        every = {row.id: row for row in (*rows, *replay_rows)}
        visits = self.steps * ROWS_PER_STEP
        rung = RungPlan(
            index=1, unique_rows=min(len(rows), visits), passes=visits / len(rows),
            steps=self.steps, share=1.0,
        )  # fmt: skip
        steps = fed_steps(
            [row.id for row in rows], [row.id for row in replay_rows], replay, rung,
            ROWS_PER_STEP, seed,
        )  # fmt: skip
        place: dict[str, int] = {}
        for key in (key for step in steps for key in step):
            place.setdefault(key, len(place))
        told = {key: self.rendered(every[key]) for key in place}
        general = frozenset(row.id for row in replay_rows)
        fine_tune(
            TrainJob(
                checkpoint=self.path,
                approach=self.kind,
                settings=ApproachSettings(),
                rows=rows_to_train(told, general),
                steps=tuple(tuple(place[key] for key in step) for step in steps),
                rate=self.rate,
                warmup_steps=self.steps // 10,
                seed=seed,
                end_ids=self.renderer.end_ids,
                folder=folder,
            )
        )
        return approach(self.kind).load_for_answers(
            self.path, folder, dtype="float32", device="cpu"
        )

    def macro_f1(self, model: Any, rows: Sequence[Row]) -> float:
        """The score of a model's answers."""
        scoring = [ScoringRow(row, self.rendered(row)) for row in rows]
        limits = AnswerLimits(stop_ids=self.renderer.end_ids, max_new_tokens=ANSWER_TOKENS)
        found = score_arm(model, self.tokenizer, scoring, "macro_f1", limits)
        return float(found.primary.value or 0.0)

    def score(self, rows: Sequence[Row], test: Sequence[Row], seed: int) -> float:
        """Train on rows, answer the test rows."""
        with tempfile.TemporaryDirectory() as scratch:
            model = self.train(rows, (), 0.0, seed, str(Path(scratch) / "weights"))
            return self.macro_f1(model, test)


def paired(differences: Sequence[float]) -> tuple[float, float, float]:
    """Mean of paired differences with its 95 % interval by Student's t over seeds."""
    from scipy.stats import t

    n = len(differences)
    mean = sum(differences) / n
    if n < 2:
        return mean, float("-inf"), float("inf")
    spread = (sum((d - mean) ** 2 for d in differences) / (n - 1) / n) ** 0.5
    half = float(t.ppf(0.975, n - 1)) * spread
    return mean, mean - half, mean + half
