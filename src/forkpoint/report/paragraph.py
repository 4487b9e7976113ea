"""Lines of plain text that keep their width, Chinese included."""

import re

from rich.cells import cell_len

WIDTH = 92  # cells
CLOSING = "，。；：、！？）”》]"  # may not start a line
OPENING = "（“《["  # may not end one
WIDE = "\u2e80-\u9fff\uff00-\uffef“”"  # text that may break between any two characters
_OPEN, _CLOSE = re.escape(OPENING), re.escape(CLOSING)
PIECE = re.compile(rf"\s+|[{_OPEN}]*(?:[^\s{WIDE}{_OPEN}{_CLOSE}]+|[{WIDE}])?[{_CLOSE}]*")


def wrap(text: str, indent: str = "", first: str | None = None, width: int = WIDTH) -> str:
    """`text` in lines of at most `width` cells, the first behind `first`, others behind `indent`.

    >>> print(wrap("one two three", "  ", "- ", width=9))
    - one two
      three
    """
    lines = []
    line = first if first is not None else indent
    start = True
    for piece in PIECE.findall(" ".join(text.split())):
        if start and piece.isspace():
            continue
        if not start and cell_len((line + piece).rstrip()) > width:
            lines.append(line.rstrip())
            line, start = indent, True
            if piece.isspace():
                continue
        line += piece
        start = False
    lines.append(line.rstrip())
    return "\n".join(lines)


def pad(text: str, cells: int) -> str:
    """`text` with spaces behind it up to a width in cells."""
    return text + " " * max(0, cells - cell_len(text))


def heading(text: str) -> str:
    """A heading over a rule."""
    return f"\n{text}\n{'-' * min(WIDTH, cell_len(text))}"
