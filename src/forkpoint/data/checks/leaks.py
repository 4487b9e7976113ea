"""Questions of a test or a benchmark that stand in training rows.

A question has leaked into a row that asks the same, or that holds nearly all of its letters in
order anywhere: asked with other words around it, quoted in an answer, or inside raw text. The
same question with other numbers is another question. All rows of both sides are compared: letters
are hashed by the batch, and only runs that a held question has are looked at more closely.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from forkpoint.data.near import normalised
from forkpoint.data.row import Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

RUN_LETTERS = 12  # letters and digits of a run that is compared, two or three words
HAN_RUN_LETTERS = 5  # the same in Chinese characters
HELD_SHARE = 0.8  # of a question's runs that a row must hold
FEWEST_RUNS = 6  # of its own; a shorter question leaks only when the same is asked
TEMPLATE_HOLDERS = 8  # held questions that share a run: then it is the template's
KEPT_ONE_IN = 4  # runs compared, by their hash, where a question has many: a quarter says as much
MANY_RUNS = 64  # a question with fewer keeps them all
SHARED_SHARE, SHARED_ROWS = 0.05, 20  # a question in more held rows than both is an instruction
FILTER_BITS = 24  # slots of the table that most runs are turned away by; 16 MiB
MOST_LETTERS = 200_000  # of one text; what stands behind is not compared
BATCH_LETTERS = 2_000_000  # letters hashed at once

_EDGE = 1  # the code between two rows; no letter has it
_NUMBER = re.compile(r"\d+")


class Leak(NamedTuple):
    """A row that gives a held question away."""

    place: int  # of the row among those asked about
    held: int  # place of the held row


class HeldOut:
    """The questions that must not be trained on, ready to be looked for."""

    def __init__(self, rows: Sequence[Row]) -> None:
        import numpy as np

        self.rows = rows
        self.asked = [_asked(row) for row in rows]
        keys = [normalised(text) for text in self.asked]
        often = max(SHARED_SHARE * len(rows), SHARED_ROWS)
        shared = {key for key, count in Counter(keys).items() if count > often}
        self.keys: dict[str, int] = {}
        for place, key in enumerate(keys):
            if key and key not in shared:
                self.keys.setdefault(key, place)
        hashes, holders = _runs(self.asked)
        order = np.lexsort((holders, hashes))
        hashes, holders = hashes[order], holders[order]
        fresh = np.ones(len(hashes), dtype=bool)  # a run counts once a question
        fresh[1:] = (hashes[1:] != hashes[:-1]) | (holders[1:] != holders[:-1])
        hashes, holders = hashes[fresh], holders[fresh]
        many = np.bincount(holders, minlength=len(rows))[holders] > MANY_RUNS
        kept = ~many | (hashes % np.uint64(KEPT_ONE_IN) == 0)
        hashes, holders = hashes[kept], holders[kept]
        _, back, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        own = counts[back] <= TEMPLATE_HOLDERS
        self.hashes, self.holders = hashes[own], holders[own]
        self.sizes = np.bincount(self.holders, minlength=len(rows))
        self.filter = np.zeros(1 << FILTER_BITS, dtype=bool)
        self.filter[self.hashes >> np.uint64(64 - FILTER_BITS)] = True

    def leaks(self, rows: Sequence[Row]) -> Iterator[Leak]:
        """Each row that holds a held question, with the first such question."""
        found: dict[int, int] = {}
        for place, row in enumerate(rows):
            held = self.keys.get(normalised(_asked(row)))
            if held is not None:
                found[place] = held
        start, letters = 0, 0
        for place, row in enumerate(rows):
            letters += sum(len(t.content) for t in row.turns) + len(row.text or "")
            if letters >= BATCH_LETTERS or place == len(rows) - 1:
                for at, held in self._held_in(rows[start : place + 1]):
                    found.setdefault(start + at, held)
                start, letters = place + 1, 0
        for place in sorted(found):
            yield Leak(place, found[place])

    def _held_in(self, rows: Sequence[Row]) -> Iterator[tuple[int, int]]:
        """Places of rows with the held question most of whose runs they hold."""
        import numpy as np

        texts = [_all_text(row) for row in rows]
        hashes, places = _runs(texts)
        near = self.filter[hashes >> np.uint64(64 - FILTER_BITS)]
        hashes, places = hashes[near], places[near]
        left = np.searchsorted(self.hashes, hashes, "left")
        right = np.searchsorted(self.hashes, hashes, "right")
        many = right - left
        hit = np.repeat(np.arange(len(hashes)), many)
        step = np.arange(len(hit)) - np.repeat(np.cumsum(many) - many, many)
        entry = left[hit] + step
        once = np.unique(places[hit] * len(self.hashes) + entry)  # a run counts once a row
        at, entry = np.divmod(once, max(len(self.hashes), 1))
        both, counts = np.unique(at * len(self.rows) + self.holders[entry], return_counts=True)
        enough = counts >= HELD_SHARE * self.sizes[both % len(self.rows)]
        for key in both[enough].tolist():
            place, held = divmod(key, len(self.rows))
            if self.sizes[held] >= FEWEST_RUNS and _numbers_stand_in(
                self.asked[held], texts[place]
            ):
                yield place, held


def _asked(row: Row) -> str:
    """What a row asks: its users' turns, for a system prompt may differ; raw text itself."""
    if row.text is not None:
        return row.text
    return "\n".join([turn.content for turn in row.prompt if turn.role == "user"])


def _all_text(row: Row) -> str:
    if row.text is not None:
        return row.text
    return "\n".join([turn.content for turn in row.turns if turn.role != "system"])


def _numbers_stand_in(asked: str, text: str) -> bool:
    """Whether every number of a question stands in a text, as often as in the question."""
    return not Counter(_NUMBER.findall(asked)) - Counter(_NUMBER.findall(text))


@cache
def _letters() -> "NDArray[np.uint32]":
    """Code -> the letter it is compared as: lower case, of plain width; 0 for what is no letter."""
    import unicodedata

    import numpy as np

    table = np.zeros(1 << 16, dtype=np.uint32)
    for code in range(1 << 16):
        sign = chr(code)
        if sign.isalnum():
            plain = unicodedata.normalize("NFKC", sign).lower()
            table[code] = ord(plain) if len(plain) == 1 else code
    table[_EDGE] = _EDGE
    return table


def _runs(texts: Sequence[str]) -> "tuple[Hashes, NDArray[np.int64]]":
    """The hash of each run of letters in some texts, and the place of the text it stands in."""
    import numpy as np

    joined = chr(_EDGE).join(text[:MOST_LETTERS].replace("\x01", " ") for text in texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "replace"), dtype=np.uint32)
    table = _letters()
    letters = table[np.minimum(codes, len(table) - 1)]
    if (codes >= len(table)).any():
        letters = np.where(codes < len(table), letters, codes)
    letters = letters[letters != 0]
    if len(letters) < RUN_LETTERS:
        letters = np.concatenate([letters, np.full(RUN_LETTERS, _EDGE, dtype=np.uint32)])
    places = np.cumsum(letters == _EDGE)
    han = (letters >= 0x3400) & (letters <= 0x9FFF)
    one = (letters.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    two = _joined(one, one, 1)
    four = _joined(two, two, 2)
    eight = _joined(four, four, 4)
    long = _joined(eight, four, 8)
    count = len(long)
    short = _joined(four, one, 4)[:count] ^ np.uint64(0x5851F42D4C957F2D)
    hashes = np.where(han[:count], short, long)
    hashes ^= hashes >> np.uint64(31)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    return hashes, places[:count].astype(np.int64)


def _joined(left: "Hashes", right: "Hashes", offset: int) -> "Hashes":
    """The hash of each stretch and the one `offset` letters further, as one."""
    import numpy as np

    count = len(right) - offset
    joined: Hashes = left[:count] * np.uint64(0x100000001B3) + right[offset:]
    joined ^= joined >> np.uint64(29)
    return joined
