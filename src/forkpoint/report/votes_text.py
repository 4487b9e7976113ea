"""Votes on a terminal: a blind pair, the strengths, who agrees with whom, what was sent where."""

from typing import NamedTuple

from rich.cells import cell_len

from forkpoint.record import Figure
from forkpoint.report.paragraph import pad, wrap
from forkpoint.report.visible import bounded, visible
from forkpoint.report.wording import number, percent
from forkpoint.votes import Pair, Preferences
from forkpoint.votes.strengths import Accord, Meeting, Standings
from forkpoint.votes.vote_record import Sending
from forkpoint.words import say

TEXT_SHOWN = 4_000  # characters of one text of a pair; more does not fit a screen
EVEN = 0.5  # chance of being preferred when nothing tells two arms apart


class VotesTold(NamedTuple):
    """Votes as a page shows them."""

    title: str
    tables: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]  # caption, head and rows
    sentences: tuple[str, ...]


def pair_text(pair: Pair, lang: str, place: int, total: int, with_expected: bool = False) -> str:
    """One blind pair: the request, then the two answers as A and B."""
    lines = ["", _w("pair", lang, place=place, total=total)]
    for role, text in pair.prompt:
        lines += ["", _w(f"role_{role}", lang), _shown(text)]
    if with_expected:
        lines += ["", _w("role_expected", lang), _shown(pair.expected)]
    for side, answer in zip("AB", pair.answers, strict=True):
        lines += ["", f"[{side}]", _shown(answer) or _w("said_nothing", lang)]
    return "\n".join([*lines, "", _w("keys", lang)])


def votes_text(found: Preferences, lang: str) -> str:
    """What the votes say, for a terminal."""
    blocks = [_standings(one, lang) for one in (found.people, found.judges) if one]
    if not blocks:
        blocks.append(_w("none_yet", lang))
    if found.accords:
        lines = [_w("accord_title", lang)]
        lines += [wrap(accord_text(accord, lang), "    ", "  ") for accord in found.accords]
        blocks.append("\n".join(lines))
    if found.sendings:
        lines = [_w("sent_title", lang)]
        lines += [wrap(sending_text(sending, lang), "    ", "  ") for sending in found.sendings]
        blocks.append("\n".join(lines))
    if found.broken_lines:
        blocks.append("! " + _w("broken_lines", lang, count=found.broken_lines))
    return "\n\n".join(blocks) + "\n"


def votes_told(found: Preferences, lang: str) -> VotesTold:
    """What the votes say, in parts that a page can lay out."""
    kinds = [one for one in (found.people, found.judges) if one]
    says = [meeting_text(meeting, lang) for one in kinds for meeting in one.meetings]
    says += [accord_text(accord, lang) for accord in found.accords]
    says += [sending_text(sending, lang) for sending in found.sendings]
    return VotesTold(
        title=_w("report_title", lang),
        tables=tuple((_title(one, lang), tuple(map(tuple, _rows(one, lang)))) for one in kinds),
        sentences=(*says, _w("how", lang)),
    )


def _title(found: Standings, lang: str) -> str:
    voters = ("、" if lang == "zh" else ", ").join(
        f"{visible(name)} {votes}" for name, votes in found.voters.items()
    )
    return _w(f"title_{found.by}", lang, votes=found.votes, rows=found.rows, voters=voters)


def _rows(found: Standings, lang: str) -> list[list[str]]:
    """The table of strengths, its head first."""
    head = [_w(key, lang) for key in ("arm", "preferred", "won", "lost", "tied", "both_bad")]
    return [
        head,
        *(
            [
                visible(one.arm),
                interval(one.chance),
                *(str(count) for count in (one.wins, one.losses, one.ties, one.both_bad)),
            ]
            for one in found.strengths
        ),
    ]


def _standings(found: Standings, lang: str) -> str:
    lines = [_title(found, lang), *_table(_rows(found, lang))]
    lines += [wrap(meeting_text(meeting, lang), "    ", "  ") for meeting in found.meetings]
    lines.append(wrap(_w("how", lang), "  "))
    return "\n".join(lines)


def meeting_text(meeting: Meeting, lang: str) -> str:
    """Whether two arms can be told apart by the votes."""
    low, high = meeting.chance.low or 0.0, meeting.chance.high or 1.0
    first, second = visible(meeting.first), visible(meeting.second)
    if high < EVEN:
        first, second = second, first
        low, high = 1 - high, 1 - low
    key = "meeting_preferred" if low > EVEN else "meeting_open"
    values = {"low": percent(low), "high": percent(high), "n": meeting.chance.n}
    return _w(key, lang, first=first, second=second, **values)


def accord_text(accord: Accord, lang: str) -> str:
    """One sentence on who agreed with whom, or with itself."""
    text = _w(
        f"accord_{accord.kind}", lang, first=visible(accord.first), second=visible(accord.second),
        share=interval(accord.share), n=accord.share.n,
    )  # fmt: skip
    if accord.kappa is not None:
        text += _w("kappa", lang, kappa=number(accord.kappa, 2))
    return text


def sending_text(sending: Sending, lang: str) -> str:
    """One sentence on what was sent where."""
    key = "sent_here" if sending.loopback else "sent_away"
    what = _w("sent_with_expected" if sending.with_expected else "sent_without_expected", lang)
    return _w(
        key, lang, pairs=sending.pairs, rows=sending.rows, host=visible(sending.host),
        model=visible(sending.model), what=what, time=sending.time[:16].replace("T", " "),
    )  # fmt: skip


def announcement(sending: Sending, lang: str) -> str:
    """What is about to be sent where; said before the first request."""
    what = _w("sent_with_expected" if sending.with_expected else "sent_without_expected", lang)
    return say(
        "judge.will_send", lang, pairs=sending.pairs, rows=sending.rows,
        requests=2 * sending.pairs, host=visible(sending.host), model=visible(sending.model),
        what=what,
    )  # fmt: skip


def interval(figure: Figure) -> str:
    """A share with its interval: 74% (54–83%)."""
    if figure.low is None or figure.high is None:
        return percent(figure.value)
    return f"{percent(figure.value)} ({figure.low * 100:.0f}–{figure.high * 100:.0f}%)"


def _table(rows: list[list[str]]) -> list[str]:
    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  " + "  ".join(
            pad(cell, width) if column < 2 else " " * (width - cell_len(cell)) + cell
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]  # fmt: skip


def _shown(text: str) -> str:
    kept, more = bounded(text, TEXT_SHOWN)
    return visible(kept) + (f" … +{more:,}" if more else "")


def _w(key: str, lang: str, **values: object) -> str:
    return say(f"vote.{key}", lang, **values)
