"""Personal data and secrets: found by their published shapes and checksums, never shown whole.

What only looks like one is let pass: a number whose checksum fails, an address under a reserved
name (example.com), the card numbers that payment providers publish for tests, keys of x's.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from math import log2

from forkpoint.data.checks.flag import Flag, Labels, around, texts
from forkpoint.data.row import Row

RANDOM_BITS = 2.5  # bits a character; keys made by a machine have more, "xxxx" and "your_key" less

_EMAIL = (
    r"(?<![\w.+-])\w(?:[\w.+-]{0,62}\w)?@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,60}[A-Za-z0-9])?\.)+[A-Za-z]{2,18}(?![\w-])"
)
_PHONE = (
    r"(?<![\w.*/=<>+])(?<!\d-)(?:\+?86[- ]?|0086[- ]?)?1[3-9]\d([- ]?)\d{4}\1\d{4}"
    r"(?![\w]|[.*/=+-]\d)"
)
_IDENTITY = (
    r"(?<!\w)[1-8]\d{5}[ ]?(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ ]?\d{3}[\dXx]"
    r"(?!\w)"
)
_CARD = r"(?<![\w.-])(?:\d[ -]?){12,18}\d(?![\w]|[.-]\d)"
_KEY = "|".join((
    r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----",
    r"\b(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z2-7]{16}\b",  # Amazon
    r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b|\bgithub_pat_[A-Za-z0-9_]{50,255}\b",
    r"\bgl(?:pat|dt|rt|oas|ptt)-[A-Za-z0-9_-]{20,}",
    r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-\d-[A-Za-z0-9-]{10,}",  # Slack
    r"hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{20,}",
    r"\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}\b|\bwhsec_[A-Za-z0-9]{24,}",  # Stripe
    r"\bAIza[A-Za-z0-9_-]{35}(?![\w-])|\bya29\.[A-Za-z0-9_-]{20,}|\bGOCSPX-[A-Za-z0-9_-]{24,}",
    r"\bsk-(?:proj-|svcacct-|admin-|ant-(?:api|admin)\d\d-|or-v1-)?[A-Za-z0-9_-]{20,}",  # and kin
    r"\bhf_[A-Za-z0-9]{30,}\b|\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[A-Za-z0-9_-]{50,}|\br8_[A-Za-z0-9]{37}\b",
    r"\bgsk_[A-Za-z0-9]{40,}\b|\bxai-[A-Za-z0-9]{60,}\b|\bpplx-[A-Za-z0-9]{40,}\b",
    r"\bSG\.[A-Za-z0-9_-]{16,24}\.[A-Za-z0-9_-]{40,46}",  # SendGrid
    r"\b(?:AC|SK)[0-9a-f]{32}\b|\bkey-[0-9a-f]{32}\b",  # Twilio, Mailgun
    r"\bLTAI[A-Za-z0-9]{12,24}\b|\bAKID[A-Za-z0-9]{13,40}\b|\bAKLT[A-Za-z0-9_-]{20,}",  # in China
    r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b|\bdop_v1_[0-9a-f]{64}\b|\bdapi[0-9a-f]{32}\b",
    r"\bEAACEdEose0cBA[A-Za-z0-9]+|\bsq0(?:atp|csp)-[A-Za-z0-9_-]{22,}|\bhvs\.[A-Za-z0-9_-]{24,}",
    r"(?<!\d)\d{8,10}:AA[A-Za-z0-9_-]{33}(?![\w-])",  # Telegram
    r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,}",  # JSON web tokens
))  # fmt: skip
_KEY_SIGNS = (  # one of these stands in every key: spares most texts the slow look
    "PRIVATE KEY", "AKIA", "ASIA", "ABIA", "ACCA", "AROA", "AIDA", "gh", "github_pat_", "glpat",
    "gldt", "glrt", "gloas", "glptt", "xox", "xapp", "hooks.slack", "sk", "rk_", "pk_", "whsec",
    "AIza", "ya29", "GOCSPX", "hf_", "npm_", "pypi-", "r8_", "gsk_", "xai-", "pplx-", "SG.",
    "AC", "SK", "key-", "LTAI", "AKID", "AKLT", "shp", "dop_v1", "dapi", "EAAC", "sq0", "hvs.",
    ":AA", "eyJ",
)  # fmt: skip
_NAMED = re.compile(r"passw|pwd|secret|key|token|密码|口令|密钥", re.IGNORECASE)
_LONG_RUN = re.compile(r"[\w.:-]{16}")
_ASSIGNED = (  # a secret named as one: password = "..."
    r"(?i:\b(?:password|passwd|pwd|secret(?:[_-]?key)?|api[_-]?key|access[_-]?(?:key|token)|"
    r"auth[_-]?token|client[_-]?secret|private[_-]?key)|密码|口令|密钥)[\"']?\s*(?:[:=：]|是|为|is)\s*"
    r"[\"'“]?(?P<assigned>[A-Za-z0-9!@#$%^&*+/_.-]{8,120})"
)
_PATTERNS = (("key", _KEY), ("email", _EMAIL), ("identity", _IDENTITY), ("card", _CARD),
             ("phone", _PHONE), ("assigned", _ASSIGNED))  # fmt: skip
_ANY = {kind: re.compile(pattern, re.ASCII) for kind, pattern in _PATTERNS}
_DIGITS = re.compile(r"\d{3}[- ]?\d{2}|\d(?:[ -]?\d){10}")
_RESERVED = re.compile(  # RFC 2606 and 6761, and the names that everybody makes up
    r"(?:^|[@.])(?:example\.(?:com|org|net|edu)|example|test|invalid|localhost|local|"
    r"(?:your|my)?(?:domain|company|email|site)\.(?:com|org|net)|xxx+\.com|abc\.com|email\.com)$|"
    r"^(?:no-?reply|do-?not-?reply|git)@",
    re.IGNORECASE,
)
TEST_CARDS = frozenset((  # published by payment providers for tests
    "4111111111111111", "4242424242424242", "4012888888881881", "4000056655665556",
    "5555555555554444", "5105105105105100", "2223003122003222", "5200828282828210",
    "378282246310005", "371449635398431", "6011111111111117", "6011000990139424",
    "3530111333300000", "3566002020360505", "30569309025904", "38520000023237",
))  # fmt: skip
_ISSUERS = re.compile(  # Visa, Mastercard, Amex, Discover, JCB, Diners, UnionPay: prefix and length
    r"4\d{15}|4\d{12}|4\d{18}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|"
    r"3[47]\d{13}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|"
    r"62\d{14,17}"
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
_SAMPLE_WORDS = re.compile(
    r"example|sample|dummy|your|xxxx|placeholder|changeme|redacted|fake", re.I
)


def look(rows: Sequence[Row], labels: Labels) -> Iterator[Flag]:
    """Rows that hold personal data or a secret, in any of their texts."""
    for place, row in enumerate(rows):
        for text in texts(row):
            for kind, start, end in secrets_in(text):
                yield Flag(place, masked(text, around_span=(start, end)), kind=kind)
                break
            else:
                continue
            break


def secrets_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Kind, start and end of all that is private in a text, none overlapping, in order."""
    found: list[tuple[int, int, str]] = []
    for kind in _worth_looking(text):
        pattern = _ANY[kind]
        for match in pattern.finditer(text):
            start, end = match.span("assigned") if kind == "assigned" else match.span()
            if any(start < other_end and other_start < end for other_start, other_end, _ in found):
                continue
            if _CHECKED[kind](text[start:end]):
                found.append((start, end, "key" if kind == "assigned" else kind))
    for start, end, kind in sorted(found):
        yield kind, start, end


def _worth_looking(text: str) -> Iterator[str]:
    """The kinds of which a cheap sign stands in the text."""
    if _LONG_RUN.search(text) and any(sign in text for sign in _KEY_SIGNS):
        yield "key"
    if "@" in text:
        yield "email"
    if _DIGITS.search(text):
        yield from ("identity", "card", "phone")
    if _NAMED.search(text):
        yield "assigned"


def masked(text: str, around_span: tuple[int, int] | None = None) -> str:
    """The text with every secret blotted out but for its first and last signs.

    With `around_span`, only what stands around that place, on one line.
    """
    pieces, last, start, end = [], 0, 0, 0
    length = 0
    for kind, begin, stop in secrets_in(text):
        pieces.append(text[last:begin])
        length += begin - last
        blot = _blot(kind, text[begin:stop])
        if around_span and begin == around_span[0]:
            start, end = length, length + len(blot)
        pieces.append(blot)
        length += len(blot)
        last = stop
    whole = "".join(pieces) + text[last:]
    return around(whole, start, end) if around_span else whole


def _blot(kind: str, secret: str) -> str:
    if kind == "email":
        name, _, host = secret.partition("@")
        return f"{name[0]}***@***.{host.rpartition('.')[2]}"
    if kind == "key":
        shown = re.match(r"[A-Za-z]{2,6}[-_]|[A-Z]{4}|-----BEGIN", secret)
        return f"{shown[0] if shown else ''}******"
    digits = [c for c in secret if c.isalnum()]
    return f"{''.join(digits[:2])}{'*' * (len(digits) - 4)}{''.join(digits[-2:])}"


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812: every second digit from the right doubled, the sum a multiple of ten."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_card(text: str) -> bool:
    digits = "".join(c for c in text if c.isdigit())
    return (
        _ISSUERS.fullmatch(digits) is not None
        and digits not in TEST_CARDS
        and len(set(digits)) > 3
        and _luhn(digits)
    )


def _is_identity(text: str) -> bool:
    """A resident identity number: a real day of birth and the right check character."""
    code = text.replace(" ", "").upper()
    try:
        born = date(int(code[6:10]), int(code[10:12]), int(code[12:14]))
    except ValueError:
        return False
    check = "10X98765432"[sum(int(d) * w for d, w in zip(code, _WEIGHTS, strict=False)) % 11]
    return born <= date.today() and check == code[17]


def _is_phone(text: str) -> bool:
    digits = "".join(c for c in text if c.isdigit())[-11:]
    return len(set(digits)) > 3 and digits[3:] not in ("12345678", "00000000", "88888888")


def _is_email(text: str) -> bool:
    return not _RESERVED.search(text)


def _is_key(text: str) -> bool:
    if text.startswith("-----BEGIN"):
        return True
    return not _SAMPLE_WORDS.search(text) and _bits(text) >= RANDOM_BITS


def _is_assigned(text: str) -> bool:
    """A value made of letters and digits together, as passwords are and words are not."""
    kinds = (any(c.isdigit() for c in text), any(c.isalpha() for c in text))
    return all(kinds) and _is_key(text) and not text.startswith(("http", "www.", "$", "%"))


def _bits(text: str) -> float:
    """The entropy of a text's own signs, in bits a character."""
    shares = [text.count(sign) / len(text) for sign in set(text)]
    return -sum(share * log2(share) for share in shares)


_CHECKED = {
    "key": _is_key, "email": _is_email, "identity": _is_identity, "card": _is_card,
    "phone": _is_phone, "assigned": _is_assigned,
}  # fmt: skip
