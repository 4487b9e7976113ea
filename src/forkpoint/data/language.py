"""Which languages texts are in."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

LOOKED_AT_CHARACTERS = 400  # of a text; more does not change the answer
FEWEST_LETTERS = 4  # below, there is nothing to tell a language by
FEWEST_LATIN = 12  # of plain Latin letters, which all languages of the script share: two words
CHINESE = frozenset({"wuu", "yue", "hak", "gan", "lzh"})  # written Chinese, told as zh
_KANA = re.compile("[\u3040-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7af]")
_HAN = re.compile("[\u3400-\u9fff]")
UNDETERMINED = "und"


def language_shares(texts: Iterable[str]) -> dict[str, float]:
    """ISO 639 code -> share of texts, the most common first; `und` where nothing can be told."""
    import py3langid

    counts = Counter(_language(py3langid, text[:LOOKED_AT_CHARACTERS]) for text in texts)
    total = counts.total()
    return {code: count / total for code, count in counts.most_common()}


def _language(py3langid: Any, text: str) -> str:
    """Kana and Hangul settle it; Chinese topolects are not told apart; else by py3langid."""
    if not text.isascii():
        if _KANA.search(text):
            return "ja"
        if _HANGUL.search(text):
            return "ko"
        han = len(_HAN.findall(text))
        if han >= sum(c.isalpha() for c in text) / 2 and han:
            return "zh"
    fewest = FEWEST_LATIN if text.isascii() else FEWEST_LETTERS
    if sum(c.isalpha() for c in text) < fewest:
        return UNDETERMINED
    code = str(py3langid.classify(text)[0])
    return "zh" if code in CHINESE else code
