"""From votes to strengths with intervals, and how far voters agree."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forkpoint.measure.interval import rate
from forkpoint.record import Figure, Record
from forkpoint.votes.ballot import read_votes
from forkpoint.votes.vote_record import Sending, Vote

RESAMPLES = 500  # bootstrap draws; the ends of a 95 % interval then move by about 1 %
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
    met = sorted({vote.arms for vote in cast})
    counts_R_P_3 = _counts(cast, met)
    point_A = _fit(arms, met, counts_R_P_3.sum(axis=0))
    draws_B_A = _draws(arms, met, counts_R_P_3)
    found = [_strength(arm, arms, point_A, draws_B_A, cast) for arm in arms]
    return Standings(
        by=by,
        strengths=tuple(sorted(found, key=lambda one: (-one.chance.value, one.arm))),
        meetings=tuple(_meeting(pair, arms, point_A, draws_B_A, cast) for pair in met),
        votes=len(cast),
        rows=len({vote.row_id for vote in cast}),
        voters=dict(Counter(vote.voter for vote in cast)),
    )


def _fit(arms: list[str], met: list[tuple[str, str]], counts_P_3: Floats) -> Floats:
    """Bradley-Terry strengths from each pair's wins, losses and ties; a tie is half a win."""
    from evalica import Winner, bradley_terry

    fitted = bradley_terry(
        [one for one, _ in met for _ in range(3)],
        [two for _, two in met for _ in range(3)],
        [Winner.X, Winner.Y, Winner.Draw] * len(met),
        weights=np.add(counts_P_3, (0.0, 0.0, GHOST_TIE)).ravel().tolist(),
        tolerance=1e-8,
        limit=FITTING_STEPS,
    ).scores
    scores_A: Floats = fitted.reindex(arms).to_numpy(dtype=float)
    return scores_A


def _draws(arms: list[str], met: list[tuple[str, str]], counts_R_P_3: Floats) -> Floats:
    """Strengths under resampled rows; the votes on one row go together. Shape (draws, arms)."""
    generator = np.random.default_rng(SEED)
    rows = len(counts_R_P_3)
    ghosts_G_P_3 = np.zeros((2 * GHOST_WINS * len(met), len(met), 3))
    for place in range(len(ghosts_G_P_3)):
        ghosts_G_P_3[place, place // (2 * GHOST_WINS), place % 2] = 1.0
    total = rows + len(ghosts_G_P_3)
    counts_R_P_3 = np.concatenate([counts_R_P_3, ghosts_G_P_3])
    weights_B_R = generator.multinomial(total, np.full(total, 1 / total), size=RESAMPLES)
    counts_B_P_3 = np.einsum("br,rpo->bpo", weights_B_R.astype(float), counts_R_P_3)
    return np.stack([_fit(arms, met, counts) for counts in counts_B_P_3])


def _counts(votes: Sequence[Vote], met: list[tuple[str, str]]) -> Floats:
    """Wins of a pair's first arm, of its second, and ties, by row: shape (rows, pairs, 3)."""
    rows = {row: place for place, row in enumerate(sorted({vote.row_id for vote in votes}))}
    pairs = {pair: place for place, pair in enumerate(met)}
    counts_R_P_3 = np.zeros((len(rows), len(met), 3))
    for vote in votes:
        outcome = 2 if vote.winner is None else vote.arms.index(vote.winner)
        counts_R_P_3[rows[vote.row_id], pairs[vote.arms], outcome] += 1
    return counts_R_P_3


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
