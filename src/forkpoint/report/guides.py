"""What the guides said before the race, taken from the advice that was kept with it."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from forkpoint.advice import Advice
from forkpoint.report.view_record import AdvisedView, DisagreementView, GuideView, Saying


@dataclass(frozen=True)
class Guides:
    """The kept advice in the names of the race; all empty where none was kept."""

    rules: tuple[GuideView, ...] = ()
    disagreements: tuple[DisagreementView, ...] = ()
    order: tuple[AdvisedView, ...] = ()


def guides_of(advice_json: str | None, names: Mapping[str, str]) -> Guides | None:
    """The advice of a race; None when it was not kept or another version wrote it.

    `names`: checkpoint as the advice calls it -> checkpoint as the race calls it.
    """
    if not advice_json:
        return None
    try:
        advice = Advice.from_json(advice_json)
    except ValidationError:
        return None
    return Guides(
        rules=_rules(advice, names),
        disagreements=tuple(
            DisagreementView(
                question=Saying(key=f"sources.disagreement_{one.key}"),
                sides=tuple(
                    (
                        Saying(key=f"sources.side_{side.key}"),
                        tuple(names.get(name, name) for name in side.speaks_for),
                    )
                    for side in one.sides
                ),
            )
            for one in advice.disagreements
            if one.matters
        ),
        order=tuple(
            AdvisedView(
                checkpoint=names.get(arm.candidate, arm.candidate),
                approach=arm.approach,
                place=arm.place,
                ruled_out=bool(arm.excluded_by),
            )
            for arm in advice.arms
        ),
    )


def _rules(advice: Advice, names: Mapping[str, str]) -> tuple[GuideView, ...]:
    """One line a rule about checkpoints that speaks for or against any of them."""
    strengths = {ground.rule: ground.strength for ground in advice.grounds}
    found: dict[str, dict[str, list[str]]] = {}
    reasons: dict[str, Saying] = {}
    for finding in advice.findings:
        if finding.approach is None and finding.says in ("for", "against"):
            sides = found.setdefault(finding.rule, {"for": [], "against": []})
            sides[finding.says].append(names.get(finding.about, finding.about))
            reasons.setdefault(finding.rule, Saying(key=finding.key, values=finding.values))
    return tuple(
        GuideView(
            code=code,
            question=Saying(key=f"rules.{code}_question"),
            favours=tuple(dict.fromkeys(sides["for"])),
            against=tuple(dict.fromkeys(sides["against"])),
            strength=strengths.get(code, ""),
            why=reasons[code],
        )
        for code, sides in found.items()
    )
