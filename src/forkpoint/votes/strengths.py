"""From votes to strengths with intervals, and how far voters agree."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from forkpoint.measure.interval import rate
from forkpoint.record import Figure, Record
from forkpoint.votes.ballot import read_votes
from forkpoint.votes.vote_record import Sending, Vote

RESAMPLES = 1000  # bootstrap draws; the ends of a 95 % interval then move by about 1 %
FITTING_STEPS = 1000  # iterations of the fit; unanimous votes converge slowly
SEED = 0  # of the bootstrap: the same votes give the same interval
# Two rows won by each side are added to every pair of arms that met, for the interval only, so
# that a few unanimous votes are not certainty [Agresti and Coull 1998].
GHOST_WINS = 2
GHOST_TIE = 1.0  # weight of one tie a pair of arms: it keeps unanimous strengths finite

Floats = NDArray[np.float64]


class Strength(Record):
    """How one arm fared."""

    arm: str
    chance: Figure  # of being preferred to one of the other arms; 0.5 is the average
    wins: int
    losses: int
    ties: int
    both_bad: int


class Meeting(Record):
    """Two arms against each other."""

    first: str
    second: str
    chance: Figure  # that the first is preferred
    wins: int
    losses: int
    ties: int
    both_bad: int


class Standings(Record):
    """The strengths by one kind of voter, strongest first."""

    by: Literal["person", "judge"]
    strengths: tuple[Strength, ...]
    meetings: tuple[Meeting, ...]
    votes: int
    rows: int
    voters: dict[str, int]  # name -> votes


class Accord(Record):
    """How often two voters, or a judge in both orders, said the same."""

    first: str
    second: str
    kind: Literal["people", "judges", "person_and_judge", "both_orders", "first_side"]
    share: Figure
    kappa: float | None = None  # Cohen's, of three outcomes: one, the other, neither


class Preferences(Record):
    """What the votes of a run say."""

    people: Standings | None
    judges: Standings | None
    accords: tuple[Accord, ...]
    sendings: tuple[Sending, ...]
    broken_lines: int


def strengths(folder: Path) -> Preferences:
    """What votes.jsonl of a run folder says; nothing but empty parts where nobody voted."""
    votes, sendings, broken = read_votes(folder)
    return Preferences(
        people=standings(votes, "person"),
        judges=standings(votes, "judge"),
        accords=(*_between_voters(votes), *_both_orders(votes)),
        sendings=tuple(sendings),
        broken_lines=broken,
    )


def standings(votes: Sequence[Vote], by: Literal["person", "judge"]) -> Standings | None:
    """The strengths by people or by judges; None without a vote."""
    cast = [vote for vote in votes if vote.by == by]
    if not cast:
        return None
    arms = sorted({arm for vote in cast for arm in vote.arms})
    point_A = _fit(cast, arms, np.ones(len(cast)))
    draws_B_A = _draws(cast, arms)
    met = sorted({vote.arms for vote in cast})
    found = [_strength(arm, arms, point_A, draws_B_A, cast) for arm in arms]
    return Standings(
        by=by,
        strengths=tuple(sorted(found, key=lambda one: (-one.chance.value, one.arm))),
        meetings=tuple(_meeting(pair, arms, point_A, draws_B_A, cast) for pair in met),
        votes=len(cast),
        rows=len({vote.row_id for vote in cast}),
        voters=dict(Counter(vote.voter for vote in cast)),
    )


def _fit(votes: Sequence[Vote], arms: list[str], weights_V: Floats, ghosts: Any = ()) -> Floats:
    """Bradley-Terry strengths of the arms under weighted votes; a tie is half a win for each."""
    from evalica import Winner, bradley_terry

    outcome = {"first": Winner.X, "second": Winner.Y}
    met = sorted({vote.arms for vote in votes})
    lines = [(v.first, v.second, outcome.get(v.choice, Winner.Draw)) for v in votes]
    weights = [*weights_V.tolist(), *[GHOST_TIE] * len(met)]
    lines += [(one, two, Winner.Draw) for one, two in met]
    for (one, two), first_wins, second_wins in ghosts:
        lines += [(one, two, Winner.X), (one, two, Winner.Y)]
        weights += [float(first_wins), float(second_wins)]
    xs, ys, winners = zip(*lines, strict=True)
    fitted = bradley_terry(
        xs, ys, winners, weights=weights, tolerance=1e-8, limit=FITTING_STEPS
    ).scores
    scores_A: Floats = fitted.reindex(arms).to_numpy(dtype=float)
    return scores_A


def _draws(votes: Sequence[Vote], arms: list[str]) -> Floats:
    """Strengths under resampled rows; the votes on one row go together. Shape (draws, arms)."""
    generator = np.random.default_rng(SEED)
    rows = sorted({vote.row_id for vote in votes})
    place = {row: index for index, row in enumerate(rows)}
    row_V = np.array([place[vote.row_id] for vote in votes])
    met = sorted({vote.arms for vote in votes})
    ghosts = 2 * GHOST_WINS * len(met)
    total = len(rows) + ghosts
    draws = []
    for weights in generator.multinomial(total, np.full(total, 1 / total), size=RESAMPLES):
        ghost = weights[len(rows) :].reshape(len(met), 2, GHOST_WINS).sum(axis=2)
        wins = [(pair, *ghost[index]) for index, pair in enumerate(met)]
        draws.append(_fit(votes, arms, weights[row_V].astype(float), wins))
    return np.stack(draws)


def _strength(
    arm: str, arms: list[str], point_A: Floats, draws_B_A: Floats, votes: Sequence[Vote]
) -> Strength:
    here = arms.index(arm)
    others = [place for place in range(len(arms)) if place != here]
    mine = [vote for vote in votes if arm in vote.arms]
    chance_B = np.mean([_chance(draws_B_A, here, other) for other in others], axis=0)
    return Strength(
        arm=arm,
        chance=_figure(
            float(np.mean([_chance(point_A[None], here, other)[0] for other in others])),
            chance_B,
            len(mine),
        ),
        wins=sum(vote.winner == arm for vote in mine),
        losses=sum(vote.winner not in (None, arm) for vote in mine),
        ties=sum(vote.choice == "tie" for vote in mine),
        both_bad=sum(vote.choice == "both_bad" for vote in mine),
    )


def _meeting(
    pair: tuple[str, str], arms: list[str], point_A: Floats, draws_B_A: Floats,
    votes: Sequence[Vote],
) -> Meeting:  # fmt: skip
    one, two = (arms.index(arm) for arm in pair)
    between = [vote for vote in votes if vote.arms == pair]
    return Meeting(
        first=pair[0],
        second=pair[1],
        chance=_figure(
            float(_chance(point_A[None], one, two)[0]), _chance(draws_B_A, one, two), len(between)
        ),
        wins=sum(vote.winner == pair[0] for vote in between),
        losses=sum(vote.winner == pair[1] for vote in between),
        ties=sum(vote.choice == "tie" for vote in between),
        both_bad=sum(vote.choice == "both_bad" for vote in between),
    )


def _chance(scores_B_A: Floats, one: int, two: int) -> Floats:
    chance_B: Floats = scores_B_A[:, one] / (scores_B_A[:, one] + scores_B_A[:, two])
    return chance_B


def _figure(value: float, draws_B: Floats, n: int) -> Figure:
    low, high = np.quantile(draws_B, [0.025, 0.975])
    return Figure(
        value=value, low=min(value, float(low)), high=max(value, float(high)), n=n,
        origin="measured",
    )  # fmt: skip


def _between_voters(votes: Sequence[Vote]) -> list[Accord]:
    """Every two voters on the pairs that both voted on."""
    by_voter: dict[tuple[str, str], dict[tuple[str, ...], str]] = {}
    for vote in votes:
        cast = by_voter.setdefault((vote.by, vote.voter), {})
        cast[(vote.row_id, *vote.arms)] = vote.winner or ""
    found = []
    for (one_by, one), (two_by, two) in combinations(sorted(by_voter, reverse=True), 2):
        first, second = by_voter[(one_by, one)], by_voter[(two_by, two)]
        shared = [(first[key], second[key]) for key in first if key in second]
        if not shared:
            continue
        both = "people" if one_by == "person" else "judges"
        found.append(
            Accord(
                first=one,
                second=two,
                kind=both if one_by == two_by else "person_and_judge",
                share=_share([a == b for a, b in shared]),
                kappa=_kappa([_side(key, first) for key in first if key in second],
                             [_side(key, second) for key in first if key in second]),
            )
        )  # fmt: skip
    return found


def _side(key: tuple[str, ...], cast: dict[tuple[str, ...], str]) -> str:
    """Which of the two arms won, not by name: names differ from pair to pair."""
    winner = cast[key]
    return "one" if winner == key[1] else "two" if winner == key[2] else "neither"


def _kappa(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Cohen's kappa; None where chance alone would agree always."""
    n = len(first)
    seen = sum(a == b for a, b in zip(first, second, strict=True)) / n
    ones, twos = Counter(first), Counter(second)
    expected = sum(ones[outcome] * twos[outcome] for outcome in ones) / n**2
    return None if expected == 1 else (seen - expected) / (1 - expected)


def _both_orders(votes: Sequence[Vote]) -> list[Accord]:
    """For each judge: the same answer in both orders, and how often whatever stood first won."""
    found = []
    judges = sorted({vote.voter for vote in votes if vote.by == "judge"})
    for judge in judges:
        asked = [vote.judged for vote in votes if vote.voter == judge and len(vote.judged) == 2]
        if not asked:
            continue
        same = [_winner(one.first, two.first, one.choice)
                == _winner(two.first, one.first, two.choice) for one, two in asked]  # fmt: skip
        sides = [one.choice for pair in asked for one in pair if one.choice in ("first", "second")]
        found.append(Accord(first=judge, second=judge, kind="both_orders", share=_share(same)))
        if sides:
            leaning = _share([side == "first" for side in sides])
            found.append(Accord(first=judge, second=judge, kind="first_side", share=leaning))
    return found


def _winner(first: str, second: str, choice: str) -> str:
    return {"first": first, "second": second}.get(choice, "neither")


def _share(hits: Sequence[bool]) -> Figure:
    found = rate(hits)
    return Figure(
        value=found.value or 0.0, low=found.low, high=found.high, n=found.n, origin="measured"
    )
