"""Quality x diversity: rows in the order of their scores, without what is too close to a kept one.

In the manner of DEITA [Liu and others 2024, arXiv 2312.15685]. Rows of equal score stand in an
order drawn from the seed, so that heuristics which find no fault leave a random choice.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from forkpoint.data.answers import AnswerTally
from forkpoint.data.language import language_shares
from forkpoint.data.near import asked_text
from forkpoint.data.row import Row
from forkpoint.measure.likelihood import SHORTEST_BYTES
from forkpoint.record import Record
from forkpoint.selecting.score_file import Scores
from forkpoint.selecting.score_record import Scorer
from forkpoint.selecting.vectors import CLOSE, Kind, Vectors, vectors

LANGUAGE_SHARE = 0.1  # of rows in a language for it to be a stratum; short texts are mistaken
SMALLEST_STRATUM = 5  # kept rows that a stratum must be worth, or languages are not told apart
OTHER = "*"  # rows of no stratum of their own

Why = Literal["copy", "fault", "close", "rank"]


class LeftOut(Record):
    """A row that was not kept, and why."""

    line: int
    row: str
    why: Why
    score: float | None = None
    faults: tuple[str, ...] = ()  # names of the heuristics that spoke against it
    other_line: int | None = None  # the kept row that it copies or is close to
    similarity: float | None = None


class Stratum(Record):
    """Rows that are kept in proportion."""

    name: str
    rows: int
    kept: int


class Selection(Record):
    """What is kept of a data file, and what is not."""

    asked: int
    kept_lines: tuple[int, ...]
    left_out: tuple[LeftOut, ...]
    by: tuple[Scorer, ...]
    seed: int
    strata: tuple[Stratum, ...]
    strata_reason: str  # catalogue key
    vectors: Kind | None  # None: closeness was not looked at
    vectors_reason: str = ""  # catalogue key
    close: float | None = None  # cosine from which a row is too close
    filled: int = 0  # rows kept although they are close to another, for want of others
    unscored: int = 0  # rows without a score by every scorer asked for
    notices: tuple[str, ...] = ()  # catalogue keys


def select(
    rows: Sequence[Row],
    scores: Scores,
    keep: int,
    *,
    by: tuple[Scorer, ...],
    seed: int = 0,
    diverse: bool = True,
) -> tuple[list[Row], Selection]:
    """The rows to keep, in the order of the file, and the account of all others."""
    unique, copies = _unique(rows)
    values = [_value(row, scores, by) for row in unique]
    unscored = sum(value is None for value in values)
    order = sorted(
        (place for place, value in enumerate(values) if value),
        key=lambda place: (-(values[place] or 0.0), _drawn(unique[place].id, seed)),
    )
    strata, strata_reason = _strata(unique, order, keep)
    tier = _tier(order, values, keep)
    quotas = _quotas(Counter(strata[place] for place in tier), min(keep, len(order)))
    shown = vectors([_text(row) for row in unique], _languages(unique)) if diverse else None
    kept, close_to, filled = _kept((tier, order[len(tier) :]), strata, quotas, shown)
    left = [
        *_left_out(unique, values, scores, set(kept), close_to),
        *(
            LeftOut(line=row.line, row=row.id, why="copy", other_line=first)
            for row, first in copies
        ),
    ]
    chosen = sorted((unique[place] for place in kept), key=lambda row: (row.file, row.line))
    counts = Counter(strata[place] for place in order)
    kept_counts = Counter(strata[place] for place in kept)
    selection = Selection(
        asked=keep,
        kept_lines=tuple(row.line for row in chosen),
        left_out=tuple(sorted(left, key=lambda one: one.line)),
        by=by,
        seed=seed,
        strata=tuple(
            Stratum(name=name, rows=count, kept=kept_counts[name])
            for name, count in sorted(counts.items())
        ),
        strata_reason=strata_reason,
        vectors=shown.kind if shown else None,
        vectors_reason=shown.reason if shown else "select.why_not_asked",
        close=CLOSE[shown.kind] if shown else None,
        filled=filled,
        unscored=unscored,
        notices=_notices(unique, by, len(chosen), keep),
    )
    return chosen, selection


def _tier(order: Sequence[int], values: Sequence[float | None], keep: int) -> list[int]:
    """The best rows: as many as are wanted, and all that score as the last of these does.

    Proportions are taken among them only, or a group of bad rows would claim its share.
    """
    if not order:
        return []
    last = values[order[min(keep, len(order)) - 1]] or 0.0
    return [place for place in order if (values[place] or 0.0) >= last]


def _unique(rows: Sequence[Row]) -> tuple[list[Row], list[tuple[Row, int]]]:
    """Rows by content, the first of each, and the copies with the line of the first."""
    first: dict[str, Row] = {}
    copies = []
    for row in rows:
        if row.id in first:
            copies.append((row, first[row.id].line))
        else:
            first[row.id] = row
    return list(first.values()), copies


def _value(row: Row, scores: Scores, by: Sequence[Scorer]) -> float | None:
    """The product of a row's scores; None when one of them is missing.

    A difficulty of 1 or more says that the instruction does not help: then it is worth nothing.
    """
    found = scores.get(row.id, {})
    product = 1.0
    for scorer in by:
        score = found.get(scorer)
        if score is None or score.value is None:
            return None
        product *= score.value if scorer != "ifd" or score.value < 1.0 else 0.0
    return product


def _text(row: Row) -> str:
    return f"{asked_text(row)}\n{row.answer}" if row.text is None else row.text


def _languages(rows: Sequence[Row]) -> dict[str, float]:
    step = max(1, len(rows) // 1_000)
    return language_shares(asked_text(row) for row in rows[::step])


def _strata(rows: Sequence[Row], order: Sequence[int], keep: int) -> tuple[list[str], str]:
    """The stratum of every row: its label, its language, or both; and why, as a catalogue key."""
    tally = AnswerTally()
    for row in rows:
        tally.add(row.answer)
    labels = tally.labels()
    by_label = [row.answer if row.answer in labels else OTHER for row in rows]
    languages = {
        code for code, share in _languages(rows).items()
        if share >= LANGUAGE_SHARE and code != "und"
    }  # fmt: skip
    if len(languages) < 2:
        return (
            (by_label, "select.strata_labels")
            if labels
            else ([""] * len(rows), "select.strata_none")
        )
    told = [next(iter(language_shares([asked_text(row)]))) for row in rows]
    by_language = [code if code in languages else OTHER for code in told]
    if not labels:
        return by_language, "select.strata_languages"
    both = [f"{label} / {code}" for label, code in zip(by_label, by_language, strict=True)]
    counts = Counter(both[place] for place in order)
    share = keep / max(1, len(order))
    if counts and min(counts.values()) * share >= SMALLEST_STRATUM:
        return both, "select.strata_both"
    return by_label, "select.strata_labels"


def _quotas(counts: Mapping[str, int], keep: int) -> dict[str, int]:
    """Rows to keep of each stratum: in proportion, by the largest remainders."""
    total = sum(counts.values())
    if not total:
        return {}
    exact = {name: keep * count / total for name, count in counts.items()}
    quotas = {name: int(value) for name, value in exact.items()}
    rest = sorted(exact, key=lambda name: (quotas[name] - exact[name], name))
    for name in rest[: keep - sum(quotas.values())]:
        quotas[name] += 1
    return quotas


def _kept(
    orders: tuple[Sequence[int], Sequence[int]],
    strata: Sequence[str],
    quotas: Mapping[str, int],
    shown: Vectors | None,
) -> tuple[list[int], dict[int, tuple[int, float]], int]:
    """Places that are kept; place -> the kept place it is close to; how many filled a quota.

    The best rows are looked at first; where they are too close to each other to fill a quota,
    the least close of them do, and only then come worse rows.
    """
    import numpy as np

    left = dict(quotas)
    kept: list[int] = []
    close_to: dict[int, tuple[int, float]] = {}
    count = len(strata)
    nearest_N = np.full(count, -1.0, dtype=np.float32)
    holder_N = np.full(count, -1)

    def take(place: int) -> None:
        kept.append(place)
        left[strata[place]] -= 1
        if shown is not None:
            cosine_N = shown.rows_N_D @ shown.rows_N_D[place]
            nearer_N = cosine_N > nearest_N
            nearest_N[nearer_N] = cosine_N[nearer_N]
            holder_N[nearer_N] = place

    for place in orders[0]:
        if left.get(strata[place], 0) <= 0:
            continue
        if shown is not None and nearest_N[place] >= CLOSE[shown.kind]:
            close_to[place] = int(holder_N[place]), float(nearest_N[place])
            continue
        take(place)
    filled = 0
    for place in sorted(close_to, key=lambda place: close_to[place][1]):
        if left[strata[place]] > 0:
            take(place)
            filled += 1
    for place in orders[1]:
        if left.get(strata[place], 0) > 0:
            take(place)
    for place in kept:
        close_to.pop(place, None)
    return kept, close_to, filled


def _left_out(
    rows: Sequence[Row],
    values: Sequence[float | None],
    scores: Scores,
    kept: set[int],
    close_to: Mapping[int, tuple[int, float]],
) -> list[LeftOut]:
    found = []
    for place, row in enumerate(rows):
        if place in kept:
            continue
        value = values[place]
        parts = scores.get(row.id, {}).get("heuristics")
        faults = tuple(sorted(parts.parts)) if parts else ()
        other, similarity = close_to.get(place, (None, None))
        why: Why = "rank"
        if other is not None:
            why = "close"
        elif not value or faults:
            why = "fault"
        found.append(
            LeftOut(
                line=row.line,
                row=row.id,
                why=why,
                score=value,
                faults=faults,
                other_line=rows[other].line if other is not None else None,
                similarity=similarity,
            )
        )
    return found


def _notices(rows: Sequence[Row], by: Sequence[Scorer], kept: int, asked: int) -> tuple[str, ...]:
    notices = []
    if kept < asked:
        notices.append("select.notice_fewer")
    if "ifd" in by:
        lengths = sorted(len(row.answer.encode("utf-8", "replace")) for row in rows)
        if lengths and lengths[len(lengths) // 2] < SHORTEST_BYTES:
            notices.append("select.notice_short_ifd")
    return tuple(notices)


def _drawn(name: str, seed: int) -> str:
    return hashlib.sha256(f"select:{seed}:{name}".encode()).hexdigest()
