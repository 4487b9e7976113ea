"""Near-duplicates: rows whose prompt and whose answer are practically the same.

Texts are compared by the Jaccard similarity of their character n-grams, which needs no word
boundaries and so works for Chinese. MinHash only proposes pairs; each is then checked exactly.
N-grams that many rows share are the data set's own template (an instruction that stands in
every row), not what a row says, so they do not count.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from forkpoint.data.row import Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

NGRAM_CHARACTERS = 5  # as in the usual web-scale pipelines; 3 where the script is Chinese
HAN_NGRAM_CHARACTERS = 3  # about two words of Chinese
PROMPT_SIMILARITY = 0.9  # Jaccard; one changed word in a prompt of 60 characters stays below
ANSWER_SIMILARITY = 0.8  # Jaccard
TEMPLATE_SHARE = 0.05  # of rows; n-grams in more rows than this are template
TEMPLATE_ROWS = 10  # rows; below this many holders an n-gram is never template
TEMPLATE_SAMPLE_ROWS = 2_000  # rows looked at to find the template
BANDS, ROWS_PER_BAND = 16, 6  # finds 99.9 % of pairs at 0.9, 28 % at 0.6
MAX_BUCKET_PAIRS = 50  # neighbours compared in a bucket: more are chained one to the next
HASH_SEED = 20_240_501
_HAN = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_BLANK = re.compile(r"\s+")


def normalised(text: str) -> str:
    """Text as it is compared: width and case folded, blanks made one."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _BLANK.sub(" ", text).strip().casefold()


def prompt_text(row: Row) -> str:
    """All that stands before the answer, as one text; empty for raw text."""
    return "\x1e".join(f"{turn.role}: {turn.content}" for turn in row.prompt)


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
    return np.unique(hashes)


def similarity(left: "Hashes", right: "Hashes") -> float:
    """The Jaccard similarity of two sorted sets of hashes; 1 for two empty ones."""
    import numpy as np

    if not len(left) and not len(right):
        return 1.0
    shared = len(np.intersect1d(left, right, assume_unique=True))
    return shared / (len(left) + len(right) - shared)


def near_pairs(rows: Sequence[Row]) -> Iterator[tuple[int, int]]:
    """Pairs of places of rows that are near-duplicates, the smaller place first."""
    import numpy as np

    sides = [(ngrams(prompt_text(row) or row.answer), ngrams(row.answer)) for row in rows]
    template = _template([prompt for prompt, _ in sides])
    own = [_without(prompt, template) for prompt, _ in sides]
    signatures = np.stack([_signature(prompt) for prompt in own]) if rows else np.empty((0, 0))
    compared: set[tuple[int, int]] = set()
    for pair in _candidates(signatures):
        if pair in compared:
            continue
        compared.add(pair)
        one, two = pair
        if (
            similarity(own[one], own[two]) >= PROMPT_SIMILARITY
            and similarity(sides[one][1], sides[two][1]) >= ANSWER_SIMILARITY
        ):
            yield pair


def _template(prompts: "list[Hashes]") -> "Hashes":
    """The n-grams that more than TEMPLATE_SHARE of the rows hold."""
    import numpy as np

    step = max(len(prompts) // TEMPLATE_SAMPLE_ROWS, 1)
    sample = prompts[::step]
    if not sample:
        return np.empty(0, dtype=np.uint64)
    values, counts = np.unique(np.concatenate(sample), return_counts=True)
    common: Hashes = values[counts > max(TEMPLATE_SHARE * len(sample), TEMPLATE_ROWS)]
    return common


def _without(hashes: "Hashes", template: "Hashes") -> "Hashes":
    """The n-grams that are the row's own; all of them when it has none of its own."""
    import numpy as np

    own: Hashes = np.setdiff1d(hashes, template, assume_unique=True)
    return own if len(own) else hashes


def _signature(hashes: "Hashes") -> "Hashes":
    """The MinHash signature: for each random function the smallest hash of the set."""
    multipliers, shifts = _functions()
    signature: Hashes = (hashes[None, :] * multipliers + shifts).min(axis=1)
    return signature


@cache
def _functions() -> "tuple[Hashes, Hashes]":
    import numpy as np

    draw = np.random.default_rng(HASH_SEED)
    shape = (BANDS * ROWS_PER_BAND, 1)
    odd = draw.integers(0, 1 << 63, shape, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    return odd, draw.integers(0, 1 << 63, shape, dtype=np.uint64)


def _candidates(signatures: "NDArray[Any]") -> Iterator[tuple[int, int]]:
    """Pairs that agree in a whole band of their signatures."""
    for band in range(BANDS):
        buckets: dict[bytes, list[int]] = {}
        part = signatures[:, band * ROWS_PER_BAND : (band + 1) * ROWS_PER_BAND]
        for place, row in enumerate(part):
            buckets.setdefault(row.tobytes(), []).append(place)
        for bucket in buckets.values():
            for index, one in enumerate(bucket):
                for two in bucket[index + 1 : index + 1 + MAX_BUCKET_PAIRS]:
                    yield one, two
