"""The order "run these first"."""

import itertools
import shlex

from advice_cases import BASE, CHAT, GOAL, INSTRUCT, TICKETS, TWINS

from forkpoint.advice import advise, race_command
from forkpoint.advice.record import Arm
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.rules.example import facts_of, profile_of


def arms(*checkpoints: CheckpointFacts, goal: str = GOAL) -> tuple[Arm, ...]:
    """The arms of one case in their order."""
    return advise(TICKETS, checkpoints, goal).arms


def test_places_count_up() -> None:
    """Places are 1, 2, 3, ... without gaps, in the order of the list."""
    found = arms(*TWINS)
    assert list(range(1, len(found) + 1)) == [one.place for one in found]


def test_every_candidate_runs_before_any_runs_twice() -> None:
    """Each candidate's best trained arm comes before any candidate's second."""
    trained = [one for one in arms(BASE, INSTRUCT, CHAT) if one.trained]
    assert {BASE.name, INSTRUCT.name, CHAT.name} == {one.candidate for one in trained[:3]}


def test_what_trains_nothing_comes_first() -> None:
    """Arms that only answer come before arms that train, and only where a rule wants them."""
    found = arms(*TWINS)
    assert sorted(one.trained for one in found) == [one.trained for one in found]
    plain = advise(profile_of(rows=900), (BASE,), "sort letters").arms
    assert [] == [one for one in plain if not one.trained]


def test_more_rules_for_goes_first() -> None:
    """Dialogue in JSON: the tuned twin has more rules for it, with LoRA as with full."""
    trained = [(one.candidate, one.approach) for one in arms(*TWINS) if one.trained]
    assert (CHAT.name, "lora") == trained[0]
    assert (BASE.name, "lora") == trained[1]


def test_the_other_job_turns_the_order() -> None:
    """Raw text asks for continued pre-training on Base before anything else is trained."""
    data = profile_of(rows=900, job="raw_text", format="text")
    found = [one for one in advise(data, TWINS, "continued pre-training").arms if one.trained]
    assert (BASE.name, "cpt") == (found[0].candidate, found[0].approach)


def test_a_contradicted_rule_does_not_count() -> None:
    """FP-B03 wants Base and FP-B23 a tuned twin: both are shown, neither counts."""
    for one in arms(*TWINS):
        counted = {
            rule
            for b in one.balances
            if b.strength != "contradicted"
            for rule in (*b.rules_for, *b.rules_against)
        }
        shown = {rule for b in one.balances for rule in (*b.rules_for, *b.rules_against)}
        assert "FP-B03" in shown - counted


def test_a_contradicted_rule_does_not_break_a_tie() -> None:
    """Uncounted rules all lean to the Base here; the smaller twin still leads.

    Counted, they would put the Base first before cost is looked at.
    """
    base = facts_of(name="base", stage="base", parameters=2_000, template=True)
    chat = facts_of(name="chat", stage="chat", parameters=1_000, template=True)
    found = advise(profile_of(rows=1_200), (base, chat), "").arms
    lora = {one.candidate: one for one in found if one.approach == "lora"}
    assert {"base": 2, "chat": -1} == {name: one.balances[-1].net for name, one in lora.items()}
    counted = {name: [b.net for b in one.balances[:-1]] for name, one in lora.items()}
    assert counted["base"] == counted["chat"]
    assert lora["chat"].place < lora["base"].place


def test_a_hard_limit_comes_last_and_is_not_raced() -> None:
    """A licence that forbids the use puts an arm last and out of the race to paste."""
    closed = facts_of(
        name="hub/Closed", stage="chat", commercial_use="no", template=True, parameters=10
    )
    advice = advise(TICKETS, (BASE, closed), "a commercial assistant", data_name="t.jsonl")
    excluded = [one for one in advice.arms if one.excluded_by]
    assert {"hub/Closed"} == {one.candidate for one in excluded}
    assert all(("FP-H02",) == one.excluded_by for one in excluded)
    assert list(advice.arms[-len(excluded) :]) == excluded
    assert advice.settle is not None
    assert "hub/Closed" not in advice.settle


def test_a_general_model_may_learn_code_but_not_images() -> None:
    """Code asks for a coder by preference; images rule out a model without eyes."""
    code = advise(TICKETS, TWINS, "generate code").arms
    assert [] == [one for one in code if one.excluded_by]
    images = advise(TICKETS, TWINS, "describe photos").arms
    assert [] == [one for one in images if not one.excluded_by]
    assert race_command("t.jsonl", images) is None


def test_a_tie_goes_to_the_cheaper() -> None:
    """When no rule tells two candidates apart, the smaller goes first, then the name."""
    big = facts_of(name="a-big", stage="base", parameters=2_000)
    small = facts_of(name="b-small", stage="base", parameters=1_000)
    unknown = facts_of(name="a-unknown", stage="base")
    found = [one.candidate for one in advise(None, (big, unknown, small), "x").arms]
    assert ["b-small", "a-big", "a-unknown"] == found[:3]


def test_the_order_given_does_not_matter() -> None:
    """The same candidates in any order on the command line give the same order of arms."""
    orders = {
        tuple((one.candidate, one.approach) for one in arms(*given))
        for given in itertools.permutations((BASE, INSTRUCT, CHAT))
    }
    assert 1 == len(orders)


def test_the_race_can_be_pasted() -> None:
    """The command survives a shell: names with spaces and quotes come through whole."""
    odd = facts_of(name="my model's folder", stage="base", parameters=10)
    advice = advise(TICKETS, (odd,), 'say "hi"; rm -rf $HOME', data_name="a b.jsonl")
    assert advice.settle is not None
    expected = [
        "forkpoint",
        "race",
        "a b.jsonl",
        "--model",
        "my model's folder",
        "--goal",
        'say "hi"; rm -rf $HOME',
        "--budget",
        "30m",
        "--out",
        "runs/a b",
    ]
    assert expected == shlex.split(advice.settle)


def test_no_race_without_data() -> None:
    """Without a data file there is nothing to race."""
    assert race_command(None, arms(*TWINS)) is None
