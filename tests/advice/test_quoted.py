"""Own studies stand beside the guides and change nothing."""

import pytest
from advice_cases import GOAL, TICKETS, TWINS

from forkpoint.advice import advise
from forkpoint.report.advice_json import advice_json
from forkpoint.report.advice_text import advice_text
from forkpoint.rules.example import profile_of
from forkpoint.sources import STUDIES
from forkpoint.words import LANGUAGES, say

FEW = profile_of(rows=100)
OWN = {study.key for study in STUDIES if study.own}


def test_own_studies_are_quoted_with_their_interval() -> None:
    """A rule that an own study measured says so, with a figure, its interval and n."""
    ground = advise(FEW, TWINS, "").ground("FP-B01")
    assert {"pocket_stages"} == {one.study for one in ground.quoted}
    for one in ground.quoted:
        assert one.figure.low is not None and one.figure.n
        assert "advice.alike_size_not" in one.unlike


def test_own_studies_change_no_class_and_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them every rule has the same class and every arm the same place."""
    with_them = [advise(data, TWINS, GOAL) for data in (FEW, TICKETS)]
    others = tuple(study for study in STUDIES if not study.own)
    monkeypatch.setattr("forkpoint.sources.studies.STUDIES", others)
    without = [advise(data, TWINS, GOAL) for data in (FEW, TICKETS)]
    for one, other in zip(with_them, without, strict=True):
        assert any(ground.quoted for ground in one.grounds)
        assert not any(ground.quoted for ground in other.grounds)
        assert [g.strength for g in one.grounds] == [g.strength for g in other.grounds]
        assert one.arms == other.arms


@pytest.mark.parametrize("lang", LANGUAGES)
def test_they_are_read_beside_the_guides(lang: str) -> None:
    """In either language the text names the own study at the disagreement and at the rule, and
    the JSON carries it."""
    advice = advise(TICKETS, TWINS, GOAL, data_name="t.jsonl")
    text = "".join(advice_text(advice, lang).split())
    assert "".join(say("advice.own_study", lang).split()) in text
    assert "".join(say("sources.lesson_pocket_stages", lang).split()) in text
    told = say("advice.direction_against", lang)
    quoted = say("advice.quoted", lang, study="pocket_lora", told=told)
    assert "".join(quoted.split()) in text
    assert all(key in advice_json(advice, lang) for key in ("pocket_stages", "pocket_lora"))
    assert OWN >= {"pocket_stages", "pocket_lora"}
