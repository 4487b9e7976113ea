"""The rules' pages in docs/rules: one a rule and language, an index, and the uncoded claims."""

from pathlib import Path

from forkpoint.report.advice_phrases import figure_text, join
from forkpoint.report.rules_text import sections
from forkpoint.rules import RULES, Rule
from forkpoint.sources import CLAIMS, DISAGREEMENTS, STUDIES, claim
from forkpoint.words import LANGUAGES, say

SUFFIX = {"en": ".md", "zh": ".zh.md"}


def write_pages(folder: Path) -> int:
    """Write all pages into a folder, made if it is missing; the number of pages."""
    folder.mkdir(parents=True, exist_ok=True)
    found = pages()
    for name, text in found.items():
        (folder / name).write_text(text, encoding="utf-8")
    return len(found)


def pages() -> dict[str, str]:
    """Every page: file name -> Markdown."""
    found = {}
    for lang in LANGUAGES:
        found[f"README{SUFFIX[lang]}"] = _index(lang)
        found[f"claims{SUFFIX[lang]}"] = _claims(lang)
        for rule in RULES:
            found[f"{rule.code}{SUFFIX[lang]}"] = _page(rule, lang)
    return found


def _top(title: str, name: str, lang: str) -> list[str]:
    other = SUFFIX["zh" if lang == "en" else "en"]
    return [
        f"# {title}",
        "",
        f"[{say('rules.page_other_language', lang)}]({name}{other}) · "
        f"[{say('rules.page_index', lang)}](README{SUFFIX[lang]})",
        "",
    ]


def _end(lines: list[str], lang: str) -> str:
    return "\n".join([*lines, "", f"<!-- {say('rules.page_generated', lang)} -->", ""])


def _page(rule: Rule, lang: str) -> str:
    lines = _top(f"{rule.code}: {say(rule.question, lang)}", rule.code, lang)
    for title, paragraphs in sections(rule, lang):
        lines += [f"## {title}", ""]
        lines += [f"- {one}" for one in paragraphs] if len(paragraphs) > 1 else [*paragraphs]
        lines.append("")
    return _end(lines[:-1], lang)


def _index(lang: str) -> str:
    lines = _top(say("rules.page_index", lang), "README", lang)
    lines += [say("rules.page_index_intro", lang), ""]
    heads = [say(f"rules.column_{name}", lang) for name in ("code", "question", "claims")]
    lines += [f"| {' | '.join(heads)} |", "|---|---|---|"]
    for rule in RULES:
        link = f"[{rule.code}]({rule.code}{SUFFIX[lang]})"
        lines.append(f"| {link} | {say(rule.question, lang)} | {join(rule.claims, lang)} |")
    lines += ["", f"[{say('rules.page_claims', lang)}](claims{SUFFIX[lang]})"]
    lines += ["", f"## {say('rules.page_disagreements', lang)}", ""]
    for one in DISAGREEMENTS:
        lines += [f"### {say(f'sources.disagreement_{one.key}', lang)}", ""]
        for side in one.sides:
            by = join((*side.guides, *side.claims), lang)
            lines.append(f"- {say(f'sources.side_{side.key}', lang)} [{by}]")
        measured = join(one.studies, lang) or say("advice.not_measured", lang)
        name = say("advice.measured", lang)
        lines += [f"- {say('advice.item', lang, name=name, text=measured)}", ""]
    lines += [f"## {say('rules.page_studies', lang)}", ""]
    for study in STUDIES:
        lines += [f"### {study.key}", "", say(f"sources.study_{study.key}", lang), ""]
        lines += [say(f"sources.lesson_{study.key}", lang), ""]
        for figure in study.figures:
            name = say(f"sources.{figure.name}", lang)
            name += say("advice.bracket", lang, text=figure.of) if figure.of else ""
            text = figure_text(figure.figure, lang)
            lines.append(f"- {say('advice.item', lang, name=name, text=text)}")
        scale = join(
            (say(f"sources.scale_{study.scale}", lang), say(f"sources.read_{study.read}", lang)),
            lang,
        )
        lines += [f"- {study.address}{say('advice.bracket', lang, text=scale)}", ""]
    return _end(lines[:-1], lang)


def _claims(lang: str) -> str:
    lines = _top(say("rules.page_claims", lang), "claims", lang)
    lines += [say("rules.page_claims_intro", lang), ""]
    section = ""
    for one in CLAIMS:
        if one.documented is None:
            continue
        if one.id[0] != section:
            section = one.id[0]
            lines += [f"## {section}. {say(f'sources.section_{section}', lang)}", ""]
        by = join(claim(one.id).guides, lang)
        reason = say(f"sources.reason_{one.documented}", lang)
        lines += [f"- **{one.id}** {say(one.text, lang)} [{by}]", f"  {reason}", ""]
    return _end(lines[:-1], lang)
