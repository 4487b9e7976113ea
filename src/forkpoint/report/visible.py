"""Text from data and models made harmless to look at: nothing in it acts, hides or runs on."""

import re
import unicodedata

JOINERS = "\u200c\u200d"  # needed to write Persian, Indic scripts and many emoji
KEPT = "\n\t"
LINE_SEPARATORS = "\u2028\u2029"
LONGEST = 2_000  # characters of one text in a report; longer ones end in a count
_SUSPECT = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f"
    r"\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\uffff\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """The text with every control, bidi and invisible character shown as a mark.

    >>> visible("a\\x1b[31mb\\u202ec")
    'a␛[31mb⟨U+202E⟩c'
    """
    return _SUSPECT.sub(_mark, text)


def _mark(found: re.Match[str]) -> str:
    character = found.group()
    if character in JOINERS or (
        character not in LINE_SEPARATORS and unicodedata.category(character)[0] not in "C"
    ):
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"⟨U+{code:04X}⟩"


def bounded(text: str, longest: int = LONGEST) -> tuple[str, int]:
    """The first `longest` characters and how many more there are.

    >>> bounded("abcdef", 4)
    ('abcd', 2)
    """
    return text[:longest], max(0, len(text) - longest)


def json_text(document: str) -> str:
    """A JSON document in which nothing acts on a terminal or ends a script element."""
    return re.sub(r"[<>&]", _escape, _SUSPECT.sub(_escape_suspect, document))


def _escape_suspect(found: re.Match[str]) -> str:
    character = found.group()
    return character if _mark(found) == character or character in "\r" else _escape(found)


def _escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code > 0xFFFF:
        high, low = divmod(code - 0x10000, 0x400)
        return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
    return f"\\u{code:04x}"
