"""Checkpoints side by side as one page in both languages, without script or network."""

from typing import Any

from forkpoint.behaviour.features import FEATURES
from forkpoint.behaviour.side_by_side import Comparison
from forkpoint.report.compare_text import (
    decoding,
    deed,
    difference_sentences,
    prompt_title,
    room,
    w,
)
from forkpoint.report.page import environment, style
from forkpoint.report.visible import json_text
from forkpoint.report.wording import percent
from forkpoint.words import LANGUAGES


def comparison_page(found: Comparison, lang: str) -> str:
    """The page; `lang` is the language that shows first."""
    from markupsafe import Markup

    names = ", ".join(one.name for one in found.checkpoints)
    text: str = (
        environment(lang)
        .get_template("page.html.jinja")
        .render(
            lang=lang,
            title=w("title", lang, names=names),
            bodies=tuple((code, Markup(_body(found, code, names))) for code in LANGUAGES),
            style=Markup(style()),
            data=Markup(json_text(found.to_json())),
        )
    )
    return text


def _body(found: Comparison, lang: str, names: str) -> str:
    text: str = (
        environment(lang)
        .get_template("compare.html.jinja")
        .render(
            lang=lang,
            t=lambda key, **values: w(key, lang, **values),
            title=w("title", lang, names=names),
            differences=difference_sentences(found, lang),
            how=decoding(found.request.decoding, lang),
            room=room(found, lang),
            notes=[
                w("no_template", lang, name=one.name)
                for one in found.checkpoints
                if not one.template and "template" in found.request.ways
            ],
            features=FEATURES,
            percent=percent,
            rows=_rows(found),
            probes=_probes(found, lang),
        )
    )
    return text


def _rows(found: Comparison) -> list[dict[str, Any]]:
    groups: dict[tuple[int, str], list[Any]] = {}
    for tally in found.tallies:
        groups.setdefault((tally.checkpoint, tally.way), []).append(tally)
    return [
        {"name": found.checkpoints[place].name, "way": way, "tallies": tallies}
        for (place, way), tallies in groups.items()
    ]


def _probes(found: Comparison, lang: str) -> list[dict[str, Any]]:
    said: dict[str, list[dict[str, Any]]] = {probe.id: [] for probe in found.request.probes}
    for one in found.said:
        if one.answer is not None and one.features is not None:
            said[one.probe].append(
                {
                    "name": found.checkpoints[one.checkpoint].name,
                    "way": one.way,
                    "text": one.answer.text,
                    "deed": deed(one.features, one.answer, lang),
                }
            )
    return [
        {"title": prompt_title(probe, lang), "said": said[probe.id]}
        for probe in found.request.probes
    ]
