"""Strength is a class with its ground."""

from typing import get_args

from advice_cases import BASE, CHAT, GOAL, TICKETS, TWINS

from forkpoint.advice import Advice, OwnRaces, advise
from forkpoint.advice.record import STRENGTHS, Strength
from forkpoint.record import Figure
from forkpoint.rules import RULES
from forkpoint.rules.example import facts_of, profile_of


def own(direction: str) -> OwnRaces:
    """What three past races measured of FP-B03."""
    figure = Figure(
        value=0.04, low=0.01, high=0.07, n=3, unit="score", origin="measured", source="own"
    )
    return OwnRaces.model_validate({"rule": "FP-B03", "direction": direction, "figure": figure})


def test_classes_are_the_agreed_ones() -> None:
    """There are five classes, strongest first, and every rule is in one."""
    assert get_args(Strength) == STRENGTHS
    advice = advise(TICKETS, TWINS, GOAL)
    assert [rule.code for rule in RULES] == [one.rule for one in advice.grounds]


def test_only_measured_classes_carry_numbers() -> None:
    """A figure stands only where something was measured, with its interval and n."""
    for one in advise(TICKETS, TWINS, GOAL).grounds:
        assert bool(one.measured) == one.strength.startswith("measured")
        for measured in one.measured:
            assert measured.figure.low is not None and measured.figure.n


def test_two_guides_are_several() -> None:
    """A rule that two guides make is stronger than one guide's word."""
    advice = advise(TICKETS, TWINS, GOAL)
    assert "several_guides" == advice.ground("FP-B09").strength
    assert ("table-guide", "qa-guide") == advice.ground("FP-B09").guides
    assert "one_guide" == advice.ground("FP-B13").strength


def test_contradicted_only_where_both_speak() -> None:
    """A rule is contradicted by a rule of another side that says the opposite of one candidate."""
    many = advise(TICKETS, TWINS, GOAL)
    assert ("FP-B05", "FP-B23") == many.ground("FP-B03").opposed_by
    few = advise(profile_of(rows=100), TWINS, "")
    assert () == few.ground("FP-B03").opposed_by
    assert "contradicted" == many.ground("FP-B05").strength


def test_rules_on_one_side_do_not_contradict() -> None:
    """Two rules of the same side never oppose each other, whatever they say."""
    for one in advise(TICKETS, TWINS, GOAL).grounds:
        assert one.rule not in one.opposed_by


def nets(advice: Advice) -> dict[str, int]:
    """What FP-B03 adds to each candidate's LoRA arm in the strongest class."""
    return {one.candidate: one.balances[0].net for one in advice.arms if one.approach == "lora"}


def test_your_own_races_go_before_all() -> None:
    """What the user's races measured is the strongest class and decides the order."""
    advice = advise(TICKETS, TWINS, GOAL, own=(own("supports"),))
    assert "measured_on_your_races" == advice.ground("FP-B03").strength
    assert {BASE.name: 1, CHAT.name: -1} == nets(advice)
    trained = [one for one in advice.arms if one.trained]
    assert BASE.name == trained[0].candidate


def test_a_measurement_that_cannot_tell_counts_for_nobody() -> None:
    """An undecided measurement takes the rule out of the count, in either stage."""
    advice = advise(TICKETS, TWINS, GOAL, own=(own("undecided"),))
    assert {BASE.name: 0, CHAT.name: 0} == nets(advice)


def test_how_alike_is_said() -> None:
    """A measurement on 2B to 7B says whether the user's sizes are like that."""
    tiny = facts_of(name="tiny", stage="base", parameters=1_300_000)
    nameless = facts_of(name="nameless", stage="base")
    for given, expected in (
        (TWINS, "advice.alike_size"),
        ((tiny,), "advice.alike_size_not"),
        ((nameless,), "advice.alike_size_unknown"),
    ):
        land = next(
            one
            for one in advise(TICKETS, given, GOAL).ground("FP-B03").measured
            if one.study == "lora_land"
        )
        assert expected in (*land.alike, *land.unlike)
