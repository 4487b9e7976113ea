"""Several runs beside each other: what they share, what differs, and every arm's scores."""

import json
from collections.abc import Sequence
from typing import Any, Literal

from forkpoint.errors import BadInput
from forkpoint.record import Figure, Record
from forkpoint.report import wording
from forkpoint.report.compare_chart import compared_svg
from forkpoint.report.opening import opening
from forkpoint.report.series import higher_is_better
from forkpoint.report.view_record import View
from forkpoint.report.visible import json_text, visible

Split = Literal["test", "validation"]
MOST = 8  # runs beside each other; more cannot be read


class ComparedRun(Record):
    """One run's column."""

    run: str
    created: str
    data_files: tuple[str, ...]
    data_sha256: str
    test_sha256: str
    metric: str
    arm: str | None  # the named arm
    tokens: Figure
    seconds: Figure
    share: Figure | None  # of brute force


class ComparedArm(Record):
    """One arm's best score in every run that had it."""

    arm: str
    checkpoint: str
    approach: str
    scores: tuple[Figure | None, ...]  # by run
    splits: tuple[Split | None, ...]  # on which rows each was scored


class ComparedSetting(Record):
    """A setting that is not the same in all runs."""

    name: str
    values: tuple[str, ...]


class Comparison(Record):
    """Everything to show of several runs together."""

    schema_version: int = 1
    runs: tuple[ComparedRun, ...]
    same_metric: bool
    same_test: bool
    same_data: bool
    arms: tuple[ComparedArm, ...]
    settings: tuple[ComparedSetting, ...]


def comparison(views: Sequence[View]) -> Comparison:
    """The runs in the order given; raises BadInput for fewer than two or too many."""
    if not 1 < len(views) <= MOST:
        raise BadInput("report.compare_count", found=len(views), most=MOST)
    runs = tuple(_run(view) for view in views)
    return Comparison(
        runs=runs,
        same_metric=len({run.metric for run in runs}) == 1,
        same_test=len({run.test_sha256 for run in runs}) == 1,
        same_data=len({run.data_sha256 for run in runs}) == 1,
        arms=_arms(views),
        settings=_settings(views),
    )


def _run(view: View) -> ComparedRun:
    return ComparedRun(
        run=view.run,
        created=view.created,
        data_files=view.data_files,
        data_sha256=view.hashes["data"],
        test_sha256=view.hashes["test"],
        metric=view.metric,
        arm=view.verdict.arm if view.verdict else None,
        tokens=view.cost.spent,
        seconds=view.cost.seconds,
        share=view.cost.share,
    )


def _arms(views: Sequence[View]) -> tuple[ComparedArm, ...]:
    """Every arm of any run, the best first by the first run that tells."""
    named: dict[str, tuple[str, str]] = {}
    for view in views:
        for arm in view.arms:
            named.setdefault(arm.name, (arm.checkpoint, arm.approach))
    sign = -1.0 if higher_is_better(views[0]) else 1.0
    rows = []
    for name, (checkpoint, approach) in named.items():
        scores: list[Figure | None] = []
        splits: list[Split | None] = []
        for view in views:
            result = next((arm.result for arm in view.arms if arm.name == name), None)
            test, validation = (result.test, result.validation) if result else (None, None)
            scores.append(test or validation)
            splits.append("test" if test else "validation" if validation else None)
        rows.append(
            ComparedArm(
                arm=name,
                checkpoint=checkpoint,
                approach=approach,
                scores=tuple(scores),
                splits=tuple(splits),
            )
        )

    def place(row: ComparedArm) -> tuple[bool, float]:
        tested = [f for f, s in zip(row.scores, row.splits, strict=True) if f and s == "test"]
        first = next(iter(tested), None) or next((f for f in row.scores if f), None)
        return not tested, sign * first.value if first else 0.0

    return tuple(sorted(rows, key=place))


def _settings(views: Sequence[View]) -> tuple[ComparedSetting, ...]:
    tables = [{s.name: s.value for s in view.settings} for view in views]
    names = dict.fromkeys(name for table in tables for name in table)
    found = []
    for name in names:
        values = tuple("–" if table.get(name) is None else str(table[name]) for table in tables)
        if len(set(values)) > 1:
            found.append(ComparedSetting(name=name, values=values))
    return tuple(found)


def context(table: Comparison, views: Sequence[View], lang: str) -> dict[str, Any]:
    """What the template of a comparison needs besides the words of the page it stands in."""
    from markupsafe import Markup

    chart = compared_svg(table, lang, f"{lang}-compared", wording.w("compare_title", lang))
    return {
        "table": table,
        "headlines": [opening(view, lang).headline for view in views],
        "compared_chart": Markup(chart) if chart else None,
        "setting_name": lambda name: wording.named("set", name, lang),
        "verdict_on": verdict_on(table, lang),
    }


def verdict_on(table: Comparison, lang: str) -> str:
    """Whether the scores may be compared at all."""
    if not table.same_metric:
        return wording.w("compare_other_metric", lang)
    return wording.w("compare_same_test" if table.same_test else "compare_other_test", lang)


def text(table: Comparison, views: Sequence[View], lang: str = "en") -> str:
    """The comparison as plain text."""
    from forkpoint.report.paragraph import heading, wrap

    lines = [wording.w("compare_title", lang), wrap(verdict_on(table, lang), "  ", "  ")]
    for place, (run, view) in enumerate(zip(table.runs, views, strict=True), start=1):
        lines += ["", f"{place}. {run.run}  {run.created[:10]}"]
        lines.append(wrap(opening(view, lang).headline, "   ", "   "))
        lines.append(f"   {_cost(run, lang)}")
    lines.append(heading(wording.w("compare_arms", lang)))
    for arm in table.arms:
        lines.append(f" {arm.arm}")
        for place, (figure, split) in enumerate(zip(arm.scores, arm.splits, strict=True), start=1):
            if figure:
                told = f"{wording.number(figure.value)} ({wording.span(figure, lang)})"
                on = wording.named("split", split, lang)
                lines.append(f"   {place}. {told}  {on}, n = {figure.n}")
    if table.settings:
        lines.append(heading(wording.w("compare_settings", lang)))
        for one in table.settings:
            name = wording.named("set", one.name, lang)
            lines.append(wrap(f"{name}: {' | '.join(one.values)}", "   ", " "))
    return visible("\n".join(lines)) + "\n"


def _cost(run: ComparedRun, lang: str) -> str:
    tokens = wording.count(run.tokens.value, lang)
    return f"{tokens} {wording.w('tokens', lang)}, {wording.duration(run.seconds.value, lang)}"


def json_document(table: Comparison) -> str:
    """The comparison as JSON, harmless on a terminal."""
    return json_text(json.dumps(json.loads(table.to_json()), ensure_ascii=False, indent=2))


def html(table: Comparison, views: Sequence[View], lang: str = "en") -> str:
    """One file in both languages, like the report."""
    from markupsafe import Markup

    from forkpoint.report.page import environment, style, words
    from forkpoint.words import LANGUAGES

    bodies = []
    for code in LANGUAGES:
        values = words(views[0], code) | context(table, views, code)
        template = environment(code).get_template("compared_body.html.jinja")
        bodies.append((code, Markup(template.render(values, lang=code))))
    page: str = (
        environment(lang)
        .get_template("page.html.jinja")
        .render(
            lang=lang,
            title=wording.w("compare_title", lang),
            bodies=tuple(bodies),
            style=Markup(style()),
            data=Markup(json_text(table.to_json())),
        )
    )
    return page
