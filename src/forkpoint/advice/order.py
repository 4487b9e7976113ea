"""Which arms to run first: an order that can be read aloud, without a score.

1. Arms that a hard limit rules out come last.
2. Arms that train nothing come first, where a rule speaks for them: they cost only answers.
3. Every candidate's best arm comes before any candidate's second: a race that leaves a
   candidate out says nothing about it.
4. Between two arms, the strongest class of advice in which they differ decides: more rules for
   than against goes first. Contradicted rules, and measurements that could not tell, are shown
   and not counted.
5. Still equal: the cheaper one, by approach and then by parameters; then by name.
"""

from forkpoint.advice.record import STRENGTHS, Arm, Balance, Ground
from forkpoint.rules import APPROACHES, Approach, Candidate, Finding

# What is a limit and not a preference: no images without a vision model, a licence that forbids
# the use, weights that fit in no precision. A text model for code is only a worse choice.
HARD_LIMITS = ("rules.FP-H01_images", "rules.FP-H02_no", "rules.FP-H03_too_big")
TRAINED_ALWAYS = ("lora", "full")  # the arms of every race; others when a rule speaks for them
UNKNOWN_SIZE = 1 << 62  # parameters; after all that are known


def order_arms(
    candidates: tuple[Candidate, ...], findings: tuple[Finding, ...], grounds: tuple[Ground, ...]
) -> tuple[Arm, ...]:
    """All arms in play, those to run first at the front."""
    by_rule = {one.rule: one for one in grounds}
    arms = [
        _arm(candidate, approach, findings, by_rule)
        for candidate in candidates
        for approach in approaches_in_play(candidate, findings)
    ]
    sizes = {one.name: one.parameters or UNKNOWN_SIZE for one in candidates}

    def quality(arm: Arm) -> tuple[object, ...]:
        nets = tuple(-one.net for one in arm.balances if one.strength != "contradicted")
        cost = (APPROACHES.index(arm.approach), sizes[arm.candidate])
        return bool(arm.excluded_by), nets, cost, arm.candidate

    arms.sort(key=quality)
    turn: dict[tuple[str, bool], int] = {}
    rounds = []
    for arm in arms:
        group = (arm.candidate, arm.trained)
        turn[group] = turn.get(group, 0) + 1
        rounds.append((bool(arm.excluded_by), arm.trained, turn[group]))
    placed = sorted(range(len(arms)), key=lambda index: (rounds[index], index))
    return tuple(
        arms[index].model_copy(update={"place": place})
        for place, index in enumerate(placed, start=1)
    )


def approaches_in_play(candidate: Candidate, findings: tuple[Finding, ...]) -> tuple[Approach, ...]:
    """Approaches that every race has, and those that a rule speaks for with this candidate."""
    wanted = {one.approach for one in findings if one.about == candidate.name and one.says == "for"}
    return tuple(one for one in APPROACHES if one in wanted or one in TRAINED_ALWAYS)


def _arm(
    candidate: Candidate,
    approach: Approach,
    findings: tuple[Finding, ...],
    grounds: dict[str, Ground],
) -> Arm:
    about = [
        one for one in findings if one.about == candidate.name and one.approach in (None, approach)
    ]
    balances = []
    for strength in STRENGTHS:
        counted = [one for one in about if _class(grounds[one.rule]) == strength]
        balances.append(
            Balance(
                strength=strength,
                rules_for=tuple(one.rule for one in counted if one.says == "for"),
                rules_against=tuple(one.rule for one in counted if one.says == "against"),
            )
        )
    excluded = tuple(one.rule for one in about if one.key in HARD_LIMITS and one.says == "against")
    return Arm(
        candidate=candidate.name,
        approach=approach,
        place=0,
        excluded_by=excluded,
        balances=tuple(balances),
    )


def _class(ground: Ground) -> str:
    """The class that a rule counts in; "contradicted" counts nowhere.

    A measured rule counts only where a measurement supports it.
    """
    if ground.strength in ("measured_on_your_races", "measured_elsewhere"):
        own = [one for one in ground.measured if one.study == "own"]
        decisive = own or list(ground.measured)
        if not any(one.direction == "supports" for one in decisive):
            return "contradicted"
    return ground.strength
