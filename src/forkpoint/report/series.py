"""Which arms come first and what colour they carry, the same in every table and chart."""

from collections.abc import Iterable

from forkpoint.report.view_record import ArmView, TrialView, View
from forkpoint.verdict.verdict_record import ArmResult, CostResult

STATES = ("winner", "finalist", "racing", "not_chosen", "dropped", "failed", "waiting")


def ordered(view: View) -> list[ArmView]:
    """The named arm, then finalists, then the rest, each by its best score."""
    return in_order(view.arms, higher_is_better(view))


def in_order(arms: Iterable[ArmView], higher: bool) -> list[ArmView]:
    """Arms by state, then by score; `higher`: a larger score is the better one."""
    sign = -1.0 if higher else 1.0
    return sorted(arms, key=lambda arm: (STATES.index(arm.state), sign * score(arm.result)))


def ordered_costs(view: View) -> list[CostResult]:
    """What an answer costs, in the order of the arms, those without training last."""
    names = [arm.name for arm in ordered(view)] + [one.result.arm for one in view.asked]
    known = {name: place for place, name in enumerate(names)}
    return sorted(view.costs, key=lambda one: known.get(one.arm, len(known)))


def score(result: ArmResult) -> float:
    """The score an arm is ordered by: test if it has one, else validation."""
    found = result.test or result.validation
    return found.value if found else 0.0


def higher_is_better(view: View) -> bool:
    """Whether a larger primary score is the better one."""
    return view.metric != "bits_per_byte"


def places(view: View) -> dict[str, int]:
    """Checkpoint -> number of its colour."""
    return {
        name: place for place, name in enumerate(dict.fromkeys(a.checkpoint for a in view.arms))
    }


def approaches(view: View) -> dict[str, int]:
    """Approach -> number of its marker."""
    return {name: place for place, name in enumerate(dict.fromkeys(a.approach for a in view.arms))}


def curve(arm: ArmView) -> list[TrialView]:
    """The scored trials of an arm at its chosen rate with the race's seed, by rung."""
    scored = [trial for trial in arm.trials if trial.primary]
    chosen = [trial for trial in scored if trial.chosen]
    if not chosen and scored:
        first = scored[0].rung
        chosen = [
            max(
                (trial for trial in scored if trial.rung == first),
                key=lambda trial: trial.primary.value if trial.primary else 0.0,
            )
        ]
    seed = min((trial.seed for trial in chosen), default=0)
    return sorted((t for t in chosen if t.seed == seed), key=lambda trial: trial.rung)


def repeats(arm: ArmView) -> list[TrialView]:
    """The scored trials of an arm with further seeds."""
    shown = curve(arm)
    return [t for t in arm.trials if t.primary and t.chosen and t not in shown]
