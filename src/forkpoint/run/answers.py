"""The answers that a race left in its folder, by arm and row."""

from collections.abc import Iterable
from typing import Any

from forkpoint.ledger import AnswersMade, TrialScored
from forkpoint.run.folder import RunFolder

Answers = dict[str, dict[str, Any]]  # row id -> one line of an answers file


def answers_of(run: RunFolder, lines: Iterable[AnswersMade | TrialScored]) -> dict[str, Answers]:
    """Arm -> its answers, each row once; the first line of an arm counts, so the first seed.

    Where every row is tested once, the answers of an arm's folds are put together.
    """
    found: dict[str, Answers] = {}
    seeds: dict[str, int | None] = {}
    for line in lines:
        arm = line.arm if isinstance(line, AnswersMade) else line.trial.arm
        split = line.split if isinstance(line, AnswersMade) else "validation"
        seed = line.trial.seed if line.trial else None
        if arm in found and (isinstance(line, TrialScored) or seeds[arm] != seed):
            continue
        rows = found.get(arm, {})
        for answer in run.answers(line.answers):
            if answer.get("split", split) == split and "row_id" in answer:
                rows.setdefault(str(answer["row_id"]), answer)
        if rows:
            found[arm] = rows
            seeds.setdefault(arm, seed)
    return found


def answers_to_test(run: RunFolder) -> dict[str, Answers]:
    """Subject -> its answers on the test rows: finalists and untrained arms."""
    made = [line for line in run.lines if isinstance(line, AnswersMade) and line.split == "test"]
    return answers_of(run, made)
