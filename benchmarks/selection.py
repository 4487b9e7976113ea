"""Judge selection methods on published learning curves: what was picked, and what it cost.

    python benchmarks/selection.py --table A.csv --table B.csv --ratios 8,16,32 --json
    python benchmarks/selection.py --table A.csv --ratios 8,64,512 --subsets 500 --json

The prior that forkpoint uses on a table is fitted on the other tables that were given; with one
table alone it is the one that ships, and the output says so under "priors".
"""

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from fit_priors import fit_prior
from rivals import RIVALS, accept_then_stop
from subset_study import Line, Method, Raced, certainty_of, sub_sets, summary
from subsets import TIE
from tables import ACCOUNTINGS, Accounting, Purse, Table, TableError, read_table

from forkpoint.engine import Arm, Ask, Prior, Score, Selector, Settings
from forkpoint.engine.prior import shipped
from forkpoint.engine.value import DOUBT
from forkpoint.errors import ForkpointError

TUNED_POINTS = (2, 3, 4, 5)  # AtS-tuned: its own grid of k
TUNED_DELTAS = (1.0, 2.0, 3.0, 5.0, 7.0, 10.0)  # and of delta


def forkpoint(purse: Purse, prior: Prior | None = None, seed: int = 0) -> Raced:
    """The engine through a purse: its pick, its predictions, and the race it ran, if any."""
    table = purse.table
    rungs = [tuple(int(k) for k in np.flatnonzero(np.isfinite(row))) for row in table.loss_AK]
    arms = [
        Arm(name=name, rungs=runs, cost_per_token=float(price))
        for name, runs, price in zip(table.arms, rungs, purse.price_A, strict=True)
    ]
    settings = Settings(
        kind="continued" if purse.accounting == "last" else "fresh",
        p_best_enough=1.0,
        regret_enough=0.0,
        margin=TIE,
        prior=prior,
    )
    try:
        race = Selector(arms, table.rows_K.tolist(), purse.allowed, settings, seed)
    except ForkpointError:
        return (_cheapest_look(purse), None), None
    index = {name: number for number, name in enumerate(table.arms)}
    while asks := race.ask():
        for ask in asks:
            _look(race, purse, ask, index[ask.arm])
    standing = race.standing()
    predicted_A = np.array([arm.final_loss for arm in standing.arms], dtype=float)
    pick = index[standing.pick] if standing.pick else None
    return (pick, predicted_A), race


def _look(race: Selector, purse: Purse, ask: Ask, arm: int) -> None:
    before = purse.spent
    value = purse.look(arm, ask.rung)
    score = Score(value=value, standard_error=0.0, n=1, unit="nats per token", better="lower")
    race.tell(ask, [score], purse.spent - before)


def _cheapest_look(purse: Purse) -> int | None:
    """The best of what can be seen when not every arm can be taken to its first rung."""
    zero_A = purse.table.zero_A
    return None if np.isnan(zero_A).all() else int(np.nanargmin(zero_A))


def tune(tables: Sequence[Table], ratios: Sequence[float]) -> tuple[int, float]:
    """AtS's k and delta with the least mean regret on other tables; the published on ties."""
    best = (3, 5.0)
    worth = (
        {
            (k, delta): float(
                np.mean(
                    [
                        _regret(table, accept_then_stop(Purse(table, ratio, "sum"), k, delta)[0])
                        for table in tables
                        for ratio in ratios
                    ]
                )
            )
            for k in TUNED_POINTS
            for delta in TUNED_DELTAS
        }
        if tables
        else {best: 0.0}
    )
    return min(worth, key=lambda setting: (worth[setting], setting != best, setting))


def _regret(table: Table, pick: int | None) -> float:
    final_A = table.loss_AK[:, -1]
    return float(final_A.max() if pick is None else final_A[pick]) - float(final_A.min())


def cell(
    table: Table, ratio: float, name: str, method: Method, accounting: Accounting
) -> dict[str, Any]:
    """One line of the result: a method on a table at a ratio under an accounting."""
    purse = Purse(table, ratio, accounting)
    pick, predicted_A = method(purse)
    final_A = table.loss_AK[:, -1]
    spread = float(final_A.max() - final_A.min())
    regret = None if pick is None else _regret(table, pick)
    pearson = None
    if predicted_A is not None and np.isfinite(predicted_A).all() and predicted_A.std() > 0:
        pearson = round(100 * float(np.corrcoef(predicted_A, final_A)[0, 1]), 2)
    return {
        "table": table.name,
        "ratio": ratio,
        "method": name,
        "accounting": accounting,
        "pearcorr": pearson,
        "relacc": None
        if regret is None
        else round(100 * (1 - regret / spread), 3)
        if spread
        else 100.0,
        "regret": None if regret is None else round(regret, 6),
        "hit": regret is not None and regret <= 0.0,
        "hit_within_tie": regret is not None and regret <= TIE,
        "pick": None if pick is None else table.arms[pick],
        "rows_spent": purse.spent,
        "rows_allowed": purse.allowed,
    }


def methods_for(
    table: Table, tables: Sequence[Table], ratios: Sequence[float]
) -> tuple[dict[str, Method], Prior, dict[str, Any]]:
    """All methods as they may be used on one table: tuned and fitted on the others only."""
    others = [other for other in tables if other.name != table.name]
    k, delta = tune(others, ratios)
    prior = fit_prior(others) if others else shipped("log")
    methods: dict[str, Method] = {
        "forkpoint": lambda purse: forkpoint(purse, _suited(purse.table, prior))[0],
        "AtS": RIVALS["AtS"],
        "AtS-tuned": lambda purse: accept_then_stop(purse, k, delta),
        **{name: method for name, method in RIVALS.items() if name != "AtS"},
    }
    origin = {
        "table": table.name,
        "fitted_on": [other.name for other in others] or ["shipped prior"],
        "ats_tuned": {"k": k, "delta": delta},
    }
    return methods, prior, origin


def _suited(table: Table, prior: Prior) -> Prior | None:
    """The fitted prior is one of logarithms; a table with losses at or below 0 needs another."""
    return prior if np.nanmin(table.loss_AK) > 0 else None


def summarise(cells: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Per accounting and method: means over cells, hits, the share of the allowance used."""
    summary: dict[str, Any] = {}
    for accounting in ACCOUNTINGS:
        lines = [line for line in cells if line["accounting"] == accounting]
        for name in dict.fromkeys(line["method"] for line in lines):
            mine = [line for line in lines if line["method"] == name and line["regret"] is not None]
            ats = {
                (line["table"], line["ratio"]): line["regret"]
                for line in lines
                if line["method"] == "AtS" and line["regret"] is not None
            }
            if not mine:
                continue
            worse = [m["regret"] - ats.get((m["table"], m["ratio"]), math.inf) for m in mine]
            summary.setdefault(accounting, {})[name] = {
                "cells": len(mine),
                "mean_regret": round(float(np.mean([m["regret"] for m in mine])), 5),
                "mean_relacc": round(float(np.mean([m["relacc"] for m in mine])), 2),
                "hits": sum(m["hit"] for m in mine),
                "hits_within_tie": sum(m["hit_within_tie"] for m in mine),
                "worst_against_ats": round(max(worse), 5),
                "mean_share_spent": round(
                    float(np.mean([m["rows_spent"] / max(m["rows_allowed"], 1) for m in mine])), 3
                ),
            }
    return summary


def main() -> int:
    """Read the arguments, judge, print; 0 when done, 2 for bad input."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--table", action="append", required=True, type=Path, help="a CSV of curves"
    )
    parser.add_argument(
        "--ratios", default="8,16,32,64,128,256,512", help="full rows / B, comma-separated"
    )
    parser.add_argument("--accountings", default=",".join(ACCOUNTINGS), help="sum, last, params")
    parser.add_argument(
        "--subsets", type=int, default=0, help="random sub-sets of 8-15 arms per table and ratio"
    )
    parser.add_argument("--keep", type=Path, help="a file of sub-sets already run; resumes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes of the sub-set study"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    given = parser.parse_args()
    try:
        result = judge(given)
    except (TableError, ForkpointError, ValueError) as error:
        print(f"selection: {error}", file=sys.stderr)
        return 2
    print(json.dumps(result, indent=1) if given.json else _text(result))
    return 0


def judge(given: argparse.Namespace) -> dict[str, Any]:
    """Everything that was asked for, as one record."""
    tables = [read_table(path) for path in given.table]
    if len({table.name for table in tables}) < len(tables):
        raise TableError("two tables have the same file name; rename one.")
    ratios = [float(text) for text in given.ratios.split(",")]
    ratios = [int(ratio) if ratio == int(ratio) else ratio for ratio in ratios]
    if not all(ratio >= 1 for ratio in ratios):
        raise TableError(f"--ratios {given.ratios}: a ratio is at least 1.")
    accountings = [name for name in ACCOUNTINGS if name in given.accountings.split(",")]
    cells: list[dict[str, Any]] = []
    origins = []
    notes = [note for table in tables for note in table.notes]
    if len(tables) == 1 and tables[0].name in shipped("log").origin:
        notes.append(
            f"{tables[0].name}: the prior that ships was fitted on this table; give another table"
            " as well, and the prior is fitted on that one alone"
        )
    studies: dict[str, Any] = {}
    lines: dict[str, list[Line]] = {}
    for table in tables:
        methods, prior, origin = methods_for(table, tables, ratios)
        origins.append(origin)
        for accounting in accountings:
            if accounting == "params" and not np.isfinite(table.size_A).all():
                continue
            for ratio in ratios:
                cells += [cell(table, ratio, n, m, accounting) for n, m in methods.items()]
        if given.subsets:
            lines[table.name] = sub_sets(
                table, ratios, given.subsets, given.seed,
                (forkpoint, _suited(table, prior), methods), keep=given.keep, jobs=given.jobs,
            )  # fmt: skip
            studies[table.name] = summary(lines[table.name], given.seed)
    return {
        "cells": cells,
        "summary": summarise(cells),
        "subsets": studies,
        "certainty": certainty_of(lines, DOUBT) if lines else {},
        "priors": origins,
        "notes": notes,
    }


def _text(result: dict[str, Any]) -> str:
    lines = []
    for accounting, methods in result["summary"].items():
        lines.append(
            f"{accounting}: method, mean regret, RelAcc, hits, worst against AtS, share spent"
        )
        lines += [
            f"  {name:14} {m['mean_regret']:.4f}  {m['mean_relacc']:6.2f}"
            f"  {m['hits']:2d}/{m['cells']}"
            f"  {m['worst_against_ats']:+.4f}  {m['mean_share_spent']:.2f}"
            for name, m in methods.items()
        ]
    for table, study in result["subsets"].items():
        lines.append(f"sub-sets of {table}: mean regret, forkpoint minus it [95 % interval]")
        for name, m in study["methods"].items():
            apart = (
                f"{m['ours_minus_this']:+.4f} {m['difference_interval']}"
                if "ours_minus_this" in m
                else ""
            )
            lines.append(f"  {name:14} {m['mean_regret']:.4f}  {apart}")
        lines.append(_certainty_text(study["certainty"]))
    if result["certainty"]:
        lines.append("all tables together")
        lines.append(_certainty_text(result["certainty"]))
    return "\n".join([*lines, *result["notes"]])


def _certainty_text(sure: dict[str, Any]) -> str:
    return (
        f"  said {sure['said']}, right {sure['right']}, ECE {sure['ece']} {sure['ece_interval']},"
        f" Brier {sure['brier']} (base rate {sure['rivals']['base rate']['brier']}), n {sure['n']}"
    )


if __name__ == "__main__":
    sys.exit(main())
