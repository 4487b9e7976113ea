"""Rows that are practically the same as an earlier one."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from forkpoint.data.checks.flag import Flag, Labels, around
from forkpoint.data.near import LONG_ANSWER_BYTES, asked_text, near_pairs, ngrams, similarity
from forkpoint.data.row import Row

REWORDED_SIMILARITY = 0.7  # Jaccard of long answers to one question; one or two words are changed
MOST_COMPARED = 50  # earlier rows of one question that a row is compared with


def look(rows: Sequence[Row], labels: Labels) -> Iterator[Flag]:
    """Each row that has a near-duplicate before it, once; exact copies too."""
    earlier: dict[int, int] = {}
    for one, two in [*near_pairs(rows), *_same_letters(rows), *_reworded(rows)]:
        low, high = min(one, two), max(one, two)
        earlier[high] = min(low, earlier.get(high, low))
    for place in sorted(earlier):
        row = rows[place]
        text = row.turns[0].content if row.turns else row.answer
        yield Flag(place, around(text, 0, min(len(text), 40)), earlier[place])


def _letters(text: str) -> str:
    """Letters and digits only: rows that differ in blanks, stops and case are the same."""
    import unicodedata

    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return "".join(filter(str.isalnum, text)).casefold()


def _same_letters(rows: Sequence[Row]) -> Iterator[tuple[int, int]]:
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        key = _letters(asked_text(row)), _letters(row.answer)
        if any(key):
            places[key].append(place)
    for same in places.values():
        yield from pairwise(same)


def _reworded(rows: Sequence[Row]) -> Iterator[tuple[int, int]]:
    """Rows of one question whose long answers differ in a few words."""
    asked: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if row.turns and len(row.answer.encode("utf-8", "replace")) >= LONG_ANSWER_BYTES:
            asked[_letters(asked_text(row))].append(place)
    for places in asked.values():
        if len(places) < 2:
            continue
        answers = [ngrams(rows[place].answer) for place in places]
        for at, place in enumerate(places):
            for before in range(max(at - MOST_COMPARED, 0), at):
                if similarity(answers[before], answers[at]) >= REWORDED_SIMILARITY:
                    yield places[before], place
                    break
