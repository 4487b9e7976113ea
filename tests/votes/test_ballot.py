"""Blind pairs, votes that stay, strengths on known answers."""

from pathlib import Path

import pytest

from forkpoint.errors import BadInput
from forkpoint.votes import Poll, next_pair, record_vote, strengths
from forkpoint.votes.ballot import VOTES, append, read_votes
from forkpoint.votes.strengths import standings
from forkpoint.votes.vote_record import Choice, Judged, Vote


def vote(row: str, choice: Choice, voter: str = "ann", first: str = "a", second: str = "b") -> Vote:
    return Vote(time="", voter=voter, by="person", row_id=row, first=first, second=second,
                choice=choice, answers_sha256="")  # fmt: skip


def test_a_pair_does_not_say_whose_answers_it_shows(run: Path) -> None:
    """The id is the same length for all and holds no arm's name; sides are by chance."""
    pairs = Poll(run).pairs("ann")
    assert all(arm not in pair.id for pair in pairs for arm in (pair.first, pair.second))
    swapped = sum(pair.first > pair.second for pair in pairs)
    assert 0.3 < swapped / len(pairs) < 0.7
    other = {pair.row_id + pair.first + pair.second for pair in Poll(run).pairs("bob")}
    assert other != {pair.row_id + pair.first + pair.second for pair in pairs}


def test_every_voter_meets_the_same_rows_in_the_same_order(run: Path) -> None:
    """So that two voters who stop early can be compared, and every pair of arms has its turn."""
    ann, bob = Poll(run).pairs("ann"), Poll(run).pairs("bob")
    assert [pair.row_id for pair in ann] == [pair.row_id for pair in bob]
    arms = len(Poll(run).answers)
    met = {tuple(sorted((pair.first, pair.second))) for pair in ann[: arms * (arms - 1) // 2]}
    assert arms * (arms - 1) // 2 == len(met)


def test_answers_that_say_the_same_are_not_shown(run: Path) -> None:
    """There is nothing to choose; how many there are is counted."""
    poll = Poll(run)
    assert all(pair.answers[0] != pair.answers[1] for pair in poll.pairs("ann"))
    assert sum(poll.same.values()) > 0


def test_a_vote_is_kept_and_its_pair_is_not_shown_again(run: Path) -> None:
    """Who, when and on what is written at once; the next pair is another one."""
    pair = next_pair(run, "ann")
    assert pair is not None
    record_vote(run, "ann", pair.id, "second")
    votes, _, _ = read_votes(run)
    assert ("ann", pair.row_id, pair.second) == (votes[0].voter, votes[0].row_id, votes[0].winner)
    assert votes[0].time.startswith("20")
    following = next_pair(run, "ann")
    assert following is not None
    assert pair.id != following.id
    others = next_pair(run, "bob")
    assert others is not None
    assert pair.row_id == others.row_id


def test_a_changed_vote_counts_once(run: Path) -> None:
    """The last vote of a voter on a pair counts; the file keeps both."""
    pair = Poll(run).pairs("ann")[0]
    record_vote(run, "ann", pair.id, "first")
    record_vote(run, "ann", pair.id, "tie")
    assert [None] == [one.winner for one in read_votes(run)[0]]
    assert 2 == len((run / VOTES).read_bytes().splitlines())


def test_a_torn_line_costs_one_vote_at_most(run: Path) -> None:
    """A killed writer's half line is left out and said; the next vote starts a line of its own."""
    append(run, vote("1", "first"))
    with (run / VOTES).open("ab") as file:
        file.write(b'{"kind":"vote","ti')
    append(run, vote("2", "first"))
    votes, _, broken = read_votes(run)
    assert (["1", "2"], 1) == ([one.row_id for one in votes], broken)


def test_bad_votes_are_refused(run: Path) -> None:
    """An unknown pair, choice or arm is a sentence that says what there is."""
    pair = Poll(run).pairs("ann")[0]
    with pytest.raises(BadInput, match="not a vote"):
        record_vote(run, "ann", pair.id, "A")
    with pytest.raises(BadInput, match="not among"):
        record_vote(run, "ann", "no-such-id", "first")
    with pytest.raises(BadInput, match="has no answers on the test rows"):
        Poll(run, ("no-such-arm", "other"))
    with pytest.raises(BadInput, match="no two arms"):
        Poll(run, (next(iter(Poll(run).answers)),))


def test_strengths_of_two_arms_are_their_share_of_votes() -> None:
    """30 wins and 10 losses: three in four, give or take, and the interval says better."""
    votes = [vote(str(row), "first" if row % 4 else "second") for row in range(40)]
    found = standings(votes, "person")
    assert found is not None
    best = found.strengths[0]
    assert ("a", 30, 10) == (best.arm, best.wins, best.losses)
    assert 0.75 == pytest.approx(best.chance.value, abs=0.02)
    assert best.chance.low is not None
    assert best.chance.high is not None
    assert 0.5 < best.chance.low < 0.75 < best.chance.high < 1
    mirror = found.strengths[1].chance
    assert 1 == pytest.approx(best.chance.value + mirror.value)


def test_strengths_pass_through_a_third_arm() -> None:
    """a beats b and b beats c: a is stronger than c although they never met."""
    votes = [vote(str(row), "first" if row % 3 else "second") for row in range(30)]
    votes += [vote(str(row), "first" if row % 3 else "second", first="b", second="c")
              for row in range(30)]  # fmt: skip
    found = standings(votes, "person")
    assert found is not None
    assert ["a", "b", "c"] == [one.arm for one in found.strengths]
    assert found.strengths[0].chance.value > 0.7


def test_a_few_unanimous_votes_are_not_certainty() -> None:
    """Three wins in three votes leave room for the other arm."""
    found = standings([vote(str(row), "first") for row in range(3)], "person")
    assert found is not None
    low = found.meetings[0].chance.low
    assert low is not None
    assert low < 0.65


def test_many_votes_on_few_rows_are_few_rows() -> None:
    """Ten voters who agree on four rows know less than forty rows would tell."""
    outcomes: list[Choice] = ["first", "first", "first", "second"]
    crowd = [vote(str(row), outcomes[row], voter=f"v{v}") for row in range(4) for v in range(10)]
    spread = [vote(str(row), outcomes[row % 4]) for row in range(40)]
    few, many = standings(crowd, "person"), standings(spread, "person")
    assert few is not None
    assert many is not None
    assert _width(few.meetings[0].chance) > 1.5 * _width(many.meetings[0].chance)


def _width(figure: object) -> float:
    return float(figure.high - figure.low)  # type: ignore[attr-defined]


def test_agreement_is_counted_on_shared_pairs(tmp_path: Path) -> None:
    """Both bad and tie are the same answer to "which arm?"; kappa corrects for chance."""
    for row, (ann, bob) in enumerate(
        [("first", "first"), ("second", "second"), ("tie", "both_bad"), ("first", "second")]
    ):
        append(tmp_path, vote(str(row), ann))  # type: ignore[arg-type]
        append(tmp_path, vote(str(row), bob, voter="bob"))  # type: ignore[arg-type]
    append(tmp_path, vote("9", "first", voter="bob"))
    accord = strengths(tmp_path).accords[0]
    assert ("people", 0.75, 4) == (accord.kind, accord.share.value, accord.share.n)
    assert pytest.approx((0.75 - 5 / 16) / (1 - 5 / 16)) == accord.kappa


def test_a_judge_is_set_beside_people(tmp_path: Path) -> None:
    """On the pairs that both decided; the judge's own pairs do not count towards it."""
    for row, (person, judge) in enumerate([("first", "first"), ("second", "tie"), ("tie", "tie")]):
        append(tmp_path, vote(str(row), person))  # type: ignore[arg-type]
        append(tmp_path, vote(str(row), judge, voter="gpt").model_copy(  # type: ignore[arg-type]
            update={"by": "judge"}))  # fmt: skip
    append(tmp_path, vote("9", "first", voter="gpt").model_copy(update={"by": "judge"}))
    found = next(one for one in strengths(tmp_path).accords if one.kind == "person_and_judge")
    assert (pytest.approx(2 / 3), 3) == (found.share.value, found.share.n)
    assert found.share.low is not None


def test_a_judge_that_prefers_a_side_is_shown_to(tmp_path: Path) -> None:
    """Always A: never the same in both orders, and A in every reply."""
    asked = (
        Judged(first="a", choice="first", reply=""),
        Judged(first="b", choice="first", reply=""),
    )
    for row in range(5):
        append(tmp_path, vote(str(row), "tie").model_copy(update={"by": "judge", "judged": asked}))
    both, side = strengths(tmp_path).accords
    assert ("both_orders", 0.0) == (both.kind, both.share.value)
    assert ("first_side", 1.0, 10) == (side.kind, side.share.value, side.share.n)


def test_nobody_voted(tmp_path: Path) -> None:
    """No file, no strengths, no error."""
    found = strengths(tmp_path)
    assert (None, None, ()) == (found.people, found.judges, found.accords)
