"""Whether a tuned model would stop, and how the checkpoint behaved, as text."""

from collections.abc import Sequence

from forkpoint.behaviour.stop_trial import StopTrial
from forkpoint.facts.behaviour import Behaviour, Count
from forkpoint.facts.stopping import StopPlan
from forkpoint.measure.interval import wilson
from forkpoint.report.paragraph import wrap
from forkpoint.report.visible import visible
from forkpoint.report.wording import number, percent, rate
from forkpoint.words import say

CAUSES = {"not_an_end": "not_an_end", "no_loss": "no_loss", "untrained_rows": "untrained"}
COUNTS = ("stopped", "followed", "echoed", "continued", "offered", "declined")


def stopping_text(plan: StopPlan, lang: str) -> str:
    """Causes found in files and weights, and the remedy with its reason."""
    lines = [_w("title", lang)]
    for cause in plan.causes:
        lines.append("  " + _w(f"cause_{CAUSES[cause.cause]}", lang))
        text = say(cause.key, lang, **cause.values)
        lines.append(wrap(visible(text), "    "))
        if cause.cause == "no_loss":
            lines.append(wrap(_w("masked_by_position", lang), "    "))
    if not plan.causes:
        lines.append("  " + _w("no_cause", lang))
    why = visible(say(plan.key, lang, **plan.values))
    lines.append(wrap(_w("remedy", lang, why=why), "    ", "  "))
    if plan.align:
        lines.append(wrap(_w("align", lang), "    ", "  "))
    return "\n".join(lines)


def behaviour_text(seen: Behaviour, lang: str) -> str:
    """What the behaviour probe counted."""
    manner = _w(f"rendering_{seen.rendering}", lang)
    lines = [_w("behaviour_title", lang, rendering=manner, limit=seen.limit_tokens)]
    lines.append(
        "  " + _w("end_probability", lang, value=number(seen.end_probability, 2),
                  mean=number(seen.end_probability_mean, 2), n=seen.answers)
    )  # fmt: skip
    for name in COUNTS:
        count = getattr(seen, name)
        told = _w(f"count_{name}", lang, count=_count(count, lang), limit=seen.limit_tokens)
        lines.append("  " + told)
    return "\n".join(lines)


def trials_text(trials: Sequence[StopTrial], lang: str) -> str:
    """What the short trainings measured."""
    lines = []
    for one in trials:
        figure = one.stop_rate
        text = _w(
            "trial", lang, rendering=_w(f"rendering_{one.rendering}", lang), rank=one.rank,
            steps=one.steps, rate=rate(one.rate), value=percent(figure.value),
            low=percent(figure.low), high=percent(figure.high), n=figure.n,
            end=visible(one.end), before=number(one.end_probability_before.value, 3),
            after=number(one.end_probability.value, 3),
        )  # fmt: skip
        verdict = _w("trial_enough" if one.enough else "trial_short", lang)
        lines.append(wrap(_w("trial_and_verdict", lang, trial=text, verdict=verdict), "    ", "  "))
    return "\n".join(lines)


def _count(count: Count, lang: str) -> str:
    low, high = wilson(count.hits, count.n) if count.n else (0.0, 1.0)
    return _w("count", lang, hits=count.hits, n=count.n, low=percent(low), high=percent(high))


def _w(key: str, lang: str, **values: object) -> str:
    return say(f"probe.{key}", lang, **values)
