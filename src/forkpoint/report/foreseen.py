"""What the plan foresaw beside what came: memory, time, money, and arms that were never started."""

from forkpoint.estimate.sizes import size_text
from forkpoint.ledger import Agreement, MemoryPlan, OwnSeedNoise
from forkpoint.plan.price import read_price
from forkpoint.report import wording
from forkpoint.report.plan_memory import unfit_text
from forkpoint.report.untrained_text import ineligible_text
from forkpoint.report.view_record import Foreseen
from forkpoint.words import say


def foreseen(agreed: Agreement) -> Foreseen:
    """The estimates that an agreement holds."""
    return Foreseen(
        memory={arm.name: arm.memory for arm in agreed.arms if arm.memory is not None},
        stations=agreed.stations,
        corrections=agreed.corrections,
        own_seed_noise=agreed.own_seed_noise,
        metric=agreed.settings.metric,
        unfit=agreed.unfit,
        ineligible=agreed.ineligible,
        price=agreed.price,
    )


def memory_text(plan: MemoryPlan | None) -> str:
    """The estimated peak with its interval."""
    if plan is None:
        return "–"
    low, high = size_text(plan.low_bytes), size_text(plan.high_bytes)
    return f"{size_text(plan.estimated_bytes)} ({low} – {high})"


def own_seed_text(own: OwnSeedNoise, metric: str, lang: str) -> str:
    """What earlier races say of the noise between seeds, and with which weight."""
    values = {"sd": f"{own.sd:.3g}", "repeats": own.repeats, "races": own.races}
    weight = f"{own.weight:.0%}"
    return say("estimate.own_seed_noise", lang, metric=metric, weight=weight, **values)


def notes(found: Foreseen, seconds: float, predicted_seconds: float, lang: str) -> list[str]:
    """Sentences below the costs: money, corrections by earlier races, arms that could not fit."""
    lines = []
    if found.price:
        price = read_price(found.price)
        lines.append(
            say(
                "estimate.cost_price",
                lang,
                money=price.of(seconds),
                time=wording.duration(seconds, lang),
                price=found.price,
                planned=price.of(predicted_seconds),
            )
        )
    if found.own_seed_noise:
        lines.append(own_seed_text(found.own_seed_noise, found.metric, lang))
    for approach, one in found.corrections.items():
        values = {"factor": f"{one.factor:.2f}", "trials": one.trials, "races": one.races}
        lines.append(say("estimate.plan_time_corrected", lang, approach=approach, **values))
    lines += [unfit_text(one, lang) for one in found.unfit]
    lines += [ineligible_text(one, lang) for one in found.ineligible]
    return lines
