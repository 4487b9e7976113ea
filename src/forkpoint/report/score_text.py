"""What scoring and selecting came to, as terminal text."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from forkpoint.plan.clock import minutes
from forkpoint.report.visible import visible
from forkpoint.report.wording import number
from forkpoint.selecting.score_file import Scores
from forkpoint.selecting.scoring import Cost, Sum
from forkpoint.selecting.selection import Selection
from forkpoint.words import say

WORST_SHOWN = 5  # rows named with what speaks against them


def cost_sentence(cost: Cost, lang: str) -> str:
    """What a scorer is about to do."""
    key = f"begins_{cost.scorer}"
    if cost.scorer == "judge":
        key += "_away" if cost.leaves_machine else "_here"
    return say(
        f"score.{key}",
        lang,
        by=visible(cost.by),
        rows=f"{cost.rows:,}",
        done=f"{cost.done_rows:,}",
        tokens=f"{cost.tokens or 0:,}",
        time=minutes(cost.seconds or 0.0, lang),
        host=visible(cost.host or ""),
    )


def score_text(data: str, file: Path, sums: Sequence[Sum], scores: Scores, lang: str) -> str:
    """What the scores say, and what can be done with them."""
    lines = [say("score.text_title", lang, file=visible(str(file)), rows=f"{len(scores):,}"), ""]
    for found in sums:
        lines += _sum_lines(found, lang)
    lines += ["", *_faults(scores, lang), *_difficult(scores, lang), ""]
    lines.append(say("score.text_next", lang, data=visible(data), file=visible(str(file))))
    return "\n".join(lines) + "\n"


def _sum_lines(found: Sum, lang: str) -> list[str]:
    name = say(f"score.name_{found.scorer}", lang)
    by = f" ({visible(found.by)})" if found.by else ""
    if found.mean is None:
        lines = [say("score.text_nothing", lang, name=name, by=by)]
    else:
        lines = [
            say(
                "score.text_sum",
                lang,
                name=name,
                by=by,
                scored=f"{found.scored:,}",
                mean=number(found.mean, 2),
                low=number(found.low, 2),
                high=number(found.high, 2),
            )
        ]
    if found.without_value:
        lines.append(say("score.text_without", lang, count=f"{found.without_value:,}"))
    if found.left:
        why = f" ({visible(found.gave_up)})" if found.gave_up else ""
        lines.append(say("score.text_left", lang, count=f"{found.left:,}", why=why))
    return lines


def _faults(scores: Scores, lang: str) -> list[str]:
    told = [row["heuristics"] for row in scores.values() if "heuristics" in row]
    doubted = sorted((one for one in told if one.parts), key=lambda one: (one.value, one.line))
    if not doubted:
        return [say("score.text_faultless", lang)] if told else []
    counts = Counter(part for one in doubted for part in one.parts)
    parts = ", ".join(f"{_part(name, lang)} {count:,}" for name, count in counts.most_common())
    lines = [say("score.text_faults", lang, rows=f"{len(doubted):,}", parts=parts)]
    lines.append(say("score.text_bad_examples", lang))
    for one in doubted[:WORST_SHOWN]:
        named = ", ".join(_part(name, lang) for name in one.parts)
        lines.append(
            say("score.text_example", lang, line=one.line, score=number(one.value, 2), parts=named)
        )
    return lines


def _difficult(scores: Scores, lang: str) -> list[str]:
    high = sum(1 for row in scores.values() if "ifd" in row and (row["ifd"].value or 0.0) >= 1.0)
    return [say("score.text_ifd_high", lang, count=f"{high:,}")] if high else []


def _part(name: str, lang: str) -> str:
    return say(f"score.part_{name}", lang)


def select_text(data: str, out: Path, notes: Path, rows: int, found: Selection, lang: str) -> str:
    """What was kept, how it was chosen, what was left out, and how to prove it."""
    kept = len(found.kept_lines)
    by = " x ".join(say(f"score.name_{scorer}", lang) for scorer in found.by)
    left = Counter(one.why for one in found.left_out)
    lines = [
        say("select.text_title", lang, kept=f"{kept:,}", rows=f"{rows:,}", data=visible(data)),
        *(say(key, lang) for key in found.notices),
        "",
        say("select.text_by", lang, by=by, seed=found.seed),
        _strata(found, lang),
        _vectors(found, lang),
        say(
            "select.text_left",
            lang,
            copies=f"{left['copy']:,}",
            faults=f"{left['fault']:,}",
            close=f"{left['close']:,}",
            rank=f"{left['rank']:,}",
        ),
    ]
    if found.filled:
        lines.append(say("select.text_filled", lang, count=f"{found.filled:,}"))
    if found.unscored:
        lines.append(say("select.text_unscored", lang, count=f"{found.unscored:,}"))
    lines += [
        "",
        say("select.text_notes", lang, file=visible(str(notes))),
        say("select.text_prove", lang, data=visible(data), file=visible(str(out))),
    ]
    return "\n".join(lines) + "\n"


def _strata(found: Selection, lang: str) -> str:
    reason = say(found.strata_reason, lang)
    if len(found.strata) < 2:
        return say("select.text_strata_one", lang, reason=reason)
    strata = ", ".join(
        f"{visible(one.name)} {one.kept:,}/{one.rows:,}"
        for one in sorted(found.strata, key=lambda one: (-one.rows, one.name))
    )
    return say("select.text_strata", lang, reason=reason, strata=strata)


def _vectors(found: Selection, lang: str) -> str:
    reason = say(found.vectors_reason, lang)
    if found.close is None:
        return say("select.text_vectors_off", lang, reason=reason)
    return say("select.text_vectors", lang, reason=reason, close=found.close)
