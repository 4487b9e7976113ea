"""The plan of a race as a person reads it before saying yes."""

from forkpoint.ledger import Agreement
from forkpoint.plan.clock import minutes
from forkpoint.words import say


def plan_text(agreement: Agreement, lang: str) -> str:
    """What will be done with which rows, what it costs, and what it can show."""
    settings = agreement.settings
    lines = [
        say(
            "race.plan_rows",
            lang,
            train=len(agreement.train_ids),
            validation=len(agreement.validation_ids),
            test=len(agreement.test_ids),
            removed=len(agreement.removed),
            excluded=len(agreement.excluded),
        ),
        say(
            "race.plan_arms",
            lang,
            count=len(agreement.arms),
            arms=", ".join(arm.name for arm in agreement.arms),
        ),
        say(
            "race.plan_rungs",
            lang,
            steps=" / ".join(str(rung.steps) for rung in agreement.rungs),
            size=settings.rows_per_step,
            passes=settings.passes,
            rates=len(settings.rate_factors),
        ),
        say("race.plan_metric", lang, metric=settings.metric, margin=settings.margin),
        say("race.plan_power", lang, difference=agreement.smallest_difference),
        say(
            "race.plan_cost",
            lang,
            tokens=agreement.budget_tokens,
            share=agreement.budget_tokens / max(agreement.brute_force_tokens, 1),
            time=minutes(agreement.predicted_seconds),
        ),
    ]
    title = say("race.plan_title", lang)
    return "\n".join([title, *(f"  {line}" for line in lines)])
