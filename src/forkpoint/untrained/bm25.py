"""BM25: which of many texts are nearest to a question, by the words they share."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

K1 = 1.2  # how soon a repeated word stops counting [Robertson and Zaragoza 2009]
B = 0.75  # how much long texts are held back [the same]
GRAMS = (1, 2)  # characters of a run of Chinese or Japanese: a character and about a word
_HAN = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_PIECE = re.compile(rf"([{_HAN}]+)|([^\W_{_HAN}]+)")


def terms(text: str) -> list[str]:
    """The words of a text in one case and width; of Chinese the n-grams of characters.

    >>> terms("Reset the ROUTER, 重启机器")
    ['reset', 'the', 'router', '重', '启', '机', '器', '重启', '启机', '机器']
    """
    found: list[str] = []
    for piece in _PIECE.finditer(unicodedata.normalize("NFKC", text).casefold()):
        if word := piece[2]:
            found.append(word)
            continue
        for size in GRAMS:
            found += [piece[1][at : at + size] for at in range(len(piece[1]) - size + 1)]
    return found


class Bm25:
    """An index over texts; equal scores keep the order of the texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        counted = [Counter(terms(text)) for text in texts]
        self._lengths = [sum(counts.values()) for counts in counted]
        self._mean = sum(self._lengths) / max(1, len(texts)) or 1.0
        self._postings: dict[str, list[tuple[int, int]]] = {}
        for place, counts in enumerate(counted):
            for term, count in counts.items():
                self._postings.setdefault(term, []).append((place, count))

    def rarity(self, term: str) -> float:
        """The weight of a term: ln(1 + (N - n + 1/2) / (n + 1/2)), never below 0."""
        held = len(self._postings.get(term, ()))
        return math.log(1 + (len(self._lengths) - held + 0.5) / (held + 0.5))

    def scores(self, question: str) -> dict[int, float]:
        """Place of a text -> its score, for the texts that share a term with the question."""
        found: dict[int, float] = {}
        for term in dict.fromkeys(terms(question)):
            weight = self.rarity(term)
            for place, count in self._postings.get(term, ()):
                long = 1 - B + B * self._lengths[place] / self._mean
                gain = weight * count * (K1 + 1) / (count + K1 * long)
                found[place] = found.get(place, 0.0) + gain
        return found

    def nearest(self, question: str, count: int) -> list[int]:
        """Places of the `count` nearest texts, nearest first; fewer where fewer share a term."""
        scores = self.scores(question)
        return sorted(scores, key=lambda place: (-scores[place], place))[:count]
