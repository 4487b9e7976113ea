"""Labels so rare beside the others that a model may never answer them."""

from collections.abc import Iterator, Mapping, Sequence

from forkpoint.data.checks.flag import Flag, Labels
from forkpoint.data.row import Row

RARE_SHARE = 0.1  # of the rows an even spread would give; below it a class is hardly learned
MAJORITY_SHARE = 0.9  # of all rows on one label: answering it always already scores this


def rare_labels(labels: Mapping[str, int]) -> tuple[str, ...]:
    """The labels that are too rare, the rarest first; all but the first where one rules."""
    total = sum(labels.values())
    if len(labels) < 2 or not total:
        return ()
    most = max(labels, key=lambda name: labels[name])
    even = total / len(labels)
    rules = labels[most] >= MAJORITY_SHARE * total
    rare = [name for name, count in labels.items()
            if count < RARE_SHARE * even or (rules and name != most)]  # fmt: skip
    return tuple(sorted(rare, key=lambda name: (labels[name], name)))


def look(rows: Sequence[Row], labels: Labels) -> Iterator[Flag]:
    """Rows that hold a label too rare to be learned."""
    rare = set(rare_labels(labels))
    for place, row in enumerate(rows):
        if row.answer in rare:
            yield Flag(place, row.answer)
