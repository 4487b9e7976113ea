"""What a plan says of memory: what trials should take, and which arms cannot be raced here."""

from forkpoint.estimate.sizes import size_text
from forkpoint.ledger import Agreement, ArmPlan, MemoryPlan, UnfitArm
from forkpoint.report.estimate_text import change_text
from forkpoint.report.visible import visible
from forkpoint.words import say


def memory_lines(agreement: Agreement, lang: str) -> list[str]:
    """Predicted peaks of all arms in one line, then what stands out; none for old races."""
    known = [arm for arm in agreement.arms if arm.memory is not None]
    if not known and not agreement.unfit:
        return []
    lines = []
    if known:
        comma = "；" if lang == "zh" else ", "
        lines.append(
            _say(
                "plan_memory",
                lang,
                arms=comma.join(_arm(arm, lang) for arm in agreement.arms),
                free=size_text(known[0].memory.free_bytes if known[0].memory else 0),
                workers=agreement.settings.workers,
            )
        )
    corrected = {arm.approach: arm.memory for arm in known if arm.memory}
    for approach, memory in corrected.items():
        if memory.corrected_by:
            values = {"factor": f"{memory.correction:.2f}", "trials": memory.corrected_by}
            lines.append(_say("plan_memory_corrected", lang, approach=approach, **values))
    for arm in known:
        lines.extend(_notes(arm, lang))
    lines.extend(unfit_text(one, lang) for one in agreement.unfit)
    return lines


def unfit_text(one: UnfitArm, lang: str) -> str:
    """Why an arm was never started, and what it would take."""
    comma = "；" if lang == "zh" else "; "
    remedy = _say("plan_unfit_none", lang)
    if one.changes and one.changed_bytes is not None:
        changes = comma.join(change_text(c.dial, c.before, c.after, lang) for c in one.changes)
        remedy = _say(
            "plan_unfit_change", lang, changes=changes, needs=size_text(one.changed_bytes)
        )
    return _say("plan_unfit", lang, arm=visible(one.name), remedy=remedy, **_sizes(one.memory))


def _arm(arm: ArmPlan, lang: str) -> str:
    if arm.memory is None:
        return _say("plan_memory_unknown", lang, arm=visible(arm.name))
    value = size_text(arm.memory.estimated_bytes)
    return _say("plan_memory_arm", lang, arm=visible(arm.name), value=value, **_sizes(arm.memory))


def _notes(arm: ArmPlan, lang: str) -> list[str]:
    memory = arm.memory
    lines: list[str] = []
    if memory is None:
        return lines
    if memory.fits == "perhaps":
        lines.append(_say("plan_perhaps", lang, arm=visible(arm.name), **_sizes(memory)))
    if memory.shrink:
        lines.append(_say("plan_smaller", lang, arm=visible(arm.name)))
    return lines


def _sizes(memory: MemoryPlan) -> dict[str, str]:
    return {
        "low": size_text(memory.low_bytes),
        "high": size_text(memory.high_bytes),
        "free": size_text(memory.free_bytes),
    }


def _say(key: str, lang: str, **values: object) -> str:
    return say(f"estimate.{key}", lang, **values)
