"""The floor of general ability: who holds it, and what it does to a verdict."""

import pytest

from forkpoint.errors import BadInput
from forkpoint.race.kept import ability_difference, below_floor, floor_reasons
from forkpoint.race.retaining import read_floor
from forkpoint.record import Figure
from forkpoint.verdict.verdict_record import FloorStanding, FloorVerdict
from forkpoint.words import say

NAMES = ("pocket-base", "qwen:7b")


def kind(right: int, n: int = 50) -> dict[str, float]:
    """`right` of `n` questions answered."""
    return {str(number): float(number < right) for number in range(n)}


def verdict(**says: str) -> FloorVerdict:
    """Arms and where they stand."""
    figure = Figure(value=-0.1, low=-0.2, high=0.0, n=50, origin="measured")
    return FloorVerdict(
        checkpoint="pocket-base",
        slack=0.05,
        standings=tuple(
            FloorStanding(arm=arm, difference=figure, says=one)  # type: ignore[arg-type]
            for arm, one in says.items()
        ),
    )


def test_every_kind_of_ability_has_the_same_weight() -> None:
    """A kind with many questions counts as much as one with few; both are paired."""
    before = {"knowledge": kind(40, 200), "refuse": kind(10, 20)}
    after = {"knowledge": kind(40, 200), "refuse": kind(0, 20)}
    found = ability_difference(before, after)
    assert found is not None
    assert found.value == pytest.approx(-0.25)
    assert 220 == found.n
    assert (found.low or 0) < -0.25 < (found.high or 0) < 0


def test_nothing_changed_still_has_a_width() -> None:
    """Fifty equal answers do not prove that nothing changed at all."""
    found = ability_difference({"knowledge": kind(40)}, {"knowledge": kind(40)})
    assert found is not None and found.value == 0.0
    assert 0.01 < (found.high or 0.0) < 0.1
    assert ability_difference({"knowledge": kind(40)}, {"refuse": kind(3)}) is None


def test_a_floor_is_a_checkpoint_of_the_race_and_a_slack() -> None:
    """NAME or NAME:SLACK; a name may hold a colon; anything else is said."""
    assert (None, 0.0) == read_floor(None, NAMES, measured=False)
    assert ("pocket-base", 0.0) == read_floor("pocket-base", NAMES, measured=True)
    assert ("qwen:7b", 0.0) == read_floor("qwen:7b", NAMES, measured=True)
    assert ("qwen:7b", 0.05) == read_floor("qwen:7b:0.05", NAMES, measured=True)
    for text, measured, words in (
        ("other:0.1", True, "pocket-base"),
        ("pocket-base:3", True, "between 0 and 1"),
        ("pocket-base", False, "--retain"),
    ):
        with pytest.raises(BadInput, match=words):
            read_floor(text, NAMES, measured)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_verdict_says_what_the_floor_did(lang: str) -> None:
    """Held, unclear, another arm named because of it, or held by none."""
    both = verdict(a="below", b="holds")
    assert ("a",) == below_floor(both)
    assert () == below_floor(None)
    for found, arm, without, key in (
        (both, "b", "a", "verdict.ability_floor_moved"),
        (both, "b", "b", "verdict.ability_floor_holds"),
        (verdict(a="unclear"), "a", "a", "verdict.ability_floor_unclear"),
        (verdict(a="below", b="below"), "a", "a", "verdict.ability_floor_none"),
    ):
        ((told, values),) = floor_reasons(found, arm, without)
        assert key == told
        assert "pocket-base" in say(told, lang, **values)
    assert [] == floor_reasons(None, "a", "a")
