"""Phrases of advice: an arm, a figure, a count of rules, a side, the ground of a rule."""

from collections.abc import Iterable

from forkpoint.advice import Arm, Ground
from forkpoint.advice.record import DisagreementHere, Measured
from forkpoint.record import Figure
from forkpoint.report.paragraph import wrap
from forkpoint.rules import APPROACHES, rule
from forkpoint.sources import DISAGREEMENTS
from forkpoint.words import say


def join(parts: Iterable[str], lang: str) -> str:
    """Names in a row, as the language writes them."""
    return say("advice.comma", lang).join(parts)


def arm_name(arm: Arm, lang: str) -> str:
    """A candidate and its approach as one name."""
    return f"{arm.candidate} · {say(f'advice.approach_{arm.approach}', lang)}"


def figure_text(figure: Figure, lang: str) -> str:
    """A figure with its unit, interval, n and origin."""
    values = {
        "value": figure.value,
        "unit": say(f"sources.unit_{figure.unit}", lang) if figure.unit else "",
        "origin": say(f"advice.origin_{figure.origin}", lang),
    }
    if figure.low is None or figure.high is None:
        return say("advice.figure_bare", lang, **values)
    return say("advice.figure", lang, low=figure.low, high=figure.high, n=figure.n, **values)


def counts_text(arm: Arm, lang: str) -> str:
    """How many rules count for and against an arm, by class, and how many do not count."""
    if arm.excluded_by:
        return say("advice.excluded", lang, rules=join(arm.excluded_by, lang))
    parts, uncounted = [], 0
    for one in arm.balances:
        n_for, n_against = len(one.rules_for), len(one.rules_against)
        if one.strength == "contradicted":
            uncounted = n_for + n_against
        elif n_for or n_against:
            counts = say("advice.counts", lang, n_for=n_for, n_against=n_against)
            name = say(f"advice.strength_{one.strength}", lang)
            parts.append(say("advice.item", lang, name=name, text=counts))
    text = say("advice.semicolon", lang).join(parts) or say("advice.counts_none", lang)
    if uncounted:
        text += say("advice.semicolon", lang) + say("advice.counts_shown", lang, n=uncounted)
    return text


def ground_text(ground: Ground, lang: str) -> str:
    """The class of a rule's strength with its ground, in one line."""
    parts = [join(ground.guides, lang), say(f"advice.strength_{ground.strength}", lang)]
    if rule(ground.rule).chat_means == "aligned":
        parts.append(say("advice.chat_aligned", lang))
    for one in ground.measured:
        told = say(f"advice.direction_{one.direction}", lang)
        parts.append(say("advice.item", lang, name=one.study, text=told))
    for one in ground.quoted:
        told = say(f"advice.direction_{one.direction}", lang)
        parts.append(say("advice.quoted", lang, study=one.study, told=told))
    if ground.opposed_by:
        parts.append(say("advice.opposed", lang, rules=join(ground.opposed_by, lang)))
    return f"[{say('advice.semicolon', lang).join(parts)}]"


def measured_text(one: Measured, lang: str) -> str:
    """How a measurement bears on a rule, and how alike it is to the case at hand."""
    told = say(f"advice.direction_{one.direction}", lang)
    alike = join((say(key, lang) for key in (*one.alike, *one.unlike)), lang)
    return told + (say("advice.bracket", lang, text=alike) if alike else "")


def sides_text(one: DisagreementHere, lang: str) -> str:
    """A disagreement's question and its sides, each with whom it speaks for here."""
    question = say(f"sources.disagreement_{one.key}", lang)
    if one.within_guide:
        within = say("advice.within_guide", lang, guide=one.within_guide)
        question += say("advice.bracket", lang, text=within)
    lines = [wrap(question, " ")]
    for side in one.sides:
        if side.speaks_for:
            names = join((_short(name, lang) for name in side.speaks_for), lang)
            stands = say("advice.side_for", lang, names=names)
        elif _has_rules(side.key):
            stands = say("advice.side_silent", lang)
        else:
            stands = say("advice.side_uncoded", lang, claims=join(side.claims, lang))
        ground = join((*side.guides, *side.rules), lang)
        text = f"{say(f'sources.side_{side.key}', lang)} [{ground}] → {stands}"
        lines.append(wrap(text, "     ", "   - "))
    return "\n".join(lines)


def _has_rules(side: str) -> bool:
    return any(s.rules for one in DISAGREEMENTS for s in one.sides if s.key == side)


def _short(name: str, lang: str) -> str:
    return say(f"advice.approach_{name}", lang) if name in APPROACHES else name
