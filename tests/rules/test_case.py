"""What speaks for a job: the goal first, then the data."""

from forkpoint.facts.goal import read_goal
from forkpoint.rules import Candidate, Case, Example, Finding, rule, sentence
from forkpoint.rules.example import profile_of

BASE = Candidate(name="a", stage="base")


def test_the_goal_speaks_before_the_data() -> None:
    """Words of the goal come first, what the data show stands behind them."""
    data = profile_of(rows=100, job="dialogue")
    case = Case(candidate=BASE, goal=read_goal("customer service"), data=data)
    assert ("customer service", "job=dialogue") == case.signs("dialogue")


def test_a_denial_silences_the_data() -> None:
    """Who says "not a chatbot" is believed, though rows have several turns."""
    data = profile_of(rows=100, multi_turn=0.9)
    case = Case(candidate=BASE, goal=read_goal("not a chatbot"), data=data)
    assert () == case.signs("dialogue")


def test_what_the_data_show_is_put_into_words() -> None:
    """A sign of the data reaches a person in the person's language, never as a field name."""
    case = Example(expects="for", rows=400, answers="json", stage="instruct").case()
    finding = rule("FP-B05").judge(case)
    assert "answers are JSON with 400 rows" in sentence(finding, "en")
    assert "回答是 JSON，400 行" in sentence(finding, "zh")


def test_a_finding_survives_json() -> None:
    """A finding goes to JSON and back unchanged."""
    finding = rule("FP-B01").judge(Example(expects="for", rows=1, stage="chat").case())
    assert finding == Finding.from_json(finding.to_json())


def test_a_codes_case_does_not_matter() -> None:
    """Rules are found by their code in either case."""
    assert rule("fp-b03") is rule("FP-B03")


def test_chat_means_what_the_rule_says_it_means() -> None:
    """Where Chat means aligned only, an Instruct is not meant; where any tuned one, it is."""
    goal = ("an assistant", "一个助手")
    for code, expected in (("FP-B22", "against"), ("FP-B13", "for")):
        case = Example(expects="for", stage="instruct", goal=goal).case()
        assert expected == rule(code).judge(case).says
    assert "aligned" == rule("FP-B22").chat_means
    assert "tuned" == rule("FP-B13").chat_means
