"""Answers in another language than the question, where nothing asks for it.

A pair of languages that many rows share is a task (Chinese mails, English labels), as is any
question that names a language, asks for a translation, or holds text in the answer's language.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from forkpoint.data.checks.flag import Flag, Labels, around, question, without_code
from forkpoint.data.row import Row

TASK_SHARE = 0.2  # of rows with one pair of languages: that is what is asked for
LATIN_LETTERS = 40  # letters from which a language in Latin script can be told, about 7 words
OTHER_LETTERS = 5  # letters of other scripts that make a text theirs
LOOKED_AT_CHARACTERS = 600  # of a text; more does not change the answer
HELD_LETTERS = 12  # Latin letters of the answer's language in the question: it brings that language
UNLIKELY = 0.05  # probability below which a short question is not in a language
SURE = 0.95  # probability by py3langid; sentences of 30 letters reach .99, lists of names .5
LATIN_QUESTION_LETTERS = 10  # letters that make a question Latin, in whatever language
LATIN = "latin"  # a text in Latin script whose language cannot be told
LATIN_LANGUAGES = "en fr de es it pt nl pl sv da fi cs ro hu tr vi id".split()  # noqa: SIM905

_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")), ("ko", re.compile("[\uac00-\ud7af]")),
    ("zh", re.compile("[\u3400-\u9fff]")), ("ru", re.compile("[\u0400-\u04ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")), ("el", re.compile("[\u0370-\u03ff]")),
    ("he", re.compile("[\u0590-\u05ff]")), ("th", re.compile("[\u0e00-\u0e7f]")),
    ("hi", re.compile("[\u0900-\u097f]")),
)  # fmt: skip
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_NAMES_LANGUAGE = re.compile(
    r"translat|traduc|tradui|übersetz|перевед|翻译|译[成为文]|訳|번역|bilingual|\blanguage|pinyin|idiom|"
    r"\b(?:english|chinese|mandarin|french|german|spanish|italian|portuguese|japanese|korean|"
    r"russian|arabic|latin|dutch|polish|turkish|hindi|greek|hebrew|thai|vietnamese|swedish|danish|"
    r"anglais|chinois|français|deutsch|englisch|chinesisch|inglés|español|chino)\b|"
    r"英[语文]|中文|汉语|法[语文]|德[语文]|西班牙[语文]|日[语文]|韩[语文]|俄[语文]|外语|语言|双语|英译|汉译|拼音|"
    r"代码|编程|函数|程序|脚本|\bcode\b|python|java|sql|html|regex|正则|提示词|缩写|单词|词汇|歌词",
    re.IGNORECASE,
)
_LOOSE = re.compile(r"https?://\S+|\S+@\S+|\$[^$\n]+\$|\\[a-z]+|[A-Za-z_]+\(|<[^>]{1,80}>")


def look(rows: Sequence[Row], labels: Labels) -> Iterator[Flag]:
    """Rows whose answer is in a language that the question neither is in nor asks for."""
    clashes = []
    pairs: Counter[tuple[str, str]] = Counter()
    for place, row in enumerate(rows):
        if row.text is not None or row.answer in labels:
            continue
        told = language_told(row.answer)
        if told in ("", LATIN):
            continue
        asked = language_told(question(row), LATIN_QUESTION_LETTERS)
        if asked == LATIN and told in LATIN_LANGUAGES and _could_be(question(row), told):
            continue
        if asked and asked != told:
            pairs[asked, told] += 1
            if not _may_answer_in(row, told):
                clashes.append((place, (asked, told)))
    for place, pair in clashes:
        if pairs[pair] <= TASK_SHARE * len(rows):
            answer = rows[place].answer
            shown = around(answer, 0, min(len(answer), 40))
            yield Flag(place, f"{pair[0]} → {pair[1]}: {shown}")


def language_told(text: str, latin_letters: int = LATIN_LETTERS) -> str:
    """The language of a text, LATIN where only its script can be told, "" where nothing can."""
    bare = _LOOSE.sub(" ", without_code(text))[:LOOKED_AT_CHARACTERS].strip()
    if bare[:1] in ("{", "["):
        return ""
    latin = len(_LATIN.findall(bare))
    if not bare.isascii():
        counts = {code: len(script.findall(bare)) for code, script in _SCRIPTS}
        if counts["ja"] >= 2 and counts["ja"] >= counts["zh"] / 5:
            counts["ja"], counts["zh"] = counts["ja"] + counts["zh"], 0
        code = max(counts, key=lambda name: counts[name])
        if counts[code] >= OTHER_LETTERS:  # a letter of these says as much as three Latin ones
            return code if 3 * counts[code] >= latin else ""
    if latin < latin_letters:
        return ""
    code, sure = _identifier().classify(bare)
    return str(code) if sure >= SURE else LATIN


def _could_be(text: str, code: str) -> bool:
    """Whether a short text in Latin script may be in a language."""
    return float(dict(_identifier().rank(text))[code]) >= UNLIKELY


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LATIN_LANGUAGES)
    return identifier


def _may_answer_in(row: Row, told: str) -> bool:
    """Whether anything before the answer names a language or is partly in the answer's."""
    for turn in row.prompt:
        text = turn.content
        if _NAMES_LANGUAGE.search(text):
            return True
        if turn.role == "assistant":
            continue
        for code, script in _SCRIPTS:
            if code == told and len(script.findall(text)) >= OTHER_LETTERS:
                return True
    asked = question(row)
    if told in dict(_SCRIPTS) or asked.isascii():
        return any(language_told(line) == told for line in asked.split("\n") if "\n" in asked)
    return len(_LATIN.findall(_LOOSE.sub(" ", asked))) >= HELD_LETTERS
