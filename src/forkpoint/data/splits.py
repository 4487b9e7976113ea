"""Rows into training, validation and test, so that nothing of the test is ever trained on."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from forkpoint.data.near import asked_text, near_pairs, normalised
from forkpoint.data.row import Row
from forkpoint.errors import BadInput

TEST_SHARE, TEST_ROWS = 0.20, 2_000  # of rows, and at most; 2,000 rows show .03 (method.md)
VALIDATION_SHARE, VALIDATION_ROWS = 0.15, 1_000  # of rows, and at most
FOLD_ROWS = 500  # rows; below this each row should be tested once (method.md, 'Splits')
FOLDS = 5
STRATUM_CHARACTERS = 40  # a longer answer is no label to keep in proportion
CONSTANT_PROMPT_SHARE = 0.05  # of rows; a prompt shared by more is an instruction, not a leak
SMALLEST_SIDE = 2  # rows; a side with fewer says nothing

Why = Literal["copy", "same_prompt", "near", "same_group"]


class Removed(NamedTuple):
    """A row left out, and the row that is the reason."""

    row: Row
    why: Why
    kept: Row


class Sizes(NamedTuple):
    """How many rows go to validation and test; the rest is trained on."""

    validation: int
    test: int


@dataclass(frozen=True)
class Splits:
    """The three sides, what was removed, and which rows belong together."""

    train: tuple[Row, ...]
    validation: tuple[Row, ...]
    test: tuple[Row, ...]
    removed: tuple[Removed, ...]
    groups: dict[str, str]  # row id -> id of its group: rows that must stay on one side
    seed: int

    def removed_counts(self) -> dict[str, int]:
        """How many rows were left out for which reason."""
        return dict(Counter(r.why for r in self.removed))

    def test_hash(self) -> str:
        """The SHA-256 of the test rows' ids, the same in any order: names this test set."""
        return hashlib.sha256("\n".join(sorted(r.id for r in self.test)).encode()).hexdigest()


def default_sizes(rows: int) -> Sizes:
    """Validation decides everything on the way, the test is opened once.

    Of 1,000 rows 650 are trained on, 150 decide, 200 test. The larger the data the smaller the
    shares: beyond 2,000 test rows an interval hardly shrinks while training would lose rows.
    """
    return Sizes(
        validation=min(round(VALIDATION_SHARE * rows), VALIDATION_ROWS),
        test=min(round(TEST_SHARE * rows), TEST_ROWS),
    )


def split(
    rows: Iterable[Row],
    *,
    seed: int,
    test: Sequence[Row] | None = None,
    validation: Sequence[Row] | None = None,
    group_by: str | None = None,
    time_field: str | None = None,
    sizes: Sizes | None = None,
) -> Splits:
    """Part rows into training, validation and test by their ids and the seed alone.

    Exact copies are kept once. Rows with the same prompt, near-duplicates and rows that share
    `group_by` stay on one side. A given `test` is kept whole, and rows of the other sides that
    leak from it are removed; so are training rows that leak from a given `validation`. With
    `time_field` the test is the latest part.
    The order of the file plays no part. Raises BadInput when a side would be empty.
    """
    tested, removed = _unique(test or ())
    checked, more = _unique(validation or (), tested)
    kept, copies = _unique(rows, [*tested, *checked])
    removed += more + copies
    everything = [*tested, *checked, *kept]
    groups = _groups(everything, group_by)
    checked, leaks = _apart(checked, tested, groups)
    free, more_leaks = _apart(kept, [*tested, *checked], groups)
    wanted = sizes or default_sizes(len(kept) + len(tested) + len(checked))
    wanted = Sizes(
        validation=0 if validation is not None else wanted.validation,
        test=0 if test is not None else wanted.test,
    )
    part = _by_time if time_field else _by_chance
    train, new_validation, new_test, late = part(free, wanted, groups, seed, time_field or "")
    removed += [
        Removed(row, _why(row, holder, group_by), holder)
        for row, holder in [*leaks, *more_leaks, *late]
    ]
    removed.sort(key=lambda r: (r.row.id, r.why, r.row.line))
    new_validation, new_test = [*checked, *new_validation], [*tested, *new_test]
    return _splits(train, new_validation, new_test, removed, groups, seed)


def k_folds(
    rows: Iterable[Row],
    *,
    seed: int,
    folds: int = FOLDS,
    group_by: str | None = None,
    time_field: str | None = None,
) -> tuple[Splits, ...]:
    """Splits in which each row is tested exactly once; for data below FOLD_ROWS.

    Each fold's validation is the next fold's test. Raises BadInput when there are too few
    groups, or for `time_field`: the latest rows can be tested only once.
    """
    if time_field:
        raise BadInput("data.folds_time", field=time_field)
    kept, removed = _unique(rows)
    groups = _groups(kept, group_by)
    parts: list[list[Row]] = [[] for _ in range(folds)]
    for members in _mixed(kept, groups, seed):
        min(parts, key=len).extend(members)
    if min(len(p) for p in parts) < SMALLEST_SIDE:
        raise BadInput("data.folds_few", rows=len(kept), groups=len(set(groups.values())),
                       folds=folds)  # fmt: skip
    found = []
    for place in range(folds):
        following = (place + 1) % folds
        train = [r for i, p in enumerate(parts) if i not in (place, following) for r in p]
        found.append(_splits(train, parts[following], parts[place], removed, groups, seed))
    return tuple(found)


def _splits(
    train: list[Row],
    validation: list[Row],
    test: list[Row],
    removed: list[Removed],
    groups: dict[str, str],
    seed: int,
) -> Splits:
    for name, side in (("train", train), ("validation", validation), ("test", test)):
        if len(side) < SMALLEST_SIDE:
            count = len(set(groups.values()))
            raise BadInput("data.split_empty", side=name, rows=len(side), groups=count)
    ordered = [tuple(sorted(side, key=lambda r: _drawn(r.id, seed)))
               for side in (train, validation, test)]  # fmt: skip
    return Splits(ordered[0], ordered[1], ordered[2], tuple(removed), groups, seed)


def _unique(rows: Iterable[Row], before: Sequence[Row] = ()) -> tuple[list[Row], list[Removed]]:
    """Rows by id, each once, and the copies; of equal rows the first line is kept."""
    first = {row.id: row for row in before}
    taken = set(first)
    kept, removed = [], []
    for row in sorted(rows, key=lambda r: (r.id, r.file, r.line)):
        if row.id in first:
            removed.append(Removed(row, "copy", first[row.id]))
        else:
            first[row.id] = row
            if row.id not in taken:
                kept.append(row)
    return kept, removed


def _apart(
    rows: Sequence[Row], holders: Sequence[Row], groups: dict[str, str]
) -> tuple[list[Row], list[tuple[Row, Row]]]:
    """Rows that share a group with none of the holders, and the others with their holder.

    Of several holders the one with the same prompt is named.
    """
    held: dict[str, list[Row]] = defaultdict(list)
    for holder in holders:
        held[groups[holder.id]].append(holder)
    free, leaks = [], []
    for row in rows:
        group = held.get(groups[row.id])
        if group is None:
            free.append(row)
        else:
            key = leak_key(row)
            leaks.append((row, next((h for h in group if leak_key(h) == key), group[0])))
    return free, leaks


def _groups(rows: Sequence[Row], group_by: str | None) -> dict[str, str]:
    """Row id -> the smallest id among the rows that must stay with it."""
    rows = sorted(rows, key=lambda r: r.id)
    parent = list(range(len(rows)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    def join(one: int, two: int) -> None:
        low, high = sorted((root(one), root(two)))
        parent[high] = low

    if group_by:
        _join_equal([_field(row, group_by) for row in rows], join)
    prompts = [leak_key(row) for row in rows]
    often = max(CONSTANT_PROMPT_SHARE * len(rows), 20)
    constant = {key for key, count in Counter(prompts).items() if count > often}
    _join_equal([None if p in constant else p for p in prompts], join)
    for one, two in near_pairs(rows):
        join(one, two)
    return {row.id: rows[root(place)].id for place, row in enumerate(rows)}


def _join_equal(keys: Sequence[str | None], join: Callable[[int, int], None]) -> None:
    first: dict[str, int] = {}
    for place, key in enumerate(keys):
        if key is not None:
            join(first.setdefault(key, place), place)


def leak_key(row: Row) -> str:
    """What two rows share when one gives the other away: the whole prompt, or the raw text."""
    return normalised(asked_text(row))


def _why(row: Row, holder: Row, group_by: str | None) -> Why:
    if leak_key(row) == leak_key(holder):
        return "same_prompt"
    if group_by and row.extra.get(group_by) == holder.extra.get(group_by):
        return "same_group"
    return "near"


def _field(row: Row, name: str) -> str:
    value = row.extra.get(name)
    if value is None or not value.strip():
        raise BadInput("data.split_field", field=name, file=row.file, line=row.line,
                       fields=", ".join(sorted(row.extra)) or "-")  # fmt: skip
    return value


def _mixed(rows: Sequence[Row], groups: dict[str, str], seed: int) -> list[list[Row]]:
    """Groups in an order drawn from the seed in which any stretch has all answers in proportion.

    Each group gets its place within the rows of the same answer as a fraction; sorting by it
    spreads every label evenly.
    """
    members: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        members[groups[row.id]].append(row)
    strata: dict[str, list[str]] = defaultdict(list)
    for group in sorted(members, key=lambda g: _drawn(g, seed)):
        answer = normalised(members[group][0].answer)
        strata[answer if len(answer) <= STRATUM_CHARACTERS else ""].append(group)
    places = {
        group: ((rank + 0.5) / len(stratum), _drawn(group, seed))
        for stratum in strata.values()
        for rank, group in enumerate(stratum)
    }
    return [members[group] for group in sorted(places, key=places.__getitem__)]


Parted = tuple[list[Row], list[Row], list[Row], list[tuple[Row, Row]]]


def _by_chance(rows: list[Row], sizes: Sizes, groups: dict[str, str], seed: int, _: str) -> Parted:
    train: list[Row] = []
    test: list[Row] = []
    validation: list[Row] = []
    for members in _mixed(rows, groups, seed):
        if len(test) + len(members) <= sizes.test:
            test += members
        elif len(validation) + len(members) <= sizes.validation:
            validation += members
        else:
            train += members
    return train, validation, test, []


def _by_time(
    rows: list[Row], sizes: Sizes, groups: dict[str, str], seed: int, field: str
) -> Parted:
    """The latest rows are the test, those before validation; earlier leaks are removed."""
    times = {row.id: _moment(row, field) for row in rows}
    if len({type(t) for t in times.values()}) > 1:
        raise BadInput("data.split_times_mixed", field=field)
    late = sorted(rows, key=lambda r: (times[r.id], _drawn(r.id, seed)), reverse=True)
    cuts = []
    for wanted in (sizes.test, sizes.test + sizes.validation):
        while 0 < wanted < len(late) and times[late[wanted].id] == times[late[wanted - 1].id]:
            wanted += 1  # rows of one moment stay together
        cuts.append(wanted)
    parts = late[: cuts[0]], late[cuts[0] : cuts[1]], late[cuts[1] :]
    validation, late_leaks = _apart(parts[1], parts[0], groups)
    train, leaks = _apart(parts[2], [*parts[0], *validation], groups)
    return train, validation, list(parts[0]), late_leaks + leaks


def _moment(row: Row, field: str) -> float | str:
    """A time as a number, or as text that sorts by time (ISO 8601 in UTC)."""
    value = _field(row, field).strip()
    try:
        return float(value)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise BadInput("data.split_time", field=field, file=row.file, line=row.line,
                       value=value[:40]) from None  # fmt: skip
    return moment.timestamp() if moment.tzinfo else moment.isoformat()


def _drawn(name: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()
