"""A rule's page as sections, and as text for the terminal or JSON."""

import json
from typing import Any

from forkpoint.report.advice_phrases import figure_text, join
from forkpoint.report.paragraph import heading, pad, wrap
from forkpoint.rules import RULES, Example, Rule, sentence
from forkpoint.sources import DISAGREEMENTS, bearings_on, claim, guide
from forkpoint.words import say

Section = tuple[str, tuple[str, ...]]  # heading, paragraphs; the examples' are list items


def sections(rule: Rule, lang: str) -> tuple[Section, ...]:
    """What a rule does, why, its examples with what it really says of them, its references."""
    found = (
        (say("rules.heading_does", lang), _does(rule, lang)),
        (say("rules.heading_why", lang), (say(rule.why, lang),)),
        (say("rules.heading_examples", lang), tuple(_shown(e, rule, lang) for e in rule.examples)),
        (say("rules.heading_disagrees", lang), _disagrees(rule, lang)),
        (say("rules.heading_measured", lang), _measured(rule, lang)),
        (say("rules.heading_references", lang), _references(rule, lang)),
    )
    return tuple(one for one in found if one[1])


def _does(rule: Rule, lang: str) -> tuple[str, ...]:
    claims = " ".join(say(claim(name).text, lang) for name in rule.claims)
    semicolon = say("advice.semicolon", lang)
    needs = semicolon.join(say(f"rules.need_{need}", lang) for need in rule.needs)
    meaning = say(f"rules.chat_{rule.chat_means}", lang)
    parts = [
        claims,
        say(f"rules.about_{rule.subject}", lang),
        say("rules.needs", lang, needs=needs),
        say("rules.chat_means", lang, meaning=meaning),
    ]
    if rule.thresholds:
        told = semicolon.join(
            say(
                "rules.threshold",
                lang,
                name=name,
                value=value,
                unit=say(f"rules.unit_{unit}", lang),
            )
            for name, value, unit in rule.thresholds
        )
        parts.append(say("rules.thresholds", lang, thresholds=told))
    parts.append(say("rules.strength", lang, strength=say(strength_key(rule), lang)))
    return tuple(parts)


def strength_key(rule: Rule) -> str:
    """The class of a rule's strength when nothing is known of the case."""
    if any(not study.own for study, _, _ in bearings_on(rule.code)):
        return "advice.strength_measured_elsewhere"
    return f"advice.strength_{'several_guides' if len(rule.guides) > 1 else 'one_guide'}"


def _shown(example: Example, rule: Rule, lang: str) -> str:
    finding = rule.judge(example.case(lang))
    given = join(given_parts(example, rule, lang), lang) or say("rules.given_nothing", lang)
    text = sentence(finding, lang)
    return say(
        "rules.given", lang, given=given, says=say(f"rules.says_{finding.says}", lang), text=text
    )


def given_parts(example: Example, rule: Rule, lang: str) -> list[str]:
    """What an example gives, each in words."""
    parts = []

    def add(key: str, **values: Any) -> None:
        parts.append(say(f"rules.given_{key}", lang, **values))

    if example.rows is not None:
        add(
            "rows",
            rows=example.rows,
            job=example.job,
            format=example.format,
            answers=example.answers,
        )
        for name in ("multi_turn", "system_prompts", "duplicates"):
            if value := getattr(example, name):
                add(name, value=value)
        if "LONG_PROMPT_CHARACTERS" in {name for name, _, _ in rule.thresholds}:
            add("prompt_characters", value=example.prompt_characters)
    if example.goal:
        add("goal", goal=example.goal[("en", "zh").index(lang)])
    if example.gpu_gib is not None:
        add("gpu" if example.gpu_gib else "gpu_none", value=example.gpu_gib)
    if rule.subject == "approach":
        add("approach", approach=say(f"advice.approach_{example.approach}", lang))
    if "stage" in rule.needs:
        key = "stage" if example.stage else "stage_unknown"
        add(key, stage=(example.stage or "").capitalize())
    if example.parameters:
        add("parameters", value=example.parameters / 1e9)
    if example.template is not None:
        add("template_yes" if example.template else "template_no")
    for key, value in (
        ("kind", example.kind),
        ("commercial", example.commercial_use),
        ("family", example.family),
        ("rival", example.rival_family),
    ):
        if value:
            add(key, value=value)
    return parts


def _disagrees(rule: Rule, lang: str) -> tuple[str, ...]:
    lines = []
    for one in DISAGREEMENTS:
        mine = [side for side in one.sides if rule.code in side.rules]
        for side in one.sides if mine else ():
            if side not in mine:
                text = say(f"sources.side_{side.key}", lang)
                by = join((*side.guides, *side.rules), lang)
                lines.append(f"{say(f'sources.disagreement_{one.key}', lang)} {text} [{by}]")
    return tuple(lines)


def _measured(rule: Rule, lang: str) -> tuple[str, ...]:
    lines = []
    for study, bearing, figure in bearings_on(rule.code):
        told = say(f"advice.direction_{bearing.direction}", lang)
        name = say(f"sources.{bearing.figure}", lang)
        text = say("advice.item", lang, name=name, text=figure_text(figure, lang))
        title = say(f"sources.study_{study.key}", lang)
        lines.append(f"{title}. {text}{say('advice.bracket', lang, text=told)} {study.address}")
    return tuple(lines)


def _references(rule: Rule, lang: str) -> tuple[str, ...]:
    lines = []
    for key in rule.guides:
        one = guide(key)
        claims = join((name for name in rule.claims if key in claim(name).guides), lang)
        where = one.address or say("sources.no_address", lang)
        lines.append(f"{key} ({claims}): {say(one.title, lang)} [{where}]")
    return tuple(lines)


def rule_text(rule: Rule, lang: str) -> str:
    """One rule's page for the terminal."""
    lines = [wrap(f"{rule.code}  {say(rule.question, lang)}")]
    for title, paragraphs in sections(rule, lang):
        lines.append(heading(title))
        lines += [wrap(one.replace("**", ""), "   ", " - ") for one in paragraphs]
    return "\n".join(lines) + "\n"


def rules_list(lang: str) -> str:
    """All rules with their questions."""
    lines = [say("rules.list_title", lang, n=len(RULES)), ""]
    for rule in RULES:
        claims = join(rule.claims, lang)
        text = f"{say(rule.question, lang)} [{claims}]"
        lines.append(wrap(text, " " * 9, f" {pad(rule.code, 8)}"))
    return "\n".join(lines) + "\n"


def rules_json(rules: tuple[Rule, ...], lang: str) -> str:
    """Rules as JSON, their texts in a language."""
    return json.dumps(
        [
            {
                "code": rule.code,
                "question": say(rule.question, lang),
                "why": say(rule.why, lang),
                "claims": {name: say(claim(name).text, lang) for name in rule.claims},
                "guides": rule.guides,
                "subject": rule.subject,
                "chat_means": rule.chat_means,
                "needs": rule.needs,
                "thresholds": {
                    name: {"value": value, "unit": unit} for name, value, unit in rule.thresholds
                },
                "strength": strength_key(rule).removeprefix("advice.strength_"),
                "examples": [
                    {
                        "given": given_parts(example, rule, lang),
                        "says": example.expects,
                        "text": sentence(rule.judge(example.case(lang)), lang),
                    }
                    for example in rule.examples
                ],
            }
            for rule in rules
        ],
        ensure_ascii=False,
        indent=2,
    )
