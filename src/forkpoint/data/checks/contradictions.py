"""The same question with answers that cannot both be right.

Labels, numbers and short answers contradict each other when they differ and neither holds the
other; long answers only by their final number or by yes against no. A question that many rows
share, or that asks for something made up, may well have many answers.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from forkpoint.data.answers import SHORT_BYTES
from forkpoint.data.checks.flag import Flag, Labels, around
from forkpoint.data.near import asked_text, normalised
from forkpoint.data.row import Row

SHARED_SHARE, SHARED_ROWS = 0.05, 20  # a question in more rows than both is an instruction
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_FINAL = re.compile(r"####\s*([-+]?[$€£¥]?\d[\d,]*(?:\.\d+)?)\s*\Z")
_MADE_UP = re.compile(
    r"\b(?:write|compose|invent|create|generate|suggest|recommend|imagine|rephrase|paraphrase|"
    r"rewrite|reword|translate|tell (?:me |us )?an? |give (?:me |us )?(?:an?|some|one|two|three|"
    r"\d+) |give an? |name (?:an?|one|some|two|three|\d+) |list |think of|come up with|make up|"
    r"pick|choose an?|what(?:'s| is) your|for example|an? example|complete the|describe)\b|"
    r"写(?:一|个|首|篇|段|封|副|两|几|点)|编[一个写]|创作|想象|推荐|建议|"
    r"说一?[个句]|讲一?[个则]|举[一两三几]?个?|列[出举]|随便|任意|改写|翻译|"
    r"造句|起[一个]*名|给[我出].{0,4}[一几两三][个条句]|描述|你的|您的",
    re.IGNORECASE,
)
_YES = re.compile(
    r"(?:yes|true|correct|是的?|对|正确|可以|能)\b|(?:是的?|对的?|正确|可以|能)[，。,.！!]", re.I
)
_NO = re.compile(
    r"(?:no|false|incorrect|not? (?:true|correct))\b|"
    r"(?:不是?的?|不对|错误|不可以|不能|否)[，。,.！!]",
    re.I,
)


def look(rows: Sequence[Row], labels: Labels) -> Iterator[Flag]:
    """Rows whose answer contradicts that of an earlier row with the same question."""
    asked: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if row.text is None and "images" not in row.extra:
            asked[normalised(asked_text(row)).replace(" ", "")].append(place)
    most = max(SHARED_SHARE * len(rows), SHARED_ROWS)
    for places in asked.values():
        if not 2 <= len(places) <= most:
            continue
        invites_many = _MADE_UP.search(asked_text(rows[places[0]])) is not None
        for at, place in enumerate(places):
            answer = rows[place].answer
            for other in places[:at]:
                earlier = rows[other].answer
                if _clash(earlier, answer, labels, invites_many):
                    both = f"{around(earlier, 0, min(len(earlier), 30))} / "
                    yield Flag(place, both + around(answer, 0, min(len(answer), 30)), other)
                    break


def _clash(one: str, two: str, labels: Labels, invites_many: bool) -> bool:
    left, right = normalised(one), normalised(two)
    if left == right:
        return False
    if one in labels and two in labels:
        return True
    numbers = _value(left), _value(right)
    if None not in numbers:
        return numbers[0] != numbers[1]
    finals = _FINAL.search(one), _FINAL.search(two)
    if finals[0] and finals[1]:
        return _value(finals[0][1]) != _value(finals[1][1])
    if (_YES.match(left) and _NO.match(right)) or (_NO.match(left) and _YES.match(right)):
        return True
    if invites_many or not (_short(one) and _short(two)):
        return False
    return left not in right and right not in left


def _value(text: str) -> float | None:
    """A number with its currency and thousands marks off, or None for other text."""
    bare = text.strip("$€£¥ %.").replace(",", "").replace(" ", "")
    return float(bare) if _NUMBER.fullmatch(bare) else None


def _short(answer: str) -> bool:
    return len(answer.encode("utf-8", "replace")) <= SHORT_BYTES and "\n" not in answer.strip()
