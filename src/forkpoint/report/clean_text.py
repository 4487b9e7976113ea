"""What `forkpoint clean` and `forkpoint convert` did, as calm text."""

from forkpoint.data.converting import Converted
from forkpoint.data.mending import Cleaned
from forkpoint.report.data_text import printable
from forkpoint.words import say

LINES_SHOWN = 12  # lines of rows left out; --json lists the rest


def clean_text(done: Cleaned, lang: str) -> str:
    """Rows in and out, what was left out, changed and listed, and where the log is."""
    lines = [
        say("clean.head", lang, file=printable(done.file), out=printable(done.out),
            before=f"{done.rows_before:,}", after=f"{done.rows_after:,}")
    ]  # fmt: skip
    for name in ("removed", "changed", "listed"):
        counts: dict[str, int] = getattr(done, name)
        if counts:
            lines.append(f"  {say(f'clean.{name}', lang)}")
            lines += [f"    {count:>7,}  {_what(what, lang)}" for what, count in counts.items()]
    if not (done.removed or done.changed or done.listed):
        lines.append(f"  {say('clean.nothing_done', lang)}")
    lines.append(f"  {say('clean.log', lang, log=printable(done.log))}")
    return "\n".join(lines) + "\n"


def _what(what: str, lang: str) -> str:
    if what in ("broken", "copy", "encoding"):
        return say(f"clean.what_{what}", lang)
    return say(f"data.check_{what}", lang)


def converted_text(done: Converted, lang: str) -> str:
    """What was written, what was lost on the way, and which rows could not be written."""
    lines = [
        say("convert.head", lang, rows=f"{done.rows:,}", file=printable(done.file),
            out=printable(done.out), target=say(f"data.format_{done.target}", lang))
    ]  # fmt: skip
    if done.lost:
        lines.append(f"  {say('convert.lost', lang)}")
        lines += [f"    {count:>7,}  {say(f'convert.lost_{name}', lang)}"
                  for name, count in done.lost.items()]  # fmt: skip
    else:
        lines.append(f"  {say('convert.lossless', lang)}")
    left_out = [(say(f"convert.why_{name}", lang), n) for name, n in done.left_out.items()]
    if done.broken:
        left_out.append((say("convert.broken", lang), done.broken))
    if left_out:
        lines.append(f"  {say('convert.left_out', lang)}")
        lines += [f"    {count:>7,}  {why}" for why, count in left_out]
    if done.left_out_lines:
        lines.append(f"             {_lines(done, lang)}")
    return "\n".join(lines) + "\n"


def _lines(done: Converted, lang: str) -> str:
    shown = ", ".join(str(line) for line in done.left_out_lines[:LINES_SHOWN])
    more = sum(done.left_out.values()) - min(len(done.left_out_lines), LINES_SHOWN)
    if more > 0:
        return say("convert.more_lines", lang, lines=shown, count=f"{more:,}")
    return say("convert.lines", lang, lines=shown)
