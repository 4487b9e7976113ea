"""Untrained arms, the worth of training and the cost of answers in words."""

from collections.abc import Sequence
from typing import Any

from forkpoint.ledger import Agreement, IneligibleArm, Setup
from forkpoint.report.series import ordered_costs
from forkpoint.report.view_record import Saying, View
from forkpoint.report.visible import visible
from forkpoint.report.wording import named, number, span, told, w
from forkpoint.verdict.verdict_record import CostResult
from forkpoint.words import say

NAMES_SHOWN = 5  # files named in one line


def setup_text(setup: Setup | None, lang: str) -> str:
    """How an untrained arm is asked: `4 nearest examples`; for kinds from elsewhere, its name."""
    if setup is None:
        return "–"
    values = setup.values
    if "shots" in values:
        how = "near" if values.get("how") == "near" else "drawn"
        text = say(f"untrained.setup_{how}", lang, shots=values["shots"])
    elif "pieces" in values:
        key = "documents" if values.get("from") == "documents" else "rows"
        text = say(f"untrained.setup_{key}", lang, pieces=values["pieces"])
    elif setup.name in ("plain", f"{setup.rendering}-plain"):
        text = say("untrained.setup_plain", lang)
    else:
        return visible(setup.name)
    several = setup.name.startswith(f"{setup.rendering}-")
    return f"{text} ({named('value', setup.rendering, lang)})" if several else text


def worth_sentence(view: View, lang: str) -> str | None:
    """Whether training is worth it at all; None where no untrained arm was tested."""
    worth = view.verdict.worth if view.verdict else None
    if worth is None:
        return None
    return say(
        f"untrained.{worth.kind}",
        lang,
        trained=worth.trained,
        untrained=worth.untrained,
        metric=named("metric", view.metric, lang),
        difference=number(worth.difference.value, signed=True),
        interval=span(worth.difference, lang),
        n=worth.difference.n or "–",
    )


def ineligible_text(one: IneligibleArm, lang: str) -> str:
    """Why an arm was taken out before the race."""
    reason = told(Saying(key=one.key, values=one.values), lang)
    return say("untrained.plan_ineligible", lang, arm=visible(one.name), reason=visible(reason))


def plan_lines(agreed: Agreement, lang: str) -> list[str]:
    """What a plan says of the untrained arms and of those that are not eligible."""
    lines = []
    comma = "、" if lang == "zh" else ", "
    if agreed.untrained:
        names = comma.join(visible(arm.name) for arm in agreed.untrained)
        setups = sum(len(arm.setups) for arm in agreed.untrained)
        count = len(agreed.untrained)
        lines.append(say("untrained.plan_arms", lang, count=count, arms=names, setups=setups))
    for arm in agreed.untrained:
        for reason in dict.fromkeys(arm.left_out.values()):
            out = comma.join(name for name, why in arm.left_out.items() if why == reason)
            why = say(f"{reason}_short", lang) if _limit(reason) else say(reason, lang)
            name = visible(arm.name)
            lines.append(say("untrained.plan_left_out", lang, arm=name, setups=out, reason=why))
    if found := agreed.documents:
        folder = visible(found.folder)
        values = {"passages": found.passages, "files": found.files, "folder": folder}
        lines.append(say("untrained.plan_documents", lang, **values))
        if left := list(found.left_out):
            shown = comma.join(map(visible, left[:NAMES_SHOWN])) + (
                " …" if left[NAMES_SHOWN:] else ""
            )
            lines.append(say("untrained.plan_documents_left", lang, files=len(left), names=shown))
    return lines + [ineligible_text(one, lang) for one in agreed.ineligible]


def _limit(reason: str) -> bool:
    """Whether a reason is a limit of the user's, whose figures differ from setup to setup."""
    return reason in ("untrained.too_slow", "untrained.too_large")


def shortened_sentences(view: View, lang: str) -> list[str]:
    """Arms whose prompts did not all fit into the context."""
    return [
        say("untrained.shortened", lang, arm=one.result.arm, rows=one.result.shortened)
        for one in view.asked
        if one.result.shortened
    ]


def cost_columns(costs: Sequence[CostResult]) -> dict[str, bool]:
    """Whether any answer was timed by itself, and whether any has a price."""
    return {
        "costs_alone": any(one.alone_seconds for one in costs),
        "costs_priced": any(one.money for one in costs),
    }


def cost_counts(one: CostResult, lang: str) -> str:
    """Over how many answers, batches and answers asked by themselves a cost was measured."""
    figures = {"answers": one.prompt_tokens, "batches": one.seconds, "alone": one.alone_seconds}
    parts = [
        say(f"untrained.n_{key}", lang, n=figure.n)
        for key, figure in figures.items()
        if figure and figure.n
    ]
    return w("comma", lang).join([w(one.split, lang), *parts])


def page_words(view: View, lang: str) -> dict[str, Any]:
    """What the page's templates need of all this."""
    return {
        "setup_text": lambda setup: setup_text(setup, lang),
        "worth_told": worth_sentence(view, lang),
        "shortened_told": shortened_sentences(view, lang),
        "answer_costs": ordered_costs(view),
        "cost_counts": lambda one: cost_counts(one, lang),
        **cost_columns(view.costs),
    }
