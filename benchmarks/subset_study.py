"""The sub-set study of a table: every method on the same random sub-sets of its arms; resumes.

A sub-set is one line of figures. With a file to keep them in, lines are appended as they come and
a study that was interrupted goes on where it stopped; lines of another prior, seed or table are
told apart by the key they carry.
"""

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from certainty import Cases, judge_certainty
from rivals import PLAIN_RACING, Outcome
from subsets import TIE, compare, random_parts
from tables import Floats, Purse, Table

from forkpoint.engine import Prior, Selector
from forkpoint.engine.value import DOUBT, odds

DOUBTS = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)  # factors on the model's SDs that are compared
TEMPERATURES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)  # of a softmax of current log losses
Line = dict[str, Any]
Raced = tuple[Outcome, Selector | None]
Race = Callable[[Purse, Prior | None], Raced]
Method = Callable[[Purse], Outcome]

_PARTS: list[tuple[str, float, Table]] = []
_TOOLS: list[tuple[Race, Prior | None, Mapping[str, Method]]] = []


def sub_sets(
    table: Table,
    ratios: Sequence[float],
    count: int,
    seed: int,
    tools: tuple[Race, Prior | None, Mapping[str, Method]],
    *,
    keep: Path | None = None,
    jobs: int = 1,
) -> list[Line]:
    """All lines of a table; those that `keep` has are not run again."""
    prior = tools[1]
    mark = hashlib.sha256((prior.to_json() if prior else "none").encode()).hexdigest()[:8]
    wanted = {
        f"{table.name} {ratio:g} {seed + place} {count} {number} {mark}": (ratio, part)
        for place, ratio in enumerate(ratios)
        for number, part in enumerate(random_parts(table, count, seed + place))
    }
    there = {line["key"]: line for line in _kept(keep) if line["key"] in wanted}
    _PARTS[:] = [(key, *wanted[key]) for key in _evenly(wanted, len(ratios)) if key not in there]
    _TOOLS[:] = [tools]
    for line in _run(jobs):
        there[line["key"]] = line
        if keep:
            with keep.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, separators=(",", ":")) + "\n")
    return [there[key] for key in wanted]


def _evenly(keys: Mapping[str, Any], ratios: int) -> list[str]:
    """Keys ordered so that an unfinished study has as many sub-sets of every ratio."""
    names = list(keys)
    size = len(names) // ratios
    return [names[ratio * size + number] for number in range(size) for ratio in range(ratios)]


def _kept(path: Path | None) -> Iterator[Line]:
    if path is not None and path.exists():
        for text in path.read_text(encoding="utf-8").split("\n"):
            if text.endswith("}"):
                yield json.loads(text)


def _run(jobs: int) -> Iterator[Line]:
    if jobs > 1 and "fork" in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context("fork").Pool(jobs) as pool:
            yield from pool.imap(_one, range(len(_PARTS)), chunksize=4)
    else:
        for number in range(len(_PARTS)):
            yield _one(number)


def _one(number: int) -> Line:
    """All methods on one sub-set, and what the engine said of its pick."""
    key, ratio, part = _PARTS[number]
    race_of, prior, methods = _TOOLS[0]
    final_A = part.loss_AK[:, -1]

    def regret(pick: int | None) -> float:
        return round(float((final_A.max() if pick is None else final_A[pick]) - final_A.min()), 6)

    purse = Purse(part, ratio, "sum")
    (pick, _), race = race_of(purse, prior)
    regrets = {"forkpoint": regret(pick)}
    for name, method in methods.items():
        if name != "forkpoint":
            regrets[name] = regret(method(Purse(part, ratio, "sum"))[0])
    return {
        "key": key,
        "ratio": ratio,
        "regret": regrets,
        "best": part.arms[int(final_A.argmin())],
        "said": said(race, pick),
        "soft": softmax(part, purse, pick),
    }


def said(race: Selector | None, pick: int | None) -> list[float] | None:
    """P(the pick is within a tie of the best) at each of DOUBTS."""
    known = race._know() if race else None
    if race is None or known is None or pick is None:
        return None
    course = race.course
    return [
        round(float(odds(*of, TIE, course.seed, doubt).p_within_A[pick]), 4)
        for of in [(known.belief, known.scale, known.open_A)]
        for doubt in DOUBTS
    ]


def softmax(part: Table, purse: Purse, pick: int | None) -> list[float] | None:
    """The pick's share in a softmax of the latest losses seen, at each of TEMPERATURES."""
    last: dict[int, int] = {}
    for arm, rung in purse.looked:
        last[arm] = max(rung, last.get(arm, -1))
    if pick is None or pick not in last:
        return None
    losses = np.log([part.loss_AK[arm, rung] for arm, rung in last.items()]) - np.log(
        part.loss_AK[pick, last[pick]]
    )
    return [round(1 / float(np.exp(np.minimum(-losses / t, 50)).sum()), 4) for t in TEMPERATURES]


def summary(lines: Sequence[Line], seed: int) -> dict[str, Any]:
    """Regrets in pairs, by ratio, and the certainty at the shipped doubt."""
    regret = {
        name: np.array([line["regret"][name] for line in lines]) for name in lines[0]["regret"]
    }
    racing = [name for name in PLAIN_RACING if name in regret]
    ratios = np.array([line["ratio"] for line in lines])
    return {
        "methods": compare(regret, "forkpoint", seed),
        "best_plain_racing": min(racing, key=lambda name: float(regret[name].mean())),
        "forkpoint_by_ratio": {
            f"{r:g}": round(float(regret["forkpoint"][ratios == r].mean()), 5)
            for r in dict.fromkeys(ratios.tolist())
        },
        "certainty": certainty_of({"": lines}, DOUBT),
    }


def certainty_of(
    lines_by_table: Mapping[str, Sequence[Line]], doubt: float, temperature: float | None = None
) -> dict[str, Any]:
    """The certainty of all tables together, at a doubt, beside a softmax at a temperature."""
    place = DOUBTS.index(doubt)
    told = [
        (table, line)
        for table, lines in lines_by_table.items()
        for line in lines
        if line["said"] is not None
    ]
    rivals: dict[str, Floats] = {}
    if temperature is not None:
        at = TEMPERATURES.index(temperature)
        rivals["softmax"] = np.array(
            [line["soft"][at] if line["soft"] else 0.5 for _, line in told]
        )
    return judge_certainty(
        Cases(
            np.array([line["said"][place] for _, line in told]),
            np.array([line["regret"]["forkpoint"] <= TIE for _, line in told]),
            np.array([table for table, _ in told]),
            np.array([line["best"] for _, line in told]),
        ),
        rivals,
    )
