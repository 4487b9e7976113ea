"""The first screen in words: the verdict in two or three sentences, and what would help."""

from dataclasses import dataclass
from math import ceil

from forkpoint.record import Figure
from forkpoint.report.series import higher_is_better, ordered
from forkpoint.report.untrained_text import worth_sentence
from forkpoint.report.view_record import ArmView, Saying, View
from forkpoint.report.wording import (
    chance,
    count,
    duration,
    named,
    number,
    percent,
    span,
    told,
    w,
)
from forkpoint.verdict.verdict_record import Change, Verdict

SEED_SHARE = 0.5  # of the difference: seed noise above it is worth more seeds


@dataclass(frozen=True)
class Tile:
    """One figure of the first screen."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Opening:
    """What a reader sees before anything else."""

    headline: str
    sentences: tuple[str, ...]
    tiles: tuple[Tile, ...]
    help: tuple[str, ...]


def opening(view: View, lang: str) -> Opening:
    """The first screen of a race that ended, runs or was interrupted."""
    if view.verdict is None:
        return Opening(
            _headline_open(view, lang), _sentences_open(view, lang), _tiles_open(view, lang), ()
        )
    return Opening(
        _headline(view, lang),
        _sentences(view, lang),
        _tiles(view, lang),
        tuple(told(saying, lang) for saying in helps(view, lang)),
    )


def arm_of(view: View, name: str | None) -> ArmView | None:
    """The arm of this name."""
    return next((arm for arm in view.arms if arm.name == name), None)


def leader(view: View) -> ArmView | None:
    """The arm with the best score so far."""
    scored = [arm for arm in ordered(view) if arm.result.validation and not arm.fate]
    sign = 1 if higher_is_better(view) else -1
    return max(scored, key=lambda arm: sign * _value(arm.result.validation), default=None)


def _value(figure: Figure | None) -> float:
    return figure.value if figure else 0.0


def _headline(view: View, lang: str) -> str:
    verdict = view.verdict
    arm = arm_of(view, verdict.arm if verdict else None)
    kind = verdict.kind if verdict else ""
    checkpoint = (verdict.fork_point if verdict else None) or (arm.checkpoint if arm else "–")
    if checkpoint == "–" and kind != "floor":
        return w("headline_none", lang)
    approach = named("approach", arm.approach if arm else None, lang)
    return w(f"headline_{kind}", lang, checkpoint=checkpoint, approach=approach)


def _headline_open(view: View, lang: str) -> str:
    alive = sum(not arm.fate for arm in view.arms)
    return w(
        f"headline_{view.progress}", lang, scored=view.cost.trials, alive=alive, all=len(view.arms)
    )


def _sentences(view: View, lang: str) -> tuple[str, ...]:
    verdict = view.verdict
    if verdict is None:
        return ()
    parts = [told(Saying(key=key, values=values), lang) for key, values in verdict.reasons]
    arm = arm_of(view, verdict.arm)
    if arm and arm.result.test:
        test = arm.result.test
        parts.append(
            w(
                "score_sentence",
                lang,
                rows=test.n or verdict.test_rows,
                value=number(test.value),
                metric=named("metric", view.metric, lang),
                interval=span(test, lang),
            )
        )
    if worth := worth_sentence(view, lang):
        parts.append(worth)
    if verdict.p_best_cap:
        parts.append(told(Saying(key=verdict.p_best_cap), lang))
    return tuple(parts)


def _sentences_open(view: View, lang: str) -> tuple[str, ...]:
    first = leader(view)
    parts = []
    if first and first.result.validation:
        figure = first.result.validation
        parts.append(
            w(
                "leads_so_far",
                lang,
                arm=first.name,
                metric=named("metric", view.metric, lang),
                value=number(figure.value),
                interval=span(figure, lang),
            )
        )
    else:
        parts.append(w("no_leader", lang))
    if view.progress == "interrupted":
        parts.append(w("resume_hint", lang, run=view.run))
    return tuple(parts)


def _tiles(view: View, lang: str) -> tuple[Tile, ...]:
    verdict = view.verdict
    if verdict is None:
        return ()
    estimated = w("origin_estimated", lang)
    tiles = [
        Tile(
            w("tile_best", lang),
            chance(verdict.p_best),
            joined(lang, estimated, w("tile_best_cap", lang)) if verdict.p_best_cap else estimated,
        )
    ]
    headline = next((c for c in view.comparisons if c.headline), None)
    if headline:
        gap = headline.difference
        tiles.append(
            Tile(
                w("tile_gap", lang),
                number(gap.value, signed=True),
                joined(lang, span(gap, lang), origin(gap, lang)),
            )
        )
    tiles.append(_cost_tile(view, lang))
    worst = worst_change(view)
    if worst:
        ability = named("ability", worst.ability, lang)
        tiles.append(
            Tile(
                w("tile_forgot", lang),
                number(worst.difference.value, 2, True),
                joined(
                    lang, ability, span(worst.difference, lang, 2), origin(worst.difference, lang)
                ),
            )
        )
    elif view.changes:
        tiles.append(Tile(w("tile_forgot", lang), "0", w("tile_forgot_none", lang)))
    return tuple(tiles)


def _cost_tile(view: View, lang: str) -> Tile:
    cost = view.cost
    return Tile(
        w("tile_cost", lang),
        w("tile_cost_value", lang, share=percent(cost.share.value if cost.share else None)),
        w(
            "tile_cost_note",
            lang,
            tokens=count(cost.spent.value, lang),
            time=duration(cost.seconds.value, lang),
            brute=count(cost.brute_force.value, lang),
        ),
    )


def _tiles_open(view: View, lang: str) -> tuple[Tile, ...]:
    cost = view.cost
    used = cost.spent.value / cost.budget.value if cost.budget.value else None
    tiles = [
        Tile(
            w("tile_budget", lang),
            percent(used),
            w(
                "tile_budget_note",
                lang,
                spent=count(cost.spent.value, lang),
                budget=count(cost.budget.value, lang),
            ),
        ),
        Tile(
            w("tile_time", lang),
            duration(cost.seconds.value, lang),
            w("tile_time_note", lang, predicted=duration(cost.predicted_seconds.value, lang)),
        ),
    ]
    first = leader(view)
    if first and first.result.validation:
        figure = first.result.validation
        tiles.append(
            Tile(
                w("tile_leader", lang),
                number(figure.value),
                joined(lang, first.name, span(figure, lang), origin(figure, lang)),
            )
        )
    return tuple(tiles)


def worst_change(view: View) -> Change | None:
    """The named arm's largest loss of general ability; None when nothing was lost."""
    named_arm = view.verdict.arm if view.verdict else None
    losses = [c for c in view.changes if c.subject == named_arm and c.difference.value < 0]
    return min(losses, key=lambda change: change.difference.value, default=None)


def helps(view: View, lang: str) -> tuple[Saying, ...]:
    """What would make the answer surer, from what was measured."""
    verdict = view.verdict
    if verdict is None:
        return ()
    found: list[Saying] = []
    headline = next((c for c in view.comparisons if c.headline), None)
    if verdict.kind in ("floor", "ceiling"):
        found.append(Saying(key=f"report.help_{verdict.kind}"))
    elif verdict.kind == "depends_on_rate":
        found.append(Saying(key="report.help_rate"))
    elif verdict.kind == "not_enough_evidence" and headline:
        found += _unfinished(verdict)
        found += _more_rows(view, abs(headline.difference.value), lang)
        sd = verdict.seed_sd
        if sd and sd.value > SEED_SHARE * abs(headline.difference.value):
            found.append(Saying(key="report.help_seeds", values={"sd": number(sd.value)}))
        wide = max(abs(headline.difference.low or 0), abs(headline.difference.high or 0))
        found.append(Saying(key="report.help_margin", values={"margin": number(wide, 2)}))
    found += [
        Saying(key="report.help_edge", values={"arm": arm.name})
        for arm in view.arms
        if arm.rate_at_edge and arm.state in ("winner", "finalist")
    ]
    return tuple(found)


def _unfinished(verdict: Verdict) -> list[Saying]:
    """A budget that takes the arm which leaves the answer open to its end."""
    waits = {"verdict.cut_short": "other", "verdict.others_open": "rival"}
    return [
        Saying(key="report.help_budget", values={"arm": values[waits[key]]})
        for key, values in verdict.reasons
        if key in waits
    ]


def _more_rows(view: View, difference: float, lang: str) -> list[Saying]:
    """Test rows that would show this difference: the smallest shown falls as 1 / sqrt(n)."""
    verdict = view.verdict
    if verdict is None or not 0 < difference < verdict.smallest_difference:
        return []
    rows = ceil(verdict.test_rows * (verdict.smallest_difference / difference) ** 2)
    values: dict[str, str | int | float] = {
        "rows": count(float(f"{rows:.2g}"), lang),
        "difference": number(difference),
        "now": verdict.test_rows,
    }
    return [Saying(key="report.help_rows", values=values)]


def joined(lang: str, *parts: str) -> str:
    """Parts of a note, with the comma of the language."""
    return w("comma", lang).join(part for part in parts if part)


def origin(figure: Figure, lang: str) -> str:
    """How a figure came to be, with its n and its source."""
    text = named("origin", figure.origin, lang)
    if figure.source:
        source = named("source", figure.source, lang)
        text = w("origin_source", lang, origin=text, source=source)
    if figure.n:
        text = w("origin_n", lang, origin=text, n=f"{figure.n:,}")
    return text
