"""Published learning curves as tables, and the purse that pays for looking at their cells."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Accounting = Literal["sum", "last", "params"]
ACCOUNTINGS: tuple[Accounting, ...] = ("sum", "last", "params")


class TableError(Exception):
    """A table that cannot be used; the message says where and what to do."""


class OverBudgetError(Exception):
    """A method tried to look at a cell that it cannot pay for."""


@dataclass(frozen=True)
class Table:
    """Final losses are the last column of `loss_AK`; gaps are NaN; `rows_K` are row counts."""

    name: str
    arms: tuple[str, ...]
    rows_K: NDArray[np.int64]
    loss_AK: Floats
    zero_A: Floats
    size_A: Floats
    notes: tuple[str, ...] = ()

    def part(self, chosen: NDArray[np.intp]) -> "Table":
        """The same table with some of its arms."""
        return Table(
            self.name,
            tuple(self.arms[i] for i in chosen),
            self.rows_K,
            self.loss_AK[chosen],
            self.zero_A[chosen],
            self.size_A[chosen],
        )


def read_table(path: Path) -> Table:
    """A CSV with 'config name', row counts as columns, 'size' and 'family'."""
    if not path.is_file():
        raise TableError(f"{path}: no such file; give the path of a CSV table.")
    with path.open(encoding="utf-8-sig", newline="") as handle:
        lines = list(csv.DictReader(handle))
    if not lines or "config name" not in lines[0]:
        raise TableError(f"{path}: no column 'config name'; the first line must name the columns.")
    rows = sorted(int(name) for name in lines[0] if name and name.strip().isdigit())
    trained = [count for count in rows if count > 0]
    if len(trained) < 2:
        raise TableError(f"{path}: fewer than two row counts above 0 among the columns.")
    loss_AK = np.array([[_number(path, line, str(count)) for count in trained] for line in lines])
    zero_A = np.array([_number(path, line, "0") if 0 in rows else math.nan for line in lines])
    size_A = np.array([_number(path, line, "size") for line in lines])
    keep = np.flatnonzero(np.isfinite(loss_AK[:, -1]))
    notes = [
        f"{path.stem}: {lines[i]['config name']} has no score at {trained[-1]} rows and is left out"
        for i in range(len(lines))
        if i not in keep
    ]
    if (gaps := int(np.isnan(loss_AK[keep]).sum())) > 0:
        notes.append(f"{path.stem}: {gaps} cells are empty and cannot be looked at")
    if len(keep) < 2:
        raise TableError(f"{path}: fewer than two arms have a score at {trained[-1]} rows.")
    names = [line["config name"] for line in lines]
    if len(set(names)) < len(names):
        raise TableError(f"{path}: two rows have the same 'config name'.")
    table = Table(
        path.stem, tuple(names), np.array(trained, dtype=np.int64), loss_AK, zero_A, size_A
    ).part(keep)
    return Table(**{**table.__dict__, "notes": tuple(notes)})


def _number(path: Path, line: dict[str, str], column: str) -> float:
    text = (line.get(column) or "").strip()
    if text.lower() in ("", "nan", "na", "null", "none", "-"):
        return math.nan
    try:
        value = float(text)
    except ValueError:
        raise TableError(
            f"{path}, '{line['config name']}', column {column}: {text!r} is not a number."
        ) from None
    return value if math.isfinite(value) else math.nan


class Purse:
    """Pays for cells under one accounting; `limit` is the largest row count within the ratio.

    sum: every cell looked at costs its rows. last: an arm costs its highest row count.
    params: as sum, times the arm's parameters. Looking again is free, column 0 too.
    """

    def __init__(self, table: Table, ratio: float, accounting: Accounting) -> None:
        self.table = table
        self.accounting = accounting
        self.ratio = ratio
        self.limit = float(table.rows_K[-1]) / ratio
        self.low_K = np.flatnonzero(table.rows_K <= self.limit)
        count = len(table.arms)
        self.price_A = table.size_A if accounting == "params" else np.ones(count)
        there_AK = np.isfinite(table.loss_AK[:, self.low_K])
        if accounting == "last":
            self.allowed = float(count * self.limit)
        else:
            rows_AK = there_AK * table.rows_K[self.low_K]
            self.allowed = float((rows_AK.sum(axis=1) * self.price_A).sum())
        self.looked: set[tuple[int, int]] = set()
        self.spent = 0.0

    def price(self, arm: int, rung: int) -> float:
        """What looking at a cell would add to the bill."""
        if (arm, rung) in self.looked:
            return 0.0
        rows = float(self.table.rows_K[rung])
        if self.accounting == "last":
            paid = [self.table.rows_K[k] for a, k in self.looked if a == arm]
            return max(0.0, rows - float(max(paid, default=0)))
        return rows * float(self.price_A[arm])

    def affords(self, arm: int, rung: int) -> bool:
        """Whether the cell exists and can be paid for."""
        there = bool(np.isfinite(self.table.loss_AK[arm, rung]))
        return there and self.spent + self.price(arm, rung) <= self.allowed * (1 + 1e-12)

    def look(self, arm: int, rung: int) -> float:
        """The loss of a cell, paid for; raises OverBudgetError."""
        if not self.affords(arm, rung):
            raise OverBudgetError(f"{self.table.name}: arm {arm}, rung {rung}")
        self.spent += self.price(arm, rung)
        self.looked.add((arm, rung))
        return float(self.table.loss_AK[arm, rung])
