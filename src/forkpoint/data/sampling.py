"""Rows that pass by: a seeded sample is kept, each is compared with held questions."""

import math
import random
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from forkpoint.data.checks import HeldOut, leaks_check
from forkpoint.data.profile_record import CheckName, ContentCheck
from forkpoint.data.row import Row

SAMPLE_ROWS = 20_000  # rows looked at for contents, languages, tokens: a half to 0.7 points
LEAK_ROWS = 4_000  # rows compared with held questions at once


class Sample:
    """A seeded sample of rows that pass by (Li, 1994: algorithm L); all of them with None."""

    def __init__(self, size: int | None, seed: int) -> None:
        self.size = size
        self.draw = random.Random(seed)
        self.kept: list[tuple[int, Row]] = []

    @property
    def rows(self) -> list[Row]:
        """The rows of the sample, in the order of the file."""
        return [row for _, row in sorted(self.kept, key=lambda one: one[0])]

    def passing(self, rows: Iterable[Row]) -> Iterator[Row]:
        """All rows unchanged, some of them kept."""
        return chain.from_iterable(self._stretches(iter(rows)))

    def _stretches(self, rows: Iterator[Row]) -> Iterator[Iterable[Row]]:
        """The rows in stretches, each kept row alone: those between cost nothing."""
        for row in islice(rows, self.size):
            self.kept.append((len(self.kept), row))
            yield (row,)
        if self.size is None:
            return
        weight, place = 1.0, len(self.kept) - 1
        while True:
            weight *= math.exp(math.log(self.draw.random()) / self.size)
            skipped = int(math.log(self.draw.random()) / math.log1p(-weight))
            yield islice(rows, skipped)
            row_or_end = next(rows, None)
            if row_or_end is None:
                return
            place += skipped + 1
            self.kept[self.draw.randrange(self.size)] = place, row_or_end
            yield (row_or_end,)


class Compared:
    """Rows that pass by, each compared with held questions."""

    def __init__(self, name: CheckName, held: HeldOut) -> None:
        self.name, self.held = name, held
        self.found: list[tuple[Row, Row]] = []

    def passing(self, rows: Iterable[Row]) -> Iterator[Row]:
        """All rows unchanged."""
        batch: list[Row] = []
        for row in rows:
            batch.append(row)
            if len(batch) == LEAK_ROWS:
                self._compare(batch)
                batch = []
            yield row
        self._compare(batch)

    def _compare(self, batch: list[Row]) -> None:
        for leak in self.held.leaks(batch):
            self.found.append((batch[leak.place], self.held.rows[leak.held]))

    def check(self, all_rows: int) -> ContentCheck:
        """What was found, as a record."""
        return leaks_check(self.name, self.found, all_rows)
