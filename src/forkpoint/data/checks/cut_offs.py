"""Answers that break off before their end.

Some ends show it alone: a comma, "and the", an open bracket, fence or list mark, JSON that never
closes. Others only beside their like: prose that ends on a word where nearly all prose of this
file, or all the answer's own sentences, end with a stop. A cut exactly behind a full sentence
cannot be seen.
"""

import re
from collections.abc import Iterator, Sequence

import orjson

from forkpoint.data.checks.flag import Flag, Labels, around
from forkpoint.data.row import Row

PROSE_BYTES = 60  # UTF-8 bytes; a shorter answer needs no stop
BEGUN_BYTES = 24  # the same where a full sentence stands before in the line
HABIT_SHARE = 0.75  # of prose answers that end with a stop: then one without it breaks off
HABIT_ROWS = 20  # prose answers from which there is a habit

_STOPS = ".!?。！？…~～：:）)】]」』”\"'’`*_>}|；;❤♥"
_ENDED = re.compile(r"[.!?](?=\s)|[。！？]")
_DANGLING = re.compile(
    r"(?:[,，、（(\[【「『“‘—–=+&]|(?<=\s)[-*•]|\b(?:and|or|but|the|an|of|to|for|with|from|by|as|at|"
    r"into|than|because|if|while|which|is|are|was|were|be|has|have|its|their|your|our|"
    r"my|such|very|including|between)|"
    r"(?:以及|并且|或者|因为|但是|而且|例如|比如|包括|如果|由于|所以|为了|通过|以便|和|与|及|的一[个种些]))\s*\Z"
)
_LIST_MARK = re.compile(r"\n\s*(?:\d{1,2}[.)、．]|[-*•]|#{1,6})\s*(?:\*\*)?\Z")
_LIST_LINE = re.compile(
    r"\s*(?:\d{1,2}[.)、．]|[-*•]|#{1,6}\s|\||>|[a-zA-Z][.)]\s|[（(]?[一二三四五六七八九十\d]+[）)、])"
)
_LETTER = re.compile(r"[^\W_]\Z")
_PAIRS = (("（", "）"), ("【", "】"), ("「", "」"), ("“", "”"), ("《", "》"), ("(", ")"))
_FREE_END = re.compile(  # ends that need no stop: a tag, an address, a sum, who said it
    r"(?:[#@][\w.]+|https?://\S+|\S+@\S+|\S*/\S*/\S*|[=≈:：]\s*[-\w.,$€£¥%°]+|"
    r"[-–—~]\s?[A-Z][\w.]*(?: [A-Z][\w.]*){0,4}|(?:[A-Z][\w.'-]*,? ?){2,})\Z"
)
_BRACKETED_CHARACTERS = 20  # a shorter last line with an open bracket may be an emoticon
_SIGNATURE_CHARACTERS = 40  # a last line as short as this may be a name, a greeting, a heading


def look(rows: Sequence[Row], labels: Labels) -> Iterator[Flag]:
    """Rows whose answer breaks off."""
    told = [row.answer.rstrip() for row in rows]
    prose = [_is_prose(text) for text in told]
    ends = [_stops(text) for text, plain in zip(told, prose, strict=True) if plain]
    habit = len(ends) >= HABIT_ROWS and sum(ends) >= HABIT_SHARE * len(ends)
    for place, (row, text) in enumerate(zip(rows, told, strict=True)):
        if text in labels or not text or row.text is not None:
            continue
        if _open_end(text) or (not _stops(text) and _unlike(text, prose[place], habit)):
            yield Flag(place, around(text, len(text) - 1, len(text)))


def _stops(text: str) -> bool:
    """Whether a text ends as a finished one may: with a stop, a bracket, an emoji, a mark."""
    return text[-1:] in _STOPS or _LETTER.search(text) is None


def _is_prose(text: str) -> bool:
    """Whether the last line is a sentence of some length, no code, list, heading or table."""
    last = text[text.rfind("\n") + 1 :]
    least = BEGUN_BYTES if _ENDED.search(last) else PROSE_BYTES
    if "```" in text or len(text.encode("utf-8", "replace")) < least:
        return False
    if _LIST_LINE.match(last) or text[:1] in "{[<":
        return False
    return " " in last or not last.isascii()


def _open_end(text: str) -> bool:
    """Whether the end alone shows that something should follow."""
    if text.count("```") % 2:
        return True
    if text[:1] in ("{", "[") and len(text) > 1 and _json_breaks_off(text):
        return True
    if "```" in text or len(text.encode("utf-8", "replace")) < PROSE_BYTES // 2:
        return False
    if _LIST_MARK.search(text):
        return True
    last = text[text.rfind("\n") + 1 :]
    if _DANGLING.search(last) and not last.endswith(("---", "***", "——", "--")):
        return " " in last or not last.isascii()
    if text[-1] in _STOPS or _LIST_LINE.match(last) or len(last) <= _BRACKETED_CHARACTERS:
        return False
    return any(
        last.count(opened) == last.count(closed) + 1 and last.rfind(opened) > last.rfind(closed)
        for opened, closed in _PAIRS
    )


def _json_breaks_off(text: str) -> bool:
    if text[:2] not in ('{"', "{\n", "{ ", "[{", '["', "[\n", "{'") or text[-1] in "}]":
        return False
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return (
            error.pos >= len(text.encode()) - 2 or error.pos >= len(text) - 2 or "EOF" in error.msg
        )
    return False


def _unlike(text: str, prose: bool, habit: bool) -> bool:
    """Whether an end without a stop is unlike the answers of the file, or the answer itself."""
    last = text[text.rfind("\n") + 1 :]
    if not prose:
        return _list_breaks_off(text)
    if _FREE_END.search(last):
        return False
    own = _ENDED.search(last) is not None
    if "\n" in text and not own and len(last) <= _SIGNATURE_CHARACTERS:
        return False
    return habit or own


def _list_breaks_off(text: str) -> bool:
    """Whether all items of a list but the last end with a stop."""
    if "```" in text:
        return False
    items = [line.rstrip() for line in text.split("\n") if _LIST_LINE.match(line)]
    last = text[text.rfind("\n") + 1 :]
    if len(items) < 2 or not _LIST_LINE.match(last) or last.lstrip()[:1] in "#|":
        return False
    return all(item[-1:] in ".!?。！？；;" for item in items[:-1])
