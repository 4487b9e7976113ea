"""What is seen of a checkpoint before tuning, against what it is worth after."""

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from stage_tables import MARGIN, STAGES, Before, Point, settings

from forkpoint.ledger import Measured
from forkpoint.measure.interval import mean


class Ranked(NamedTuple):
    """How a sign seen before tuning orders pairs of stages, against their tuned order."""

    agree: int = 0
    oppose: int = 0
    silent: int = 0  # the sign is the same for both
    regret: tuple[float, ...] = ()  # best tuned score minus that of the sign's favourite


def ranked(every: Sequence[Point], first: dict[tuple[str, str, str], Before], sign: str) -> Ranked:
    """Over settings and approaches; pairs that tuning leaves within the margin do not count."""
    agree = oppose = silent = 0
    regret = []
    for setting in settings(every):
        signs = {
            stage: getattr(first[setting.source, setting.task, stage], sign)
            for stage in STAGES
            if (setting.source, setting.task, stage) in first
        }
        for approach in ("lora", "full"):
            mine = [x for x in every if x.setting == setting and x.approach == approach]
            tuned = {
                stage: fmean(x.score for x in mine if x.stage == stage)
                for stage in {x.stage for x in mine} & signs.keys()
            }
            if len(tuned) < 2 or None in signs.values():
                continue
            top = max(signs[stage] for stage in tuned)
            favoured = [tuned[stage] for stage in tuned if signs[stage] == top]
            regret.append(max(tuned.values()) - fmean(favoured))
            order = sorted(tuned)
            for place, a in enumerate(order):
                for b in order[place + 1 :]:
                    gap, hint = tuned[a] - tuned[b], signs[a] - signs[b]
                    if abs(gap) < MARGIN:
                        continue
                    agree += gap * hint > 0
                    oppose += gap * hint < 0
                    silent += hint == 0
    return Ranked(agree, oppose, silent, tuple(regret))


def shares_by_task(
    every: Sequence[Point], first: dict[tuple[str, str, str], Before], sign: str
) -> list[float]:
    """Of the pairs that a task decides, the share that the sign orders as tuning does.

    The sign of a task is looked at once, so the task is what is drawn, not the pair.
    """
    found = []
    for task in sorted({one.setting.task for one in every}):
        one = ranked([x for x in every if x.setting.task == task], first, sign)
        if pairs := one.agree + one.oppose + one.silent:
            found.append(one.agree / pairs)
    return found


def shown(one: Measured) -> str:
    """A share with its interval and n."""
    if one.value is None or one.low is None or one.high is None:
        return "-" if one.value is None else f"{one.value:.2f}, n = {one.n}"
    return f"{one.value:.2f} ({one.low:.2f} to {one.high:.2f}), n = {one.n}"


def show_ranks(every: Sequence[Point], first: dict[tuple[str, str, str], Before]) -> None:
    """Zero-shot rank against tuned rank."""
    print("| source | task | sign | Base | Instruct | Chat |\n|---|---|---|---|---|---|")
    for source, task in dict.fromkeys((one[0], one[1]) for one in first):
        for sign in Before._fields:
            values = [getattr(first.get((source, task, s)), sign, None) for s in STAGES]
            if None not in values:
                told_values = " | ".join(f"{value:.3f}" for value in values)
                print(f"| {source} | {task} | {sign} | {told_values} |")
    print("\n| sign | pairs ordered rightly | wrongly | not at all | share right, by task |"
          " mean regret of its favourite | settings x approaches |")  # fmt: skip
    print("|---" * 7 + "|")
    for sign in Before._fields:
        one = ranked(every, first, sign)
        if one.regret:
            share = mean(shares_by_task(every, first, sign), "share", bounded=True)
            print(f"| {sign} | {one.agree} | {one.oppose} | {one.silent} | {shown(share)} |"
                  f" {fmean(one.regret):.3f} | {len(one.regret)} |")  # fmt: skip
    for stage in STAGES:
        always = {
            key: Before(float(key[2] == stage), 0.0, None) for key in first
        }  # as if a sign always named it
        one = ranked(every, always, "score")
        if one.regret:
            share = mean(shares_by_task(every, always, "score"), "share", bounded=True)
            print(f"| always {stage} | {one.agree} | {one.oppose} | {one.silent} | {shown(share)} |"
                  f" {fmean(one.regret):.3f} | {len(one.regret)} |")  # fmt: skip
