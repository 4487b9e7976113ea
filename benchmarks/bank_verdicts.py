"""Verdicts of races replayed from the bank: how often each is given, and how often it is true.

    python benchmarks/bank_verdicts.py --bank docs/studies/bank.jsonl --races 600

A replayed race (bank_races.py) is taken on to its test: finalists are chosen as a live race does,
their full-length answers to 200 of the 1,000 test rows are judged by forkpoint.verdict.judge. Truth
is the mean over all seeds on all test rows. 'better' is true when the arm it names is above the arm
it names it better than; 'equal enough' when the two are within the margin; P(best) is of every arm,
right for the one best arm. Since that truth holds the race's own trainings, claims are also held
against the seeds that the race did not use. Noise between seeds is what a first race assumes, as is
its margin.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from bank_curves import MARGIN, Draw, read_bank
from bank_life import Ended, brute_tokens, run_race, verdict_of
from bank_races import THIRDS, arguments, over_settings, races_of
from certainty import Cases, judge_certainty
from fit_live_prior import noise_elsewhere

from forkpoint.race.live_prior import RULED_PRIOR
from forkpoint.verdict.judge import Judgement

CLAIMS = ("better", "equal_enough")  # verdicts that say something about two arms


def elsewhere(race: Draw, ended: Ended, arm: str) -> float:
    """An arm's mean test score over the seeds that this race did not use."""
    score_S = race.curves.test_AS[race.curves.arms.index(arm)]
    return float(np.delete(score_S, ended.seeds[arm]).mean())


def line_of(third: int, race: Draw, ended: Ended, said: Judgement | None) -> dict[str, Any]:
    """A verdict beside the truth."""
    truth = dict(zip(race.names, race.truth_A.tolist(), strict=True))
    best = max(truth, key=lambda arm: truth[arm])
    line: dict[str, Any] = {"setting": race.curves.name, "third": third, "best": best}
    line["kind"] = said.kind if said else "not_compared"
    if said is None:
        return line
    line["p"] = {arm: said.p_best.get(arm, 0.0) for arm in race.names}
    if said.arm:
        line["regret"] = truth[best] - truth[said.arm]
    if said.kind in CLAIMS and said.headline:
        a, b = said.headline.a, said.headline.b
        for key, apart in (
            ("true", truth[a] - truth[b]),
            ("true elsewhere", elsewhere(race, ended, a) - elsewhere(race, ended, b)),
        ):
            line[key] = abs(apart) < MARGIN if said.kind == "equal_enough" else apart > 0
    return line


def share_true(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How many claims, the share that is true, and its 95 % interval over settings."""
    rng = np.random.default_rng(0)
    names = list(dict.fromkeys(line["setting"] for line in lines))
    by_name = {n: [line["true"] for line in lines if line["setting"] == n] for n in names}
    return {
        "n": len(lines),
        "true": round(float(np.mean([line["true"] for line in lines])), 4),
        "interval": over_settings(by_name, rng),
        "true elsewhere": round(float(np.mean([line["true elsewhere"] for line in lines])), 4),
        "settings": len(names),
    }


def table(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Verdicts by third, and how many of their claims are true."""
    found: dict[str, Any] = {}
    for third, (_, _, title) in [*enumerate(THIRDS), (None, (0, 0, "all"))]:
        mine = [line for line in lines if third in (None, line["third"])]
        if not mine:
            continue
        named = [line["regret"] for line in mine if "regret" in line]
        found[title] = {
            "n": len(mine),
            "kinds": dict(Counter(line["kind"] for line in mine)),
            "regret of the named": round(float(np.mean(named)), 4) if named else None,
        }
        for kind in CLAIMS:
            if claims := [line for line in mine if line["kind"] == kind]:
                found[title][kind] = share_true(claims)
    return found


def chances(lines: Sequence[dict[str, Any]]) -> Cases:
    """P(best) of every arm of every race that named its arms' chances, and which arm it was."""
    told = [(line, arm) for line in lines if "p" in line for arm in line["p"]]
    return Cases(
        np.array([line["p"][arm] for line, arm in told]),
        np.array([arm == line["best"] for line, arm in told]),
        np.array([line["setting"] for line, _ in told]),
        np.array([line["best"] for line, _ in told]),
    )


def main() -> None:
    """Replay, judge and print."""
    given = arguments(__doc__).parse_args()
    bank = read_bank(given.bank)
    noise = noise_elsewhere(bank)
    lines = []
    for number, (third, race) in enumerate(races_of(bank, given.races, given.seed)):
        budget = given.share * brute_tokens(race)
        ended = run_race(race, budget, RULED_PRIOR, "fresh", number, noise[race.curves.task])
        said = verdict_of(race, ended, number)
        lines.append(line_of(third, race, ended, said))
    result = {
        "bank": [{"setting": c.name, "arms": len(c.arms)} for c in bank],
        "verdicts": table(lines),
        "by setting": {
            name: dict(Counter(line["kind"] for line in lines if line["setting"] == name))
            for name in dict.fromkeys(line["setting"] for line in lines)
        },
        "p_best": judge_certainty(chances(lines)),
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
