"""From single answers to what sets checkpoints apart."""

from collections.abc import Mapping
from itertools import combinations
from typing import Literal

from forkpoint.behaviour.features import FEATURES, Features
from forkpoint.measure.interval import paired_rates, wilson
from forkpoint.record import Figure, Record

Way = Literal["template", "raw"]
Place = tuple[int, str, Way]  # checkpoint, probe, way


class Tally(Record):
    """How often a checkpoint showed a feature in one way of asking."""

    checkpoint: int
    way: Way
    feature: str
    hits: int
    share: Figure


class Difference(Record):
    """A feature in which two checkpoints differ on the same prompts asked the same way."""

    first: int
    second: int
    way: Way
    feature: str
    first_hits: int
    second_hits: int
    n: int
    second_minus_first: Figure
    clear: bool  # the interval of the paired difference excludes 0


def tallies(seen: Mapping[Place, Features]) -> tuple[Tally, ...]:
    """Counts of every feature by checkpoint and way."""
    groups: dict[tuple[int, Way], list[Features]] = {}
    for (checkpoint, _, way), found in seen.items():
        groups.setdefault((checkpoint, way), []).append(found)
    return tuple(
        _tally(checkpoint, way, feature, [one.has(feature) for one in found])
        for (checkpoint, way), found in sorted(groups.items())
        for feature in FEATURES
    )


def _tally(checkpoint: int, way: Way, feature: str, shown: list[bool]) -> Tally:
    low, high = wilson(sum(shown), len(shown))
    return Tally(
        checkpoint=checkpoint,
        way=way,
        feature=feature,
        hits=sum(shown),
        share=Figure(
            value=sum(shown) / len(shown), low=low, high=high, n=len(shown), unit="share",
            origin="measured",
        ),
    )  # fmt: skip


def differences(seen: Mapping[Place, Features], checkpoints: int) -> tuple[Difference, ...]:
    """Every feature in which a pair differs at all; the clear ones first, the largest first."""
    found = []
    for first, second in combinations(range(checkpoints), 2):
        for way in ("template", "raw"):
            probes = [probe for one, probe, asked in seen if (one, asked) == (first, way)]
            both = [
                (seen[first, probe, way], seen[second, probe, way])
                for probe in probes
                if (second, probe, way) in seen
            ]
            for feature in FEATURES if both else ():
                pairs = [(a.has(feature), b.has(feature)) for a, b in both]
                if any(a != b for a, b in pairs):
                    found.append(_difference((first, second), way, feature, pairs))
    return tuple(sorted(found, key=lambda one: (not one.clear, -abs(one.second_minus_first.value))))


def _difference(
    pair: tuple[int, int], way: Way, feature: str, pairs: list[tuple[bool, bool]]
) -> Difference:
    change = paired_rates(pairs)
    value, low, high = change.value or 0.0, change.low or 0.0, change.high or 0.0
    return Difference(
        first=pair[0],
        second=pair[1],
        way=way,
        feature=feature,
        first_hits=sum(a for a, _ in pairs),
        second_hits=sum(b for _, b in pairs),
        n=len(pairs),
        second_minus_first=Figure(
            value=value, low=low, high=high, n=len(pairs), unit="share", origin="measured"
        ),
        clear=low > 0 or high < 0,
    )
