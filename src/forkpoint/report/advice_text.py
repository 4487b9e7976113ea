"""Advice as plain text: a first screen that can be acted on, everything else below it."""

from rich.cells import cell_len

from forkpoint.advice import Advice, Arm, StageTally
from forkpoint.report.advice_detail import detail
from forkpoint.report.advice_phrases import (
    arm_name,
    counts_text,
    figure_text,
    join,
    sides_text,
)
from forkpoint.report.paragraph import heading, pad, wrap
from forkpoint.report.visible import visible
from forkpoint.sources import study
from forkpoint.words import say

FIRST_ARMS = 5  # trained arms on the first screen


def advice_text(advice: Advice, lang: str = "en") -> str:
    """The whole advice: what to run first, where guides disagree, what settles it, details."""
    parts = [
        _about(advice, lang),
        _run_first(advice, lang),
        _disagreements(advice, lang),
        _settle(advice, lang),
        detail(advice, lang),
    ]
    return visible("\n".join(part for part in parts if part)) + "\n"


def _about(advice: Advice, lang: str) -> str:
    lines = []
    own = [] if advice.tally is None else [wrap(_own_races(advice.tally, lang))]
    if advice.data:
        title = say("advice.title", lang, data=advice.data)
        rows = say("advice.rows", lang, rows=advice.rows) if advice.rows is not None else ""
        lines.append(f"{title} · {rows}" if rows else title)
    else:
        lines.append(say("advice.title_general", lang))
    if not advice.goal.text:
        lines.append(wrap(say("advice.no_goal", lang)))
        return "\n".join([*lines, *own])
    lines.append(wrap(say("advice.goal", lang, goal=advice.goal.text)))
    signs = []
    for sign in advice.goal.signs:
        name = say(f"goal.{sign.want}", lang)
        name = say("goal.denied", lang, want=name) if sign.denied else name
        words = join((f"“{word}”" for word in sign.words), lang)
        signs.append(name + say("advice.bracket", lang, text=words))
    if signs:
        lines.append(wrap(say("advice.understood", lang, signs=join(signs, lang)), "  "))
    else:
        lines.append(wrap(say("advice.understood_nothing", lang)))
    return "\n".join([*lines, *own])


def _own_races(tally: StageTally, lang: str) -> str:
    """Whom the user's own earlier races of this kind named, and what that counts."""
    order = sorted(tally.wins, key=lambda stage: (-tally.wins[stage], stage))
    wins = join(
        (say("advice.own_wins", lang, stage=one.capitalize(), n=tally.wins[one]) for one in order),
        lang,
    )
    return say("advice.own_tally", lang, races=tally.races, wins=wins)


def _run_first(advice: Advice, lang: str) -> str:
    note = say("advice.bracket", lang, text=say("advice.run_first_note", lang))
    lines = [heading(say("advice.run_first", lang) + note)]
    untrained = [arm for arm in advice.arms if not arm.trained and not arm.excluded_by]
    trained = [arm for arm in advice.arms if arm not in untrained]
    if untrained:
        last = untrained[-1].place
        place = f" {1:>2}  " if last == 1 else f" 1-{last}  "
        lines.append(wrap(_untrained(untrained, lang), "      ", place))
    shown = trained[:FIRST_ARMS]
    width = max((cell_len(arm_name(arm, lang)) for arm in shown), default=0) + 2
    for arm in shown:
        name = pad(arm_name(arm, lang), width)
        lines.append(wrap(counts_text(arm, lang), " " * (width + 5), f" {arm.place:>2}  {name}"))
    if more := len(trained) - len(shown):
        lines.append(f"     {say('advice.more_arms', lang, n=more)}")
    if len(trained) > 1:
        lines.append(wrap(why_before(trained[0], trained[1], lang), " "))
    if not any(one.from_files for one in advice.candidates):
        lines.append(wrap(say("advice.general_note", lang), " "))
    return "\n".join(lines)


def _untrained(arms: list[Arm], lang: str) -> str:
    names = [say(f"advice.approach_{arm.approach}", lang) for arm in arms]
    rules = [code for arm in arms for one in arm.balances for code in one.rules_for]
    told = sorted(code for code in set(rules) if code.startswith(("FP-C", "FP-D")))
    return say(
        "advice.untrained",
        lang,
        approaches=join(dict.fromkeys(names), lang),
        names=join(dict.fromkeys(arm.candidate for arm in arms), lang),
        rules=join(told, lang),
    )


def why_before(first: Arm, second: Arm, lang: str) -> str:
    """Why one arm stands before the next, by the rule of the order."""
    names = {"first": arm_name(first, lang), "second": arm_name(second, lang)}
    if second.excluded_by and not first.excluded_by:
        return say("advice.why_excluded", lang, rules=join(second.excluded_by, lang), **names)
    for one, two in zip(first.balances, second.balances, strict=True):
        if one.strength == "contradicted" or one.net == two.net:
            continue
        apart = set(one.rules_for) ^ set(two.rules_for)
        apart |= set(one.rules_against) ^ set(two.rules_against)
        return say(
            "advice.why_first",
            lang,
            strength=say(f"advice.strength_{one.strength}", lang),
            for_1=len(one.rules_for),
            against_1=len(one.rules_against),
            for_2=len(two.rules_for),
            against_2=len(two.rules_against),
            rules=say("advice.why_only_one", lang, rules=join(sorted(apart), lang)),
            **names,
        )
    return say("advice.why_equal", lang, **names)


def _disagreements(advice: Advice, lang: str) -> str:
    live = [one for one in advice.disagreements if one.matters]
    note = say("advice.guides_disagree_note", lang, n=len(live), all=len(advice.disagreements))
    note = say("advice.bracket", lang, text=note)
    lines = [heading(say("advice.guides_disagree", lang) + note)]
    for place, one in enumerate(live):
        lines += [""] if place else []
        lines += [sides_text(one, lang), _first_evidence(one.studies, lang)]
    if quiet := [one for one in advice.disagreements if not one.matters]:
        names = " ".join(say(f"sources.disagreement_{one.key}", lang) for one in quiet)
        lines += [""] if live else []
        lines.append(wrap(say("advice.others_quiet", lang, names=names), " "))
    return "\n".join(lines)


def _first_evidence(studies: tuple[str, ...], lang: str) -> str:
    """The first measurement and the first own study; all of them stand in the details."""
    if not studies:
        return f"   {say('advice.not_measured', lang)}"
    every = [study(key) for key in studies]
    shown = [every[0], *(one for one in every[1:] if one.own)][:2]
    lines = []
    for one in shown:
        text = say(f"sources.lesson_{one.key}", lang)
        if one.figures:
            first = one.figures[0]
            name, told = say(f"sources.{first.name}", lang), figure_text(first.figure, lang)
            text += f" {say('advice.item', lang, name=name[:1].upper() + name[1:], text=told)}"
        text += f" [{one.key}]"
        if one is shown[-1] and (more := len(every) - len(shown)):
            text += say("advice.bracket", lang, text=say("advice.more_evidence", lang, n=more))
        name = say("advice.own_study" if one.own else "advice.measured", lang)
        lines.append(wrap(say("advice.item", lang, name=name, text=text), "     ", "   * "))
    return "\n".join(lines)


def _settle(advice: Advice, lang: str) -> str:
    lines = [heading(say("advice.settle", lang))]
    if advice.settle:
        lines.append(wrap(say("advice.settle_why", lang), " "))
        lines.append(f"   {advice.settle}")
        if len(advice.candidates) == 1:
            lines.append(wrap(say("advice.settle_one", lang), " "))
    elif advice.arms and all(arm.excluded_by for arm in advice.arms):
        lines.append(wrap(say("advice.settle_nothing", lang), " "))
    else:
        lines.append(wrap(say("advice.settle_general", lang), " "))
    return "\n".join(lines)
