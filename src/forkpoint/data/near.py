"""Near-duplicates: rows whose prompt and whose answer are practically the same.

Texts are compared by the Jaccard similarity of their character n-grams, which needs no word
boundaries and so works for Chinese. MinHash only proposes pairs; each is then checked exactly.

Short prompts of one template ("Where is Ann's lamp?", "Where is Bob's lamp?") are no duplicates,
not even under a long instruction that stands in every row. So prompts are compared three times:
whole, without the n-grams that most rows share, and without those that many share; the least
similarity counts. How similar prompts must be depends on the answers: a label is shared by
chance, a long text hardly ever.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from forkpoint.data.row import Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

NGRAM_CHARACTERS = 5  # as in the usual web-scale pipelines; 3 where the script is Chinese
HAN_NGRAM_CHARACTERS = 3  # about two words of Chinese
PROMPT_SIMILARITY = 0.9  # Jaccard; one changed word in a prompt of 60 characters stays below
LOOSE_PROMPT_SIMILARITY = 0.4  # Jaccard, where the answers are long and the same
ANSWER_SIMILARITY = 0.9  # Jaccard
LONG_ANSWER_BYTES = 80  # UTF-8; some 13 words or 27 Chinese characters are the same by no chance
TEMPLATE_SHARES = (0.5, 0.05)  # of rows; n-grams in more rows than this are template
TEMPLATE_ROWS = 10  # rows; below this many holders an n-gram is never template
TEMPLATE_SAMPLE_ROWS = 2_000  # rows looked at to find the template
BANDS, ROWS_PER_BAND = 16, 6  # finds 99.9 % of pairs at 0.9, 28 % at 0.6
MAX_BUCKET_PAIRS = 50  # neighbours compared in a bucket: more are chained one to the next
CACHED_ROWS = 4_096  # rows whose n-grams are held while pairs are compared
BORROWED = 0x9E3779B97F4A7C15  # added for each bin of distance; any odd number of 64 bits
_HAN = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_BLANK = re.compile(r"\s+")
_EDGES = ".?!~。？！～…,;:、，；： "  # what people end a sentence with, or leave out


def normalised(text: str) -> str:
    """Text as it is compared: width and case folded, blanks made one, no stops at its ends."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _BLANK.sub(" ", text).strip(_EDGES).casefold()


def asked_text(row: Row) -> str:
    """All that stands before the answer, as one text; raw text itself."""
    if row.text is not None:
        return row.text
    return "\x1e".join(turn.content for turn in row.prompt)


def ngrams(text: str) -> "Hashes":
    """The distinct hashes of a text's character n-grams, sorted; one for a shorter text."""
    import numpy as np

    text = normalised(text)
    size = HAN_NGRAM_CHARACTERS if _HAN.search(text) else NGRAM_CHARACTERS
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    codes = codes * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1)
    count = max(len(codes) - size + 1, 1)
    hashes = np.zeros(count, dtype=np.uint64)
    for offset in range(min(size, len(codes))):
        hashes = hashes * np.uint64(0x100000001B3) + codes[offset : offset + count]
    hashes ^= hashes >> np.uint64(29)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    hashes ^= hashes >> np.uint64(32)
    hashes.sort()
    first = np.ones(count, dtype=bool)
    np.not_equal(hashes[1:], hashes[:-1], out=first[1:])
    distinct: Hashes = hashes[first]
    return distinct


def similarity(left: "Hashes", right: "Hashes") -> float:
    """The Jaccard similarity of two sorted sets of hashes; 1 for two empty ones."""
    import numpy as np

    if not len(left) and not len(right):
        return 1.0
    shared = len(np.intersect1d(left, right, assume_unique=True))
    return shared / (len(left) + len(right) - shared)


def near_pairs(rows: Sequence[Row]) -> Iterator[tuple[int, int]]:
    """Pairs of places of rows that are near-duplicates, the smaller place first.

    Only signatures are held for all rows; n-grams are made anew for the pairs they propose.
    """
    if len(rows) < 2:
        return
    prompt_of = lru_cache(CACHED_ROWS)(lambda place: ngrams(asked_text(rows[place])))
    answer_of = lru_cache(CACHED_ROWS)(lambda place: ngrams(rows[place].answer))
    templates = _templates(prompt_of, len(rows))
    own = (_without(prompt_of(place), templates[-1]) for place in range(len(rows)))
    long = [p for p, row in enumerate(rows) if _is_long(row.answer)]
    alike = set(long)
    compared: set[tuple[int, int]] = set()
    for pair in chain(_candidates(own, range(len(rows))), _candidates(map(answer_of, long), long)):
        if pair in compared:
            continue
        compared.add(pair)
        one, two = pair
        if similarity(answer_of(one), answer_of(two)) < ANSWER_SIMILARITY:
            continue
        least = LOOSE_PROMPT_SIMILARITY if one in alike and two in alike else PROMPT_SIMILARITY
        left, right = prompt_of(one), prompt_of(two)
        if similarity(left, right) >= least and all(
            similarity(_without(left, t), _without(right, t)) >= least for t in templates
        ):
            yield pair


def _is_long(answer: str) -> bool:
    return len(answer.encode("utf-8", "replace")) >= LONG_ANSWER_BYTES


def _templates(prompt_of: "Callable[[int], Hashes]", rows: int) -> "list[Hashes]":
    """The n-grams that more than each of TEMPLATE_SHARES of the rows hold."""
    import numpy as np

    sample = [prompt_of(place) for place in range(0, rows, max(rows // TEMPLATE_SAMPLE_ROWS, 1))]
    values, counts = np.unique(np.concatenate(sample), return_counts=True)
    return [values[counts > max(s * len(sample), TEMPLATE_ROWS)] for s in TEMPLATE_SHARES]


def _without(hashes: "Hashes", template: "Hashes") -> "Hashes":
    """The n-grams that are the row's own; all of them when it has none of its own."""
    import numpy as np

    own: Hashes = np.setdiff1d(hashes, template, assume_unique=True)
    return own if len(own) else hashes


def _signature(hashes: "Hashes") -> "Hashes":
    """The MinHash signature of a set by one permutation (Shrivastava and Li, 2014).

    The hashes fall into bins and each bin's smallest is kept; an empty bin borrows from the next
    one that is not, marked by the distance. Ten times cheaper than a permutation for each.
    """
    import numpy as np

    every = np.arange(BANDS * ROWS_PER_BAND)
    places = (hashes % np.uint64(len(every))).astype(np.int64)
    smallest = np.zeros(len(every), dtype=np.uint64)
    filled = np.zeros(len(every), dtype=bool)
    smallest[places[::-1]] = hashes[::-1]  # the hashes come sorted, so the smallest stays
    filled[places] = True
    bins = np.flatnonzero(filled)
    lender = np.searchsorted(bins, every) % len(bins)
    distance = (bins[lender] - every) % len(every)
    signature: Hashes = smallest[bins[lender]] + distance.astype(np.uint64) * np.uint64(BORROWED)
    return signature


def _candidates(sets: "Iterable[Hashes]", places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pairs of places whose sets agree in a whole band of their signatures."""
    import numpy as np

    if not places:
        return
    signatures = np.empty((len(places), BANDS * ROWS_PER_BAND), dtype=np.uint64)
    for row, hashes in zip(signatures, sets, strict=True):
        row[:] = _signature(hashes)
    for band in range(BANDS):
        buckets: dict[bytes, list[int]] = {}
        part = np.ascontiguousarray(
            signatures[:, band * ROWS_PER_BAND : (band + 1) * ROWS_PER_BAND]
        )
        for place, row in zip(places, part, strict=True):
            buckets.setdefault(row.tobytes(), []).append(place)
        for bucket in buckets.values():
            for index, one in enumerate(bucket):
                for two in bucket[index + 1 : index + 1 + MAX_BUCKET_PAIRS]:
                    yield one, two
