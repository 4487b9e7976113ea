"""What kind of answer rows hold: a label, a number, JSON, code, short or long text."""

import re
from collections import Counter

import orjson

from forkpoint.data.profile_record import AnswerKind

NUMBER_CHARACTERS = 40  # a longer answer is no number, whatever its characters
SHORT_BYTES = 80  # UTF-8 bytes of a one-line answer that is still short: about 25 Chinese words
LABEL_BYTES = 60  # UTF-8 bytes; a longer answer that repeats is a phrase, not a label
LABELS_LIMIT = 100  # distinct labels; a task with more is better seen as short text
NUMBER_LABELS_LIMIT = 20  # distinct; ratings from 1 to 10 are labels, sums are numbers
LABEL_HOLDERS = 3  # rows that share a label at least ...
LABEL_SHARE = 0.005  # ... and this share of rows
LABELLED_SHARE = 0.8  # of rows that hold such an answer, or the repeats are chance
COUNTED_ANSWERS = 20_000  # distinct short answers counted; beyond them there are no labels
FENCED_SHARE = 0.5  # of an answer inside ``` for it to be code

_NUMBER = re.compile(r"\s*[-+]?[$€£¥]?\s?\d[\d,]*(?:\.\d+)?\s?%?\.?\s*")
_FINAL_NUMBER = re.compile(r"####\s*[-+]?[$€£¥]?\d[\d,]*(?:\.\d+)?\s*")
_CODE = re.compile(
    r"\s*(?:def |class |import |from \w[\w.]* import |#include|#!/|package |public |function |"
    r"const |let |var |SELECT |INSERT |CREATE |UPDATE |<!DOCTYPE|<html|<\?php)"
)
_CODE_STARTS = frozenset(" \n\tdcif#pvlSICU<")  # spares most answers the slower look
_STARTS = _CODE_STARTS | {"{", "["}
_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)


def kind_of_text(answer: str) -> AnswerKind:
    """The kind of one answer looked at alone; a label can only be known from all rows."""
    first = answer[:1]
    length = len(answer)
    if length > SHORT_BYTES and first not in _STARTS and "#" not in answer and "`" not in answer:
        return "long"  # most answers; the rest says the same more slowly
    if (first == "{" or first == "[") and _is_json(answer):
        return "json"
    if length <= NUMBER_CHARACTERS and _NUMBER.fullmatch(answer):
        return "number"
    place = answer.rfind("####")
    if place >= 0 and _FINAL_NUMBER.fullmatch(answer, place):
        return "number"
    if "```" in answer:
        fenced = sum(len(found) for found in _FENCE.findall(answer))
        if fenced >= FENCED_SHARE * len(answer):
            return "code"
    if first in _CODE_STARTS and _CODE.match(answer):
        return "code"
    short = length <= SHORT_BYTES and (
        answer.isascii() or len(answer.encode("utf-8", "replace")) <= SHORT_BYTES
    )
    return "short" if short and "\n" not in answer.strip() else "long"


def _is_json(answer: str) -> bool:
    if answer.rstrip()[-1:] not in ("}", "]"):
        return False
    try:
        orjson.loads(answer)
    except orjson.JSONDecodeError:
        return False
    return True


class AnswerTally:
    """Counts kinds of answers row by row, and finds at the end which of them are labels."""

    def __init__(self) -> None:
        self.rows = 0
        self.kinds: Counter[AnswerKind] = Counter()
        self.repeats: Counter[str] = Counter()
        self.kind_of: dict[str, AnswerKind] = {}

    def add(self, answer: str) -> None:
        """Count one answer."""
        self.rows += 1
        if len(answer) > LABEL_BYTES:
            self.kinds[kind_of_text(answer)] += 1
            return
        known = self.kind_of.get(answer)
        if known is not None:
            self.kinds[known] += 1
            self.repeats[answer] += 1
            return
        kind = kind_of_text(answer)
        self.kinds[kind] += 1
        if len(self.kind_of) < COUNTED_ANSWERS:
            self.kind_of[answer] = kind
            self.repeats[answer] += 1

    def labels(self) -> dict[str, int]:
        """Label -> rows, the most frequent first; empty when the answers are no labels."""
        holders = max(2 if self.rows < 100 else LABEL_HOLDERS, LABEL_SHARE * self.rows)
        often = {
            text: count
            for text, count in self.repeats.most_common()
            if count >= holders and len(text.encode("utf-8", "replace")) <= LABEL_BYTES
            and self.kind_of[text] in ("short", "number")
        }  # fmt: skip
        numbers = sum(self.kind_of[text] == "number" for text in often)
        if numbers > NUMBER_LABELS_LIMIT or not 2 <= len(often) <= LABELS_LIMIT:
            return {}
        if sum(often.values()) < LABELLED_SHARE * self.rows:
            return {}
        # rare labels of the same set count too, as long as they are few
        rest = {
            text: count
            for text, count in self.repeats.most_common()
            if text not in often and self.kind_of[text] in ("short", "number")
        }
        return often if len(often) + len(rest) > LABELS_LIMIT else often | rest

    def shares(self) -> dict[AnswerKind, float]:
        """Kind -> share of rows, the most common first."""
        kinds = Counter(self.kinds)
        for text, count in self.labels().items():
            kinds[self.kind_of[text]] -= count
            kinds["label"] += count
        return {kind: count / self.rows for kind, count in kinds.most_common() if count > 0}
