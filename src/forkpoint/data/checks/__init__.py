"""Content checks: one file a check, each a pure function of the rows."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from forkpoint.data.checks import (
    contradictions,
    cut_offs,
    echoes,
    empty_answers,
    label_imbalance,
    length_outliers,
    near_duplicates,
    private,
    refusals,
    template_tokens,
    wrong_language,
)
from forkpoint.data.checks.flag import Flag, Labels, Look, around, question
from forkpoint.data.checks.leaks import HeldOut, Leak
from forkpoint.data.checks.private import masked
from forkpoint.data.profile_record import CheckName, ContentCheck, FlaggedRow
from forkpoint.data.row import Row

CHECKS: Mapping[CheckName, Look] = {
    "near_duplicates": near_duplicates.look,
    "contradictions": contradictions.look,
    "empty_answers": empty_answers.look,
    "echoes": echoes.look,
    "refusals": refusals.look,
    "cut_offs": cut_offs.look,
    "wrong_language": wrong_language.look,
    "template_tokens": template_tokens.look,
    "private": private.look,
    "length_outliers": length_outliers.look,
    "label_imbalance": label_imbalance.look,
}
WITHIN_SAMPLE: frozenset[CheckName] = frozenset(("near_duplicates", "contradictions"))
EXAMPLES_KEPT = 20  # rows named with a quote
LINES_KEPT = 1_000  # rows named by their line
Z = 1.96  # standard errors to either side of a 95 % interval

OnCheck = Callable[[CheckName], None]  # is told which check begins


def checked_rows(
    rows: Sequence[Row],
    labels: Labels,
    *,
    all_rows: int,
    on_check: OnCheck = lambda _: None,
) -> tuple[ContentCheck, ...]:
    """What every check finds in these rows, which may be a sample of `all_rows`."""
    found = []
    for name, look in CHECKS.items():
        on_check(name)
        if name == "label_imbalance" and not labels:
            found.append(ContentCheck(check=name, skipped="data.check_skipped_labels"))
            continue
        flags = sorted(look(rows, labels), key=lambda flag: flag.place)
        found.append(as_check(name, flags, rows, all_rows=all_rows))
    return tuple(found)


def as_check(
    name: CheckName, flags: Sequence[Flag], rows: Sequence[Row], *, all_rows: int
) -> ContentCheck:
    """The flags of one check as a record: count, n, interval where sampled, examples."""
    n = len(rows)
    sampled = n < all_rows
    low, high = wilson(len(flags) / max(n, 1), n) if sampled else (None, None)
    return ContentCheck(
        check=name, count=len(flags), n=n, sampled=sampled, low=low, high=high,
        at_least=sampled and name in WITHIN_SAMPLE,
        kinds=dict(Counter(flag.kind for flag in flags if flag.kind).most_common()),
        examples=tuple(_flagged(flag, rows) for flag in flags[:EXAMPLES_KEPT]),
        lines=tuple(rows[flag.place].line for flag in flags[:LINES_KEPT]),
    )  # fmt: skip


def leaks_check(name: CheckName, found: Sequence[tuple[Row, Row]], all_rows: int) -> ContentCheck:
    """Rows with the held row whose question they give away, as a record; never a sample."""
    return ContentCheck(
        check=name, count=len(found), n=all_rows,
        examples=tuple(
            FlaggedRow(file=row.file, line=row.line, other_file=held.file, other_line=held.line,
                       quote=masked(around(question(row) or row.answer, 0, 40)))
            for row, held in found[:EXAMPLES_KEPT]
        ),
        lines=tuple(row.line for row, _ in found[:LINES_KEPT]),
    )  # fmt: skip


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share among n rows."""
    middle = share + Z * Z / (2 * n)
    half = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    scale = 1 + Z * Z / n
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def _flagged(flag: Flag, rows: Sequence[Row]) -> FlaggedRow:
    row = rows[flag.place]
    other = None if flag.other is None else rows[flag.other]
    return FlaggedRow(
        file=row.file,
        line=row.line,
        quote=masked(flag.quote),
        kind=flag.kind,
        other_file=other.file if other else "",
        other_line=other.line if other else None,
    )


__all__ = [
    "CHECKS", "EXAMPLES_KEPT", "LINES_KEPT", "Flag", "HeldOut", "Labels", "Leak", "Look",
    "OnCheck", "as_check", "checked_rows", "leaks_check", "masked", "wilson",
]  # fmt: skip
