"""Races replayed from the bank of real curves: regret, certainty, tokens, beside plain rules.

    python benchmarks/bank_races.py --bank docs/studies/bank.jsonl --races 120 [--json]

A race draws a setting, 4 to 6 of its arms, a training seed for each and validation rows with
replacement; a third of the races has its two best arms closer than the margin, a third between
one and three margins, a third further apart. Truth is the mean test score over seeds. The prior
of a task's races is fitted on the other tasks. Brute force is every arm at every rate to full
length and the two leaders twice more; `bank_life.py` says what a race pays for rates that the
bank does not have. A race names its arm by its verdict, for which the finalists are
tested on 200 rows; rules whose leaders are not at full length have no test in the bank, and are
compared with the leader that the race had before its own.
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bank_curves import MARGIN, Curves, Draw, Kind, draw_race, read_bank
from bank_life import (
    RATES,
    after_test,
    brute_force,
    brute_tokens,
    named_by,
    regret_elsewhere,
    run_race,
)
from bank_order import order_per_token
from certainty import Cases, judge_certainty, softmax_of
from fit_live_prior import fit_live_prior, noise_elsewhere
from subset_study import DOUBTS
from subsets import TIE as NATS_TIE

from forkpoint.engine import Prior
from forkpoint.engine.value import DOUBT
from forkpoint.race.live_prior import RULED_PRIOR

THIRDS = ((0.0, 1.0, "below a margin"), (1.0, 3.0, "1 to 3 margins"), (3.0, math.inf, "above"))
FEWEST_ARMS, MOST_ARMS = 4, 6
TIE = 0.005  # of the score: arms closer than this count as one answer
DRAWS = 4_000  # tried to fill the thirds
TEMPERATURES = (0.02, 0.05, 0.1, 0.2)  # of the softmax; the best on other tasks is used
RESAMPLES = 1_000
NAMED = "forkpoint, named"  # by the verdict: the two leaders' test rows are seen; else the leader
ONE_SEED = ("equal shares", "all to full length, named")  # rules that see one run an arm
BEFORE: dict[Kind, str] = {
    "fresh": "forkpoint, before its test",
    "continued": "forkpoint, continued, before its test",
}


def races_of(bank: Sequence[Curves], count: int, seed: int) -> list[tuple[int, Draw]]:
    """Drawn races with their third, as evenly over thirds as the bank allows."""
    rng = np.random.default_rng(seed)
    wanted = math.ceil(count / len(THIRDS))
    found: list[tuple[int, Draw]] = []
    filled = [0] * len(THIRDS)
    for number in range(DRAWS):
        if min(filled) >= wanted:
            break
        arms = int(rng.integers(FEWEST_ARMS, MOST_ARMS + 1))
        race = draw_race(bank[number % len(bank)], rng, arms, RATES)
        third = next(
            i for i, (low, high, _) in enumerate(THIRDS) if low <= race.gap / MARGIN < high
        )
        if filled[third] < wanted:
            filled[third] += 1
            found.append((third, race))
    return found


def equal_shares(race: Draw, budget: float) -> int:
    """Every arm to the highest rung that an equal share pays for, by fresh runs; the best score.

    Rates are tried at the first rung, as in a race.
    """
    arms = len(race.arm_A)
    rungs = race.curves.right["fresh"].shape[2]
    at = []
    for arm in range(arms):
        left = budget / arms - race.cost(arm, 0, "fresh", None)
        paid = [k for k in range(1, rungs) if race.cost(arm, k, "fresh", None) <= left]
        at.append(max(paid, default=0))
    return int(np.argmax([race.score(a, k, "fresh") for a, k in enumerate(at)]))


def halving(race: Draw, budget: float) -> int:
    """Successive halving over the rungs by fresh runs, as far as the budget goes."""
    alive = list(range(len(race.arm_A)))
    scores: dict[int, float] = {}
    spent = 0.0
    for rung in range(race.curves.right["fresh"].shape[2]):
        price = sum(race.cost(arm, rung, "fresh", None) for arm in alive)
        if spent + price > budget and scores:
            break
        spent += price
        scores.update({arm: race.score(arm, rung, "fresh") for arm in alive})
        alive = sorted(alive, key=lambda arm: -scores[arm])[: max(1, math.ceil(len(alive) / 2))]
    return max(alive, key=lambda arm: scores[arm])


def all_to_the_end(race: Draw, number: int) -> tuple[int, int]:
    """Every arm to full length once, whatever it costs: who leads, and who is named after test."""
    last = race.curves.right["fresh"].shape[2] - 1
    stands = {name: race.score(arm, last, "fresh") for arm, name in enumerate(race.names)}
    seeds = {name: [int(race.seed_A[arm])] for arm, name in enumerate(race.names)}
    first = max(stands, key=lambda name: stands[name])
    return race.names.index(first), after_test(race, stands, seeds, number)


def zero_shot(race: Draw, rng: np.random.Generator) -> int:
    """An arm of the checkpoint that answers best before training, at random among these."""
    names = [race.curves.arms[arm] for arm in race.arm_A]
    score_A = np.array([race.curves.zero.get(name.split(".")[0], 0.0) for name in names])
    return int(rng.choice(np.flatnonzero(score_A == score_A.max())))


def replay(
    number: int, third: int, race: Draw, prior: Prior, share: float, seed_sd: float
) -> dict[str, Any]:
    """One race by the engine, fresh and continued, and by every plain rule."""
    rng = np.random.default_rng(number)
    truth_A = race.truth_A
    brute = brute_tokens(race)
    budget = share * brute
    line: dict[str, Any] = {
        "setting": race.curves.name,
        "task": race.curves.task,
        "third": third,
        "gap": race.gap,
        "best": race.curves.arms[race.arm_A[int(truth_A.argmax())]],
        "regret": {"random": float(truth_A.max() - truth_A.mean())},
        "right": {},
        "said": [],
    }
    kinds: tuple[Kind, ...] = ("fresh", "continued")
    for kind in kinds:
        ended = run_race(race, budget, prior, kind, number, seed_sd)
        line["regret"][BEFORE[kind]] = float(truth_A.max() - truth_A[ended.pick])
        line[f"share, {kind}"] = ended.spent / brute
        if kind == "fresh":
            named = named_by(race, ended, number)
            line["regret"][NAMED] = float(truth_A.max() - truth_A[named])
            used = ended.seeds.get(race.names[named], [int(race.seed_A[named])])
            line["elsewhere"] = {NAMED: regret_elsewhere(race, named, used)}
            line["said"] = [
                {
                    "p": heard.p_best_A.tolist(),
                    "score": [None if math.isnan(x) else float(x) for x in heard.current_A],
                }
                for heard in ended.heard
            ]
    line["truth"] = truth_A.tolist()
    once, once_tested = all_to_the_end(race, number)
    brute_first, brute_tested = brute_force(race, "fresh", number)
    for name, pick in (
        ("equal shares", equal_shares(race, budget)),
        ("halving", halving(race, budget)),
        ("zero-shot", zero_shot(race, rng)),
        ("all to full length, before its test", once),
        ("brute force, before its test", brute_first),
        ("all to full length, named", once_tested),
        ("brute force, named", brute_tested),
    ):
        line["regret"][name] = float(truth_A.max() - truth_A[pick])
        if name in ONE_SEED:
            line["elsewhere"][name] = regret_elsewhere(race, pick, [int(race.seed_A[pick])])
    return line


def cases(
    lines: Sequence[dict[str, Any]], when: str, tie: float = 0.0
) -> tuple[Cases, list[np.ndarray]]:
    """P(best) of every arm at the end of each race, or halfway: what was said and what is so.

    So is the best mean over seeds; with a `tie`, whatever is as near to it.
    """
    said, right, outer, inner, scores = [], [], [], [], []
    for line in lines:
        if not line["said"]:
            continue
        told = line["said"][-1 if when == "end" else len(line["said"]) // 2]
        truth_A = np.array(line["truth"])
        said += told["p"]
        right += (truth_A >= truth_A.max() - tie).tolist()
        outer += [line["setting"]] * len(truth_A)
        inner += [line["best"]] * len(truth_A)
        scores.append(np.array([np.nan if x is None else x for x in told["score"]]))
    return Cases(np.array(said), np.array(right), np.array(outer), np.array(inner)), scores


def with_tables(told: Cases, kept: Path) -> Cases:
    """The cases of a sub-set study beside those of the bank; tables are blocks like settings."""
    lines = [json.loads(text) for text in kept.read_text(encoding="utf-8").splitlines()]
    lines = [line for line in lines if line["said"] is not None]
    place = DOUBTS.index(DOUBT)
    return Cases(
        np.array([*told.said_N, *(line["said"][place] for line in lines)]),
        np.array([*told.right_N, *(line["regret"]["forkpoint"] <= NATS_TIE for line in lines)]),
        np.array([*told.outer_N, *(line["key"].split()[0] for line in lines)]),
        np.array([*told.inner_N, *(line["best"] for line in lines)]),
    )


def over_settings(values: Mapping[str, Sequence[float]], rng: np.random.Generator) -> list[float]:
    """95 % interval of a mean over races, settings drawn again with all of theirs."""
    names = list(values)
    means = [
        float(np.mean([x for name in rng.choice(names, len(names)) for x in values[name]]))
        for _ in range(RESAMPLES)
    ]
    return [round(float(x), 4) for x in np.percentile(means, [2.5, 97.5])]


def table(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Regret by third and method, with a bootstrap over settings."""
    rng = np.random.default_rng(0)
    names = list(dict.fromkeys(line["setting"] for line in lines))
    found: dict[str, Any] = {}
    for third, (_, _, title) in [*enumerate(THIRDS), (None, (0, 0, "all"))]:
        mine = [line for line in lines if third in (None, line["third"])]
        if not mine:
            continue
        by_setting = {n: [line for line in mine if line["setting"] == n] for n in names}
        there = [n for n in names if by_setting[n]]
        rows: dict[str, Any] = {"n": len(mine), "settings": len(there)}
        for method in mine[0]["regret"]:
            by_name = {n: [line["regret"][method] for line in by_setting[n]] for n in there}
            regret = [line["regret"][method] for line in mine]
            rows[method] = {
                "regret": round(float(np.mean(regret)), 4),
                "interval": over_settings(by_name, rng),
                "right": round(float(np.mean([r <= TIE for r in regret])), 3),
                "ours_minus_this": _apart(mine, method, there, rng),
            }
        rows["by seeds not seen"] = {
            how: round(float(np.mean([line["elsewhere"][how] for line in mine])), 4)
            for how in mine[0]["elsewhere"]
        }
        for kind in ("fresh", "continued"):
            rows[f"tokens, {kind}"] = round(float(np.mean([x[f"share, {kind}"] for x in mine])), 3)
        found[title] = rows
    return found


def by_setting(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Mean regret of every method in each setting, with the standard error of ours."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(line["setting"] for line in lines):
        mine = [line["regret"] for line in lines if line["setting"] == name]
        ours = [regret[NAMED] for regret in mine]
        found[name] = {
            "n": len(mine),
            "error": round(float(np.std(ours) / math.sqrt(len(ours))), 4),
            **{how: round(float(np.mean([one[how] for one in mine])), 4) for how in mine[0]},
        }
    return found


def _apart(
    lines: Sequence[dict[str, Any]], method: str, there: Sequence[str], rng: np.random.Generator
) -> list[float]:
    """Our regret minus a rival's, race by race: mean, interval; before test where it has none."""
    ours = NAMED if method.endswith(", named") else BEFORE["fresh"]
    apart = {
        name: [
            line["regret"][ours] - line["regret"][method]
            for line in lines
            if line["setting"] == name
        ]
        for name in there
    }
    means = []
    for _ in range(RESAMPLES):
        drawn = [
            x
            for name in rng.choice(there, len(there))
            for x in rng.choice(apart[name], len(apart[name]))
        ]
        means.append(float(np.mean(drawn)))
    every = [x for name in there for x in apart[name]]
    return [round(float(x), 4) for x in (np.mean(every), *np.percentile(means, [2.5, 97.5]))]


def arguments(about: str) -> argparse.ArgumentParser:
    """What every replay is asked for."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--bank", type=Path, required=True)
    parser.add_argument("--races", type=int, default=120)
    parser.add_argument("--share", type=float, default=0.3, help="of brute force's tokens")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def main() -> None:
    """Replay and print."""
    parser = arguments(__doc__)
    parser.add_argument("--tables", type=Path, help="what selection.py --subsets 500 --keep kept")
    parser.add_argument("--prior", choices=("fitted", "ruled"), default="fitted")
    given = parser.parse_args()
    bank = read_bank(given.bank)
    tasks = list(dict.fromkeys(curves.task for curves in bank))
    priors: dict[str, Prior] = {}
    noise = noise_elsewhere(bank)
    for task in tasks:
        others = [curves for curves in bank if curves.task != task]
        if given.prior == "fitted" and others:
            priors[task] = fit_live_prior(others)
        else:
            priors[task] = RULED_PRIOR
    lines = [
        replay(number, third, race, priors[race.curves.task], given.share, noise[race.curves.task])
        for number, (third, race) in enumerate(races_of(bank, given.races, given.seed))
    ]
    certainty = {}
    for when in ("halfway", "end"):
        told, scores = cases(lines, when)
        near, _ = cases(lines, when, TIE)
        best = min(
            TEMPERATURES,
            key=lambda t: float(
                np.mean((np.concatenate(softmax_of(scores, t)) - told.right_N) ** 2)
            ),
        )
        rival = {f"softmax at {best:g}": np.concatenate(softmax_of(scores, best))}
        certainty[when] = judge_certainty(told, rival)
        certainty[f"{when}, ties right"] = judge_certainty(near, rival)
        if given.tables and when == "end":
            certainty["end, with tables"] = judge_certainty(with_tables(told, given.tables))
    result = {
        "bank": [
            {"setting": c.name, "arms": len(c.arms), "seeds": c.test_AS.shape[1]} for c in bank
        ],
        "priors": given.prior,
        "seed_noise": noise,
        "regret": table(lines),
        "by setting": by_setting(lines),
        "certainty": certainty,
        "order": order_per_token(bank),
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
