"""How strong a rule's word is in a case: a class with its ground, never a made-up number."""

from forkpoint.advice.record import Ground, Measured, OwnRaces, Strength
from forkpoint.rules import RULES, Candidate, Finding, Rule
from forkpoint.sources import DISAGREEMENTS, Study, bearings_on

SIZE_FACTOR = 2.0  # a checkpoint within this factor of the measured sizes is alike [ruled]


def grounds_of(
    findings: tuple[Finding, ...], candidates: tuple[Candidate, ...], own: tuple[OwnRaces, ...]
) -> tuple[Ground, ...]:
    """The ground of every rule in this case, in the order of the rules."""
    return tuple(_ground(rule, findings, candidates, own) for rule in RULES)


def _ground(
    rule: Rule,
    findings: tuple[Finding, ...],
    candidates: tuple[Candidate, ...],
    own: tuple[OwnRaces, ...],
) -> Ground:
    mine = tuple(
        Measured(study="own", direction=one.direction, figure=one.figure)
        for one in own
        if one.rule == rule.code
    )
    elsewhere, quoted = (
        tuple(
            _measured(study, bearing.direction, figure, candidates)
            for study, bearing, figure in bearings_on(rule.code)
            if study.own == own_studies
        )
        for own_studies in (False, True)
    )
    opposed = opposed_by(rule.code, findings)
    strength: Strength = "one_guide"
    if mine:
        strength = "measured_on_your_races"
    elif elsewhere:
        strength = "measured_elsewhere"
    elif opposed:
        strength = "contradicted"
    elif len(rule.guides) > 1:
        strength = "several_guides"
    return Ground(
        rule=rule.code,
        strength=strength,
        guides=rule.guides,
        opposed_by=opposed,
        measured=mine + elsewhere,
        quoted=quoted,
    )


def _measured(
    study: Study, direction: str, figure: object, candidates: tuple[Candidate, ...]
) -> Measured:
    alike, unlike = [], []
    sizes = [one.parameters for one in candidates]
    if study.parameters:
        low, high = study.parameters[0] / SIZE_FACTOR, study.parameters[1] * SIZE_FACTOR
        if any(size is None for size in sizes):
            unlike.append("advice.alike_size_unknown")
        elif all(size is not None and low <= size <= high for size in sizes):
            alike.append("advice.alike_size")
        else:
            unlike.append("advice.alike_size_not")
    if study.scale == "task_score":
        alike.append("advice.alike_score")
    else:
        unlike.append("advice.alike_score_not")
    return Measured.model_validate(
        {
            "study": study.key,
            "direction": direction,
            "figure": figure,
            "alike": tuple(alike),
            "unlike": tuple(unlike),
        }
    )


def opposed_by(code: str, findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """Rules of another side of a listed disagreement that say the opposite of a candidate.

    Two rules oppose each other only where both speak of the same candidate (and approach).
    """
    rivals = {
        other
        for one in DISAGREEMENTS
        for side in one.sides
        if code in side.rules
        for away in one.sides
        if away is not side
        for other in away.rules
        if other not in side.rules
    }
    spoken = {
        (f.about, f.approach): f.says
        for f in findings
        if f.rule == code and f.says in ("for", "against")
    }
    found = {
        f.rule
        for f in findings
        if f.rule in rivals
        and f.says in ("for", "against")
        and spoken.get((f.about, f.approach), f.says) != f.says
    }
    return tuple(sorted(found))
