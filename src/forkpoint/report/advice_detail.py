"""The detailed half of advice: every rule's word, the arms in order, the checkpoints, guides."""

from collections.abc import Iterable
from string import ascii_uppercase

from forkpoint.advice import Advice
from forkpoint.report.advice_phrases import (
    arm_name,
    counts_text,
    figure_text,
    ground_text,
    join,
    measured_text,
    sides_text,
)
from forkpoint.report.notice_text import notice_text
from forkpoint.report.paragraph import heading, pad, wrap
from forkpoint.rules import APPROACHES, RULES, Finding, sentence
from forkpoint.sources import GUIDES, STUDIES, Study
from forkpoint.words import say

SIGNS = {"for": "+", "against": "-", "unknown": "?", "silent": "."}
NAME_CELLS = 8  # of a rule's code in a column


def detail(advice: Advice, lang: str) -> str:
    """Everything below the first screen."""
    parts = [
        _rules(advice, lang),
        _approaches(advice, lang),
        _quiet(advice, "unknown", lang),
        _quiet(advice, "silent", lang),
        _arms(advice, lang),
        _evidence(advice, lang),
        _quiet_disagreements(advice, lang),
        _notices(advice, lang),
        _guides(lang),
    ]
    return "\n".join(part for part in parts if part)


def _letters(advice: Advice) -> dict[str, str]:
    """A letter for each candidate's column; more than 26 get numbers."""
    count = len(advice.candidates)
    names = ascii_uppercase if count <= 26 else [str(n) for n in range(1, count + 1)]
    return {one.name: name for one, name in zip(advice.candidates, names, strict=False)}


def _rules(advice: Advice, lang: str) -> str:
    letters = _letters(advice)
    note = say("advice.bracket", lang, text=say("advice.legend", lang))
    lines = [heading(say("advice.what_rules_say", lang) + note)]
    for one in advice.candidates:
        stage = one.stage.capitalize() if one.stage else say("advice.stage_unknown", lang)
        size = f", {_size(one.parameters)}" if one.parameters else ""
        suffix = f" ({stage}{size})" if one.from_files else ""
        lines.append(f" {letters[one.name]}  {one.name}{suffix}")
    lines.append(f" {pad('', NAME_CELLS)}{' '.join(letters.values())}")
    indent = " " * (NAME_CELLS + sum(len(one) + 1 for one in letters.values()) + 2)
    for code, found in _speaking(advice, "checkpoint"):
        signs = {one.about: SIGNS[one.says] for one in found}
        row = " ".join(pad(signs[name], len(letter)) for name, letter in letters.items())
        first = f" {pad(code, NAME_CELLS)}{row}  "
        for text, about in _sentences(found, lang):
            if len(about) < len(letters):
                who = " ".join(letters[name] for name in about)
                text = say("advice.item", lang, name=who, text=text)
            lines.append(wrap(text, indent, first))
            first = indent
        lines.append(wrap(ground_text(advice.ground(code), lang), indent))
    return "\n".join(lines)


def _size(parameters: int) -> str:
    if parameters >= 10**9:
        return f"{parameters / 1e9:.1f}B"
    return f"{parameters / 1e6:.1f}M"


def _speaking(advice: Advice, subject: str) -> Iterable[tuple[str, list[Finding]]]:
    for rule in RULES:
        found = [one for one in advice.findings if one.rule == rule.code]
        if rule.subject == subject and any(one.says in ("for", "against") for one in found):
            yield rule.code, found


def _sentences(found: list[Finding], lang: str) -> list[tuple[str, tuple[str, ...]]]:
    """Each distinct sentence with those it is about, in the order they come."""
    about: dict[str, list[str]] = {}
    for one in found:
        about.setdefault(sentence(one, lang), []).append(one.about)
    return [(text, tuple(dict.fromkeys(names))) for text, names in about.items()]


def _approaches(advice: Advice, lang: str) -> str:
    lines = [heading(say("advice.approaches", lang))]
    for code, found in _speaking(advice, "approach"):
        spoken = [one for one in found if one.says in ("for", "against")]
        first = f" {pad(code, NAME_CELLS)}"
        for text, about in _sentences(spoken, lang):
            mine = [one for one in spoken if sentence(one, lang) == text]
            signs = "  ".join(
                f"{SIGNS[says]} {names}"
                for says in ("for", "against")
                if (names := _named(mine, says, lang))
            )
            if len(about) < len(advice.candidates):
                signs += say("advice.bracket", lang, text=join(about, lang))
            line = say("advice.item", lang, name=signs, text=text)
            lines.append(wrap(line, " " * (NAME_CELLS + 1), first))
            first = " " * (NAME_CELLS + 1)
        lines.append(wrap(ground_text(advice.ground(code), lang), first))
    return "\n".join(lines) if len(lines) > 1 else ""


def _named(found: list[Finding], says: str, lang: str) -> str:
    wanted = {one.approach for one in found if one.says == says}
    return join((say(f"advice.approach_{one}", lang) for one in APPROACHES if one in wanted), lang)


def _quiet(advice: Advice, says: str, lang: str) -> str:
    """Rules that speak of nobody here: those that lack something, or those that do not apply."""
    lines = [heading(say(f"advice.{says}", lang))]
    for rule in RULES:
        found = [one for one in advice.findings if one.rule == rule.code]
        kinds = {one.says for one in found}
        if kinds & {"for", "against"} or ("unknown" in kinds) != (says == "unknown"):
            continue
        mine = [one for one in found if one.says == says]
        for place, (text, about) in enumerate(_sentences(mine, lang)):
            first = f" {pad('' if place else rule.code, NAME_CELLS)}"
            if len(about) < len(advice.candidates):
                text = say("advice.item", lang, name=join(about, lang), text=text)
            lines.append(wrap(text, " " * (NAME_CELLS + 1), first))
    return "\n".join(lines) if len(lines) > 1 else ""


def _arms(advice: Advice, lang: str) -> str:
    lines = [heading(say("advice.all_arms", lang))]
    for arm in advice.arms:
        text = say("advice.item", lang, name=arm_name(arm, lang), text=counts_text(arm, lang))
        lines.append(wrap(text, " " * 6, f" {arm.place:>3}  "))
    lines.append(heading(say("advice.order", lang)))
    lines += [wrap(say(f"advice.order_{n}", lang), "    ", " ") for n in range(1, 6)]
    return "\n".join(lines)


def _evidence(advice: Advice, lang: str) -> str:
    """Every study that bears on a disagreement that matters, with its figures, once."""
    wanted = {key for one in advice.disagreements if one.matters for key in one.studies}
    wanted |= {m.study for one in advice.grounds for m in (*one.measured, *one.quoted)}
    lines = [heading(say("advice.evidence", lang))]
    for ground in advice.grounds:
        for one in ground.measured:
            if one.study == "own":
                text = f"{figure_text(one.figure, lang)}; {measured_text(one, lang)}"
                name = f"{say('advice.own_races', lang)} {ground.rule}"
                lines.append(wrap(say("advice.item", lang, name=name, text=text), "   ", " "))
    for study in STUDIES:
        if study.key in wanted:
            lines += _study(advice, study, lang)
    return "\n".join(lines) if len(lines) > 1 else ""


def _study(advice: Advice, study: Study, lang: str) -> list[str]:
    title = say(f"sources.study_{study.key}", lang)
    scale = join(
        (say(f"sources.{k}", lang) for k in (f"scale_{study.scale}", f"read_{study.read}")), lang
    )
    lines = [wrap(f"{study.key}  {title}{say('advice.bracket', lang, text=scale)}", "   ", " ")]
    lines.append(wrap(say(f"sources.lesson_{study.key}", lang), "   "))
    for one in study.figures:
        name = say(f"sources.{one.name}", lang)
        name += say("advice.bracket", lang, text=one.of) if one.of else ""
        text = say("advice.item", lang, name=name, text=figure_text(one.figure, lang))
        lines.append(wrap(text, "     ", "   * "))
    bearing = [
        (ground.rule, measured_text(one, lang))
        for ground in advice.grounds
        for one in (*ground.measured, *ground.quoted)
        if one.study == study.key
    ]
    for told in dict.fromkeys(text for _, text in bearing):
        name = join((rule for rule, text in bearing if text == told), lang)
        lines.append(wrap(say("advice.item", lang, name=name, text=told), "     ", "   > "))
    lines.append(f"   {study.address}")
    return lines


def _quiet_disagreements(advice: Advice, lang: str) -> str:
    quiet = [one for one in advice.disagreements if not one.matters]
    if not quiet:
        return ""
    lines = [heading(say("advice.quiet_disagreements", lang))]
    return "\n".join([*lines, *(sides_text(one, lang) for one in quiet)])


def _notices(advice: Advice, lang: str) -> str:
    lines = [heading(say("advice.notices", lang))]
    for one in advice.candidates:
        for notice in one.notices:
            told = notice_text(notice, lang)
            text = say("advice.item", lang, name=one.name, text=told)
            lines.append(wrap(text, "   ", " ! " if notice.level != "info" else " - "))
    return "\n".join(lines) if len(lines) > 1 else ""


def _guides(lang: str) -> str:
    lines = [heading(say("advice.sources", lang))]
    for one in GUIDES:
        where = one.address or say("sources.no_address", lang)
        text = say("advice.item", lang, name=one.key, text=say(one.title, lang))
        lines.append(wrap(f"{text} [{where}]", "   ", " "))
    return "\n".join(lines)
