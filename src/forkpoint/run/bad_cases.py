"""The answers of a race that went wrong, by what went wrong, with the training rows nearest."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forkpoint.errors import BadInput
from forkpoint.ledger import AnswersMade, SetupChosen, TrialScored
from forkpoint.record import Record
from forkpoint.run.answers import Answers, answers_of, answers_to_test
from forkpoint.run.folder import RunFolder
from forkpoint.run.outcome import BAD, Outcome, count_outcomes, expectations, outcome_of

NEAREST_ROWS = 3  # training rows shown with each bad case
NGRAMS = (2, 4)  # characters: words of Latin script and of Chinese alike
FEATURES = 200_000  # most n-grams kept; more brings nothing for prompts


class NearRow(Record):
    """A training row beside a bad case."""

    row_id: str
    file: str
    line: int
    similarity: float  # cosine of TF-IDF over character n-grams of the prompts, 0 to 1
    prompt: str
    answer: str


class BadCase(Record):
    """One answer that went wrong."""

    arm: str
    row_id: str
    file: str
    line: int
    outcome: Outcome
    score: float | None
    prompt: tuple[tuple[str, str], ...]  # role, text
    expected: str
    said: str
    nearest: tuple[NearRow, ...]


class ArmOutcomes(Record):
    """How one arm's answers ended."""

    arm: str
    n: int
    outcomes: dict[Outcome, int]


class BadCases(Record):
    """What went wrong in a race, on one split."""

    split: str
    arms: tuple[ArmOutcomes, ...]
    cases: tuple[BadCase, ...]


def bad_cases(run: RunFolder, arms: Sequence[str] = ()) -> BadCases:
    """Bad answers of these arms, or of all trained arms that answered; raises BadInput.

    Test answers where the test was opened, else each arm's best trial on validation.
    """
    split, every = _answers(run)
    if unknown := [arm for arm in arms if arm not in every]:
        raise BadInput("bad_cases.unknown_arm", arm=unknown[0], known=", ".join(every) or "-")
    if not every:
        raise BadInput("bad_cases.no_answers", folder=run.folder)
    chosen = list(arms) or [arm for arm in every if not run.agreement.is_untrained(arm)]
    expected = expectations(run)
    counts, found = [], []
    for arm in chosen:
        answers = every[arm]
        counts.append(
            ArmOutcomes(
                arm=arm,
                n=len(answers),
                outcomes=count_outcomes(list(answers.values()), expected),
            )
        )
        found += [
            (arm, row, answer, outcome)
            for row, answer in answers.items()
            if (outcome := outcome_of(answer, expected)) in BAD and row in run.rows
        ]
    found.sort(key=lambda case: (BAD.index(case[3]), case[0], case[2].get("score") or 0.0, case[1]))
    near = nearest_rows(run, sorted({row for _, row, _, _ in found}))
    cases = tuple(_case(run, *case, near[case[1]]) for case in found)
    return BadCases(split=split, arms=tuple(counts), cases=cases)


def nearest_rows(run: RunFolder, row_ids: Sequence[str]) -> dict[str, tuple[NearRow, ...]]:
    """For each row the training rows whose prompts are most alike."""
    train = [row for row in run.agreement.train_ids if row in run.rows]
    if not train or not row_ids:
        return dict.fromkeys(row_ids, ())
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(
        analyzer="char", ngram_range=NGRAMS, max_features=FEATURES, sublinear_tf=True
    )
    train_T_F = vectors.fit_transform([_prompt_text(run, row) or " " for row in train])
    found = {}
    for row in row_ids:
        likeness_T = (train_T_F @ vectors.transform([_prompt_text(run, row)]).T).toarray()[:, 0]
        best = np.argsort(-likeness_T, kind="stable")[:NEAREST_ROWS]
        found[row] = tuple(_near(run, train[place], float(likeness_T[place])) for place in best)
    return found


def data_file(cases: BadCases) -> list[dict[str, Any]]:
    """The bad cases as rows of a data file: the expected answer, to be corrected and fed back."""
    lines = []
    for case in cases.cases:
        messages = [{"role": role, "content": text} for role, text in case.prompt]
        lines.append(
            {
                "messages": [*messages, {"role": "assistant", "content": case.expected}],
                "went_wrong": case.outcome,
                "arm": case.arm,
                "said": case.said,
                "source": f"{Path(case.file).name}:{case.line}",
                "nearest_training_rows": "; ".join(
                    f"{Path(row.file).name}:{row.line} ({row.similarity:.2f})"
                    for row in case.nearest
                ),
            }
        )
    return lines


def _answers(run: RunFolder) -> tuple[str, dict[str, Answers]]:
    if tests := answers_to_test(run):
        return "test", tests
    scored = [
        line for line in run.lines
        if isinstance(line, TrialScored) and line.primary.value is not None
    ]  # fmt: skip
    higher = all(line.primary.better == "higher" for line in scored)
    best = sorted(scored, key=lambda line: line.primary.value or 0.0, reverse=higher)
    made = [x for x in run.lines if isinstance(x, AnswersMade) and x.split == "validation"]
    asked = {(x.arm, x.setup) for x in run.lines if isinstance(x, SetupChosen)}
    before = [x for x in made if x.setup is None or (x.arm, x.setup) in asked]
    return "validation", answers_of(run, [*best, *before])


def _case(
    run: RunFolder, arm: str, row_id: str, answer: dict[str, Any], outcome: Outcome,
    nearest: tuple[NearRow, ...],
) -> BadCase:  # fmt: skip
    row = run.rows[row_id]
    turns = _turns(run, row_id)
    return BadCase(
        arm=arm,
        row_id=row_id,
        file=str(row.get("file", "")),
        line=int(row.get("line") or 0),
        outcome=outcome,
        score=answer.get("score"),
        prompt=tuple(turns[:-1]),
        expected=turns[-1][1] if turns else str(answer.get("gold") or ""),
        said=str(answer.get("text") or ""),
        nearest=nearest,
    )


def _near(run: RunFolder, row_id: str, similarity: float) -> NearRow:
    row, turns = run.rows[row_id], _turns(run, row_id)
    return NearRow(
        row_id=row_id,
        file=str(row.get("file", "")),
        line=int(row.get("line") or 0),
        similarity=min(1.0, similarity),
        prompt=_prompt_text(run, row_id),
        answer=turns[-1][1] if turns else str(row.get("text") or ""),
    )


def _turns(run: RunFolder, row_id: str) -> list[tuple[str, str]]:
    turns = run.rows[row_id].get("turns") or []
    return [(str(turn.get("role", "")), str(turn.get("content", ""))) for turn in turns]


def _prompt_text(run: RunFolder, row_id: str) -> str:
    """What stands before the answer, system turns left out: they are the same in all rows."""
    return "\n".join(text for role, text in _turns(run, row_id)[:-1] if role != "system")
