"""The HTML report: one file in both languages that needs neither script nor network."""

from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Any, TypeVar

from forkpoint.record import Figure
from forkpoint.report import foreseen, untrained_text, wording
from forkpoint.report.charts import NARROW, WIDE
from forkpoint.report.curve_chart import curves_svg
from forkpoint.report.enough_text import enough_sentences
from forkpoint.report.enough_text import note as enough_note
from forkpoint.report.frontier_chart import frontier_svg
from forkpoint.report.interval_charts import (
    differences_svg,
    forgetting_svg,
    ranks_svg,
    scores_svg,
)
from forkpoint.report.kept_text import kept_sentences
from forkpoint.report.opening import arm_of, leader, opening, origin
from forkpoint.report.replay_table import replay_tables
from forkpoint.report.series import approaches, higher_is_better, ordered, places, score
from forkpoint.report.view_record import ArmView, MaskView, Saying, SettingView, View
from forkpoint.report.visible import bounded, json_text, visible
from forkpoint.report.votes_text import votes_told
from forkpoint.run.outcome import OUTCOMES
from forkpoint.words import LANGUAGES, say

Item = TypeVar("Item")
UNBROKEN = 28  # characters of a name that is not broken over lines in the headline
CHARTS = (
    "scores", "differences", "forgetting", "frontier", "ranks", "curves_wide", "curves_narrow",
)  # fmt: skip
SECTIONS = (
    "results",
    "curves",
    "guides",
    "forgetting",
    "stopping",
    "likelihood",
    "answers",
    "masks",
    "data",
    "cost",
    "settings",
    "again",
)


def html(view: View, lang: str = "en") -> str:
    """The whole page; `lang` is the language that shows first."""
    from markupsafe import Markup

    bodies = tuple((code, Markup(_body(view, code))) for code in LANGUAGES)
    title = wording.w("title", lang, run=view.run, headline=opening(view, lang).headline)
    page = environment(lang).get_template("page.html.jinja")
    text: str = page.render(
        lang=lang,
        title=title,
        bodies=bodies,
        style=Markup(style()),
        data=Markup(json_text(view.to_json())),
    )
    return text


@cache
def style() -> str:
    """The style sheet of the report, and of every page that looks like it."""
    return files(__package__).joinpath("templates/style.css").read_text(encoding="utf-8")


@cache
def environment(lang: str, *packages: str) -> Any:
    """Templates of one language; every text that enters passes `visible` and is escaped.

    `packages` name further packages whose `templates` are looked at before the report's.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def finalize(value: object) -> object:
        if not isinstance(value, str) or isinstance(value, Markup):
            return value
        kept, more = bounded(value)
        text = visible(kept)
        if not more:
            return text
        return f"{text} {wording.w('more_characters', lang, n=f'{more:,}')}"

    return Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in (*packages, str(__package__))]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _body(view: View, lang: str) -> str:
    text: str = (
        environment(lang).get_template("body.html.jinja").render(context(view, lang, CHARTS))
    )
    return text


def context(view: View, lang: str, charts: Iterable[str]) -> dict[str, Any]:
    """What the templates of a race need, with the charts of these names drawn."""
    return {
        **words(view, lang),
        "view": view,
        "lang": lang,
        "first": opening(view, lang),
        "sections": SECTIONS,
        "arms": ordered(view),
        "places": places(view),
        "approaches": approaches(view),
        "charts": _charts(view, lang, charts),
        "metric": wording.named("metric", view.metric, lang),
        "groups": [g for g in OUTCOMES if any(g in c.groups for c in view.answer_counts)],
        "stopping": _stopping(view),
        "ranks": _ranks(view),
        "costs": _costs(view),
        "memory_text": foreseen.memory_text,
        "cost_notes": foreseen.notes(
            view.foreseen, view.cost.seconds.value, view.cost.predicted_seconds.value, lang
        ),
        "seeds": next((s.value for s in view.settings if s.name == "finalist_seeds"), 1),
        "masks": _masks(view),
        "votes_told": votes_told(view.votes, lang) if view.votes else None,
        "bad_groups": grouped(view.bad_cases, lambda row: row.answers[0].group),
        "abilities": grouped(view.changes, lambda change: change.ability),
        "replays": replay_tables(view),
        "kept": kept_sentences(view.verdict, lang),
        "enough_told": lambda found: enough_sentences(found, lang),
        "enough_note": lambda found: enough_note(found, lang),
        "e": lambda key, **values: say(f"enough.{key}", lang, **values),
        "u": lambda key, **values: say(f"untrained.{key}", lang, **values),
        **untrained_text.page_words(view, lang),
        "advised_order": _advised(view),
        "leading": _leading(view),
        "guides_shown": bool(view.guides or view.advised or view.disagreements),
        "bad_counts": next((c.groups for c in view.answer_counts if c.arm == view.bad_arm), {}),
    }


def words(view: View, lang: str) -> dict[str, Any]:
    """What templates call to speak this language."""

    def setting_reason(setting: SettingView) -> str:
        if setting.reason is None:
            return ""
        text = wording.told(setting.reason, lang)
        return "" if text.startswith("report.why_") else text

    def setting_name(name: str) -> str:
        head, colon, entry = name.partition(": ")
        text = wording.named("set", head, lang)
        return f"{text}{colon}{entry}"

    def setting_value(setting: SettingView) -> str:
        if isinstance(setting.value, float):
            return f"{setting.value:g}"
        if setting.name == "metric":
            return wording.named("metric", str(setting.value), lang)
        return "–" if setting.value is None else wording.named("value", str(setting.value), lang)

    return {
        "t": lambda key, **values: wording.w(key, lang, **values),
        "told": lambda saying: wording.told(saying, lang),
        "told_parts": lambda key, values: wording.told(Saying(key=key, values=values), lang),
        "named": lambda kind, name: wording.named(kind, name, lang),
        "number": wording.number,
        "whole": lambda value: f"{value:,}",
        "span": lambda figure, digits=3, signed=False: wording.span(figure, lang, digits, signed),
        "count": lambda value: wording.count(value, lang),
        "duration": lambda value: wording.duration(value, lang),
        "size": wording.size,
        "chance": wording.chance,
        "percent": wording.percent,
        "rate": wording.rate,
        "origin": lambda figure: origin(figure, lang),
        "shared": lambda figures: shared(figures, lang),
        "unit": lambda figure: unit(figure, lang),
        "headline": lambda text: _unbroken(text, view),
        "basename": lambda path: PurePath(path).name or path,
        "setting_name": setting_name,
        "setting_value": setting_value,
        "setting_reason": setting_reason,
        "setting_hash": lambda name: wording.named("hash", name, lang),
    }


def unit(figure: Figure, lang: str) -> str:
    """The unit to print beside a number; none for scores, whose metric stands in the heading."""
    try:
        return wording.w(f"unit_{figure.unit}", lang) if figure.unit else ""
    except KeyError:
        return ""


def _unbroken(text: str, view: View) -> Any:
    """The headline with the names of checkpoints kept on one line, where they are short."""
    from markupsafe import Markup, escape

    parts = escape(visible(bounded(text)[0]))
    for name in view.checkpoints:
        if len(name) <= UNBROKEN:
            shown = escape(visible(name))
            parts = Markup(str(parts).replace(str(shown), f'<span class="whole">{shown}</span>'))
    return parts


def shared(figures: list[Figure | None], lang: str) -> str:
    """What all figures of a column have in common, or nothing when they differ."""
    ways = {(f.origin, f.n, f.source, f.low is not None) for f in figures if f}
    if len(ways) != 1:
        return ""
    figure = next(f for f in figures if f)
    text = origin(figure, lang)
    return text if figure.low is None else wording.w("shared_interval", lang, origin=text)


def grouped(items: Iterable[Item], key: Callable[[Item], str]) -> list[tuple[str, list[Item]]]:
    """Items by their key, groups in the order in which they first appear."""
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.items())


def _masks(view: View) -> list[tuple[str, list[MaskView]]]:
    """The kept masks by arm, the leading arm first."""
    order = {arm.name: place for place, arm in enumerate(ordered(view))}
    masks = sorted(view.masks, key=lambda mask: order.get(mask.arm, len(order)))
    return grouped(masks, lambda mask: mask.arm)


def _charts(view: View, lang: str, wanted: Iterable[str]) -> dict[str, Any]:
    from markupsafe import Markup

    plain = ("scores", "forgetting", "frontier", "ranks")
    title = {name: wording.w(f"chart_{name}", lang) for name in plain}
    arm = view.comparisons[0].a if view.comparisons else ""
    apart = visible(wording.w("chart_differences", lang, arm=arm))
    curves = wording.w("chart_curves", lang)
    draw: dict[str, Callable[[str], str | None]] = {
        "scores": lambda name: scores_svg(view, lang, name, title["scores"]),
        "differences": lambda name: differences_svg(view, lang, name, apart),
        "forgetting": lambda name: forgetting_svg(view, lang, name, title["forgetting"]),
        "frontier": lambda name: frontier_svg(view, lang, name, title["frontier"]),
        "ranks": lambda name: ranks_svg(view, lang, name, title["ranks"]),
        "curves_wide": lambda name: curves_svg(view, lang, name, curves, WIDE),
        "curves_narrow": lambda name: curves_svg(view, lang, name, curves, NARROW),
    }
    drawn = {chart: draw[chart](f"{lang}-{chart.replace('_', '-')}") for chart in wanted}
    return {name: Markup(drawn[name]) if drawn.get(name) else None for name in CHARTS}


def _stopping(view: View) -> list[dict[str, Any]]:
    """Arms, then untrained checkpoints, each with what became of its answers."""
    counts = {found.arm: found for found in view.answer_counts}
    rows: list[dict[str, Any]] = [
        {"arm": arm, "name": arm.name, "counts": counts.pop(arm.name, None)}
        for arm in ordered(view)
    ]
    rows += [{"arm": None, "name": name, "counts": found} for name, found in counts.items()]
    return rows


def _ranks(view: View) -> list[dict[str, Any]]:
    """Every arm with its place by likelihood and by the primary metric."""
    sign = _sign(view)
    scored = [a for a in ordered(view) if a.result.bits_per_byte and a.result.validation]

    def by_bits(arm: ArmView) -> float:
        return arm.result.bits_per_byte.value if arm.result.bits_per_byte else 0.0

    def by_score(arm: ArmView) -> float:
        return sign * arm.result.validation.value if arm.result.validation else 0.0

    bits = [arm.name for arm in sorted(scored, key=by_bits)]
    score = [arm.name for arm in sorted(scored, key=by_score)]
    return [
        {"arm": a, "likelihood": bits.index(a.name) + 1, "primary": score.index(a.name) + 1}
        for a in scored
    ]


def _costs(view: View) -> list[dict[str, Any]]:
    """Predicted against measured time of each arm's trials, as far as both are known."""
    rows = []
    for arm in ordered(view):
        both = [t for t in arm.trials if t.predicted_seconds and t.seconds and t.state == "scored"]
        predicted = sum(t.predicted_seconds or 0 for t in both)
        seconds = sum(t.seconds or 0 for t in both)
        rows.append(
            {
                "arm": arm,
                "n": len(both),
                "predicted": predicted,
                "seconds": seconds,
                "ratio": seconds / predicted if predicted else None,
            }
        )
    return rows


def _advised(view: View) -> list[dict[str, Any]]:
    """The arms of the race in the order of the advice, with their measured places."""
    scored = sorted(
        (arm for arm in view.arms if arm.result.test or arm.result.validation),
        key=lambda arm: (arm.result.test is None, _sign(view) * score(arm.result)),
    )
    measured = {arm.name: place for place, arm in enumerate(scored, start=1)}
    by_pair = {(arm.checkpoint, arm.approach): arm for arm in view.arms}
    rows: list[dict[str, Any]] = []
    for advised in sorted(view.advised, key=lambda one: one.place):
        if arm := by_pair.get((advised.checkpoint, advised.approach)):
            rows.append(
                {
                    "arm": arm,
                    "advised": len(rows) + 1,
                    "measured": measured.get(arm.name),
                    "figure": arm.result.test or arm.result.validation,
                    "ruled_out": advised.ruled_out,
                }
            )
    return rows


def _leading(view: View) -> str | None:
    """The checkpoint of the named arm, or of the leader so far."""
    arm = arm_of(view, view.verdict.arm if view.verdict else None) or leader(view)
    return arm.checkpoint if arm else None


def _sign(view: View) -> float:
    return -1.0 if higher_is_better(view) else 1.0
