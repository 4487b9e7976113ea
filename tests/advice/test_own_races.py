"""The user's own finished races speak in advice, visibly and with their weight."""

import pytest
from advice_cases import CHAT, GOAL, TICKETS, TWINS

from forkpoint.advice import Advice, advise
from forkpoint.advice.own_races import T_975, T_975_MORE
from forkpoint.report.advice_text import advice_text
from forkpoint.store import PastArm, PastRace, Shelf, earlier_races


def past(number: int, base: float, chat: float, **changes: object) -> PastRace:
    """A race of Base and Chat of one size on data like TICKETS, with these test scores."""
    scores = {"base": base, "chat": chat}
    arms = tuple(
        PastArm(
            name=f"{stage}.lora", checkpoint=stage, identity="a" * 64, family="x", stage=stage,
            post_training=None, parameters=4_000_000_000, approach="lora", test=score,
            validation=score, p_best=None, rate=1e-4, tokens=1, trials=1, seconds=1.0,
            predicted_seconds=1.0, peak_bytes=None, predicted_bytes=None,
        )
        for stage, score in scores.items()
    )  # fmt: skip
    winner = max(scores, key=lambda stage: scores[stage])
    plain = PastRace(
        race_id=f"{number:016x}", created="2026-01-01", ended=f"2026-01-{number + 1:02d}",
        forkpoint_version="0", data_sha256="d", test_sha256="e", rows=1_000, test_rows=100,
        job=TICKETS.job, answer_kind=TICKETS.answer_kind, languages={}, metric="json_f1",
        machine="m", machine_text="m", verdict="better", fork_point=winner, arm=f"{winner}.lora",
        stage=winner, p_best=0.9, seed_sd=None, tokens=1, seconds=1.0, predicted_seconds=1.0,
        arms=arms,
    )  # fmt: skip
    return plain.model_copy(update=changes)


SIX = (*(past(n, 0.60 + n / 100, 0.68 + n / 90) for n in range(5)), past(5, 0.70, 0.69))


def measured(advice: Advice, rule: str) -> list[tuple[str, int | None]]:
    """What own races say of a rule: direction and n."""
    return [
        (one.direction, one.figure.n) for one in advice.ground(rule).measured if one.study == "own"
    ]


def test_own_races_are_counted_and_said() -> None:
    """Chat was named on five of six races of this kind: the first screen says so, with n."""
    advice = advise(TICKETS, TWINS, GOAL, past=SIX)
    assert advice.tally is not None
    assert (6, {"chat": 5, "base": 1}) == (advice.tally.races, advice.tally.wins)
    assert "(n = 6): Chat was named on 5, Base was named on 1" in " ".join(
        advice_text(advice, "en").split()
    )
    assert "Chat 胜出 5 场" in advice_text(advice, "zh")


def test_what_they_decide_goes_before_all_rules() -> None:
    """Chat won by .07: the rule for Base at this number of rows stands against the measurement."""
    advice = advise(TICKETS, TWINS, GOAL, past=SIX)
    assert [("against", 6)] == measured(advice, "FP-B03")
    assert "measured_on_your_races" == advice.ground("FP-B03").strength
    trained = [one for one in advice.arms if one.trained]
    assert CHAT.name == trained[0].candidate


def test_what_they_cannot_decide_is_shown_and_not_counted() -> None:
    """Two races that disagree have an interval that holds 0."""
    races = (past(0, 0.60, 0.70), past(1, 0.70, 0.60))
    assert [("undecided", 2)] == measured(advise(TICKETS, TWINS, GOAL, past=races), "FP-B03")


def test_races_of_another_kind_say_nothing() -> None:
    """Another job or kind of answer, or a single race, leaves the advice as it was."""
    plain = advise(TICKETS, TWINS, GOAL)
    others = tuple(one.model_copy(update={"answer_kind": "free_text"}) for one in SIX)
    assert plain == advise(TICKETS, TWINS, GOAL, past=others)
    assert [] == measured(advise(TICKETS, TWINS, GOAL, past=SIX[:1]), "FP-B03")


def test_a_switched_off_store_is_not_used(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`forkpoint store off` and FORKPOINT_STORE=off leave advice without own races; no store is
    made where there is none."""
    folder = tmp_path / "home"
    assert () == earlier_races(folder)
    assert not folder.exists()
    with Shelf(folder) as shelf:
        for race in SIX:
            shelf.keep(race)
    assert 6 == len(earlier_races(folder))
    monkeypatch.setenv("FORKPOINT_STORE", "off")
    assert () == earlier_races(folder)


def test_the_interval_is_students() -> None:
    """The factors are the 97.5 % points of Student's t; beyond the table never too narrow."""
    from scipy.stats import t

    for degrees, factor in enumerate(T_975, start=1):
        assert float(t.ppf(0.975, degrees)) == pytest.approx(factor, abs=6e-4)
    assert float(t.ppf(0.975, len(T_975) + 1)) <= T_975_MORE + 0.002
