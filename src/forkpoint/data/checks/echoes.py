"""Answers that only say the question again.

The whole question must stand in the answer, its first and last words too, and hardly anything
else: an answer that repeats only the material (a corrected sentence, say) is no echo.
"""

from collections.abc import Iterator, Sequence

from forkpoint.data.checks.flag import Flag, Labels, around, question
from forkpoint.data.near import normalised
from forkpoint.data.row import Row

FEWEST_BYTES = 16  # UTF-8 bytes of what is said; "good morning" is answered by the same
FEWEST_ASKED_BYTES = 10  # the same where it ends in a question mark, which no answer should
ADDED_SHARE = 0.25  # of the question's length, that an echo may hold beside it ...
ADDED_CHARACTERS = 24  # ... or so many characters ("The question was: ...")
ADDED_HAN = 8  # ... the same in Chinese characters
REPEATS = 4  # times that an echo may say the question
CUT_SHARE = 0.7  # of a question that an answer which is its beginning must hold


def look(rows: Sequence[Row], labels: Labels) -> Iterator[Flag]:
    """Rows whose answer is their question."""
    for place, row in enumerate(rows):
        asked = question(row)
        answer = row.answer
        if len(answer) > REPEATS * len(asked) + ADDED_CHARACTERS or 2 * len(answer) < len(asked):
            continue
        asks = asked.rstrip().endswith(("?", "？"))
        least = FEWEST_ASKED_BYTES if asks else FEWEST_BYTES
        if answer not in labels and _echoes(_bare(asked), _bare(answer), least):
            yield Flag(place, around(answer, 0, len(answer)))


def _bare(text: str) -> str:
    """Letters and digits only, case and width folded: what punctuation cannot hide."""
    return "".join(c for c in normalised(text) if c.isalnum())


def _echoes(asked: str, answer: str, least_bytes: int) -> bool:
    if len(asked.encode("utf-8", "replace")) < least_bytes:
        return False
    added = max(ADDED_SHARE * len(asked), ADDED_CHARACTERS if asked.isascii() else ADDED_HAN)
    if answer.count(asked):  # once with a few words, or again and again with nothing else
        rest = len(answer) - answer.count(asked) * len(asked)
        return rest <= added
    return asked.startswith(answer) and len(answer) >= CUT_SHARE * len(asked)
