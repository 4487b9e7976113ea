"""Which encoding a text file is in: UTF-8 unless its bytes say otherwise."""

import codecs
import gzip
import io
import re
from pathlib import Path
from typing import NamedTuple, TextIO

SAMPLE_BYTES = 1 << 20  # bytes looked at to name an encoding
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WIDE_ZERO_SHARE = 0.2  # zero bytes in one of two positions above this: UTF-16 without a mark
BROKEN_LINES = 2  # one broken line alone does not make another encoding
BROKEN_LINE_SHARE = 0.5  # of lines beyond ASCII; below it the file is UTF-8 with broken lines
HAN_SHARE = 0.5  # of characters beyond ASCII that are common Han or full-width: GBK, not Latin


_ESCAPED = re.compile("[\udc80-\udcff]")


class Encoding(NamedTuple):
    """A codec's name and whether the file should be decoded whole before it is split."""

    codec: str
    plain: bool  # UTF-8 without a mark: bytes can be parsed as they are


UTF_8 = Encoding("utf-8", True)


def opened(path: Path) -> io.BufferedReader | gzip.GzipFile:
    """The bytes of a file, unpacked where its name ends in .gz."""
    if path.suffix.lower() == ".gz":
        return gzip.GzipFile(path, "rb")
    return path.open("rb")


def opened_text(path: Path, codec: str, errors: str, newline: str | None = None) -> TextIO:
    """The text of a file in a codec, unpacked where its name ends in .gz."""
    return io.TextIOWrapper(opened(path), encoding=codec, errors=errors, newline=newline)


def undecoded(text: str) -> bool:
    """Whether a text read with `surrogateescape` holds bytes that were not of its codec."""
    return not text.isascii() and _ESCAPED.search(text) is not None


def encoding_of_bytes(sample: bytes) -> Encoding:
    """The encoding that a sample of bytes is in, by mark, by validity, by its characters."""
    for mark, codec in MARKS:
        # text in wide characters always holds zero bytes; a stray mark before UTF-8 does not
        if sample.startswith(mark) and (mark == codecs.BOM_UTF8 or b"\0" in sample):
            return Encoding(codec, False)
    even, odd = sample[::2], sample[1::2]
    if odd and odd.count(0) > WIDE_ZERO_SHARE * len(odd) > even.count(0):
        return Encoding("utf-16-le", False)
    if even and even.count(0) > WIDE_ZERO_SHARE * len(even) > odd.count(0):
        return Encoding("utf-16-be", False)
    if _decodes(sample, "utf-8"):
        return UTF_8
    every = sample.split(b"\n")
    lines = [line for line in every if not line.isascii()]
    broken = [line for line in lines if not _decodes(line, "utf-8")]
    if len(broken) < min(BROKEN_LINES, len(every)) or len(broken) < BROKEN_LINE_SHARE * len(lines):
        return UTF_8
    text = b"\n".join(broken).decode("gb18030", "replace")
    foreign = [c for c in text if ord(c) > 127]
    han = sum("\u3000" <= c <= "\u9fff" or "\uff00" <= c <= "\uffef" for c in foreign)
    if han > HAN_SHARE * len(foreign):
        return Encoding("gb18030", False)
    return Encoding("cp1252", False)


def _decodes(sample: bytes, codec: str) -> bool:
    """Whether a sample is valid in a codec, a character cut at its end aside."""
    try:
        codecs.getincrementaldecoder(codec)().decode(sample)
    except UnicodeDecodeError:
        return False
    return True
