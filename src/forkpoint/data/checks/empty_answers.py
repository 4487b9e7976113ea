"""Answers that hold nothing: a placeholder, a missing value written as text, bare marks.

What may be a real answer is let pass: a class of the task ("none" for many rows), `None` where
code is asked about, a dash or 无 where all answers are short.
"""

import re
from collections.abc import Iterator, Sequence
from statistics import median

from forkpoint.data.checks.flag import Flag, Labels, around, question
from forkpoint.data.row import Row

CLASS_SHARE = 0.02  # of rows; a placeholder that more of them share is a class of the task
LONG_BYTES = 80  # UTF-8; where half of all answers are longer, a bare "none" is no answer
LONGEST_PLACEHOLDER = 60  # characters; a longer answer says something

_WORDS = """
    todo | tbd | tba | fixme | xxx | xxxx | placeholder | answer | output | response | label
    | completion | lorem ipsum | your answer here | answer here | insert answer here
    | insert answer | insert response here | to be added | to be completed | to be filled in
    | fill in | fill me in | coming soon | no answer | no answer provided | no response | no output
    | not provided | not filled in | empty | blank | missing | missing answer
    | intentionally left blank | no data | no content | asdf | test test
    | 待补充 | 待填写 | 待完善 | 待定 | 待添加 | 待续 | 请填写 | 请填写答案 | 请在此填写答案
    | 在此输入答案 | 未填写 | 暂无 | 暂无答案 | 暂无回答 | 暂无内容 | 暂无数据 | 无答案 | 无回答
    | 空白 | 此处填写答案 | 答案 | 回答 | 输出 | 答复 | 略
"""
ALWAYS = frozenset("".join(word.split()) for word in _WORDS.split("|"))
MISSING = frozenset(("nan", "null", "na", "undefined", "nil", "none", "nat"))
WEAK = frozenset(("nothing", "无", "没有", "空", "不详"))
EMPTY_LISTS = frozenset(("[]", "{}", "()", '""', "''"))  # an extraction that found nothing
_HEADING = re.compile(r"[^\s:：]{1,12}(?: [^\s:：]{1,12})?[:：]")  # "Answer:" with nothing behind
_ASKS_SIGN = re.compile(
    r"sign|operator|symbol|character|mark|key|punctuation|符号|运算|标点|字符", re.IGNORECASE
)
_HTML = re.compile(r"&(?:nbsp|zwj|shy);|<(?:br|p|div|span)\s*/?>|</(?:p|div|span)>", re.I)
_ASKS_VALUE = re.compile(
    r"null|none|\bnan\b|\bnil\b|undefined|return|print|value|output|yields?\b|stands? for|"
    r"evaluate|返回|输出|值|结果",
    re.IGNORECASE,
)


def look(rows: Sequence[Row], labels: Labels) -> Iterator[Flag]:
    """Rows whose answer says nothing."""
    often = CLASS_SHARE * len(rows)
    sizes = [len(row.answer.encode("utf-8", "replace")) for row in rows]
    long = bool(sizes) and median(sizes) > LONG_BYTES
    for place, row in enumerate(rows):
        answer = row.answer
        if len(answer) > LONGEST_PLACEHOLDER or row.text is not None:
            continue
        if labels.get(answer, 0) > max(often, 2):
            continue
        if _says_nothing(answer, question(row), long):
            yield Flag(place, around(answer, 0, len(answer)))


def _says_nothing(answer: str, asked: str, long: bool) -> bool:
    stripped = _HTML.sub("", answer).strip()
    core = "".join(filter(str.isalnum, stripped)).casefold()
    if not core:
        return stripped not in EMPTY_LISTS and not (stripped and _ASKS_SIGN.search(asked))
    if core in ALWAYS or _HEADING.fullmatch(stripped):
        return True
    if core in MISSING:
        return not _ASKS_VALUE.search(asked)
    wrapped = len(stripped) > len(core) + 1  # （无） stands where an answer should
    return core in WEAK and (long or wrapped)
