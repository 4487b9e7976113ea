"""From the answer files of a run folder: rows side by side, bad cases, counts, masks."""

from collections.abc import Iterable, Mapping
from statistics import pvariance
from typing import Any

from forkpoint.report.view_record import (
    AnswerCounts,
    AnswerGroup,
    AnswerView,
    Excerpt,
    MaskView,
    RowView,
)
from forkpoint.report.visible import bounded
from forkpoint.run.answers import Answers
from forkpoint.run.folder import RunFolder
from forkpoint.run.outcome import BAD, Expectations, count_outcomes, outcome_of

ROWS_APART = 6  # rows shown side by side because the arms differ most on them
ROWS_ALIKE = 2  # and further rows, by row id, as they come
BAD_PER_GROUP = 4  # bad cases shown of each group
PROMPT_CHARACTERS = 1_200
ANSWER_CHARACTERS = 400


def excerpt(text: Any, longest: int = ANSWER_CHARACTERS) -> Excerpt:
    """A bounded piece of text."""
    kept, more = bounded("" if text is None else str(text), longest)
    return Excerpt(text=kept, more_characters=more)


def counts_of(arm: str, split: str, answers: Answers, expected: Expectations) -> AnswerCounts:
    """How many answers of an arm fall into each group."""
    groups = count_outcomes(list(answers.values()), expected)
    return AnswerCounts(arm=arm, split=split, n=len(answers), groups=groups)


def side_by_side(
    run: RunFolder, arms: Mapping[str, Answers], split: str, expected: Expectations
) -> tuple[RowView, ...]:
    """Rows that all arms answered: where they differ most, then some as they come."""
    if not arms:
        return ()
    shared = set.intersection(*(set(answers) for answers in arms.values()))
    spread = {row: _spread(answers[row] for answers in arms.values()) for row in shared}
    apart = [row for row in sorted(shared, key=lambda row: (-spread[row], row)) if spread[row] > 0]
    rest = [row for row in sorted(shared) if row not in apart[:ROWS_APART]]
    chosen = [*apart[:ROWS_APART], *rest[:ROWS_ALIKE]]
    return tuple(row_view(run, row, split, arms, expected) for row in chosen)


def _spread(answers: Iterable[Mapping[str, Any]]) -> float:
    scores = [float(answer.get("score") or 0.0) for answer in answers]
    return pvariance(scores)


def bad_cases(
    run: RunFolder, arm: str, answers: Answers, split: str, expected: Expectations
) -> tuple[RowView, ...]:
    """The worst answers of an arm, a few of each group, lowest score first."""
    groups: dict[AnswerGroup, list[str]] = {group: [] for group in BAD}
    ordered = sorted(answers, key=lambda row: (float(answers[row].get("score") or 0.0), row))
    for row in ordered:
        group = outcome_of(answers[row], expected)
        if group in groups:
            groups[group].append(row)
    return tuple(
        row_view(run, row, split, {arm: answers}, expected)
        for rows in groups.values()
        for row in rows[:BAD_PER_GROUP]
    )


def row_view(
    run: RunFolder,
    row_id: str,
    split: str,
    arms: Mapping[str, Answers],
    expected: Expectations,
) -> RowView:
    """One row with what each arm answered."""
    row = run.rows.get(row_id, {})
    turns = list(row.get("turns") or [])
    first = next(iter(arms.values()))[row_id]
    return RowView(
        row_id=row_id,
        file=str(row.get("file", "")),
        line=int(row.get("line") or 0),
        split=split,
        prompt=tuple(
            (str(turn.get("role", "")), excerpt(turn.get("content"), PROMPT_CHARACTERS))
            for turn in turns[:-1]
        ),
        gold=excerpt(turns[-1].get("content") if turns else first.get("gold")),
        answers=tuple(_answer(arm, answers[row_id], expected) for arm, answers in arms.items()),
    )


def _answer(arm: str, answer: Mapping[str, Any], expected: Expectations) -> AnswerView:
    return AnswerView(
        arm=arm,
        text=excerpt(answer.get("text")),
        group=outcome_of(answer, expected),
        score=answer.get("score"),
        stopped=answer.get("stopped") is not False,
        tokens=answer.get("tokens"),
    )


def masks_of(run: RunFolder) -> tuple[MaskView, ...]:
    """The decoded masks that the race kept, in the order of its arms."""
    known = [arm.name for arm in run.agreement.arms if arm.name in run.masks]
    return tuple(
        MaskView(
            arm=arm,
            row_id=str(mask.get("row_id", "")),
            pieces=tuple(
                (excerpt(piece.get("text"), PROMPT_CHARACTERS), bool(piece.get("trained")))
                for piece in mask.get("pieces", ())
            ),
        )
        for arm in known
        for mask in run.masks[arm]
    )
