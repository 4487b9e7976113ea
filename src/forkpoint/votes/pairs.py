"""Blind pairs of answers: the same rows in the same order for every voter, sides by the voter."""

import hashlib
from itertools import combinations
from pathlib import Path

from forkpoint.errors import BadInput
from forkpoint.run.answers import Answers, answers_to_test
from forkpoint.run.folder import RunFolder, read_folder
from forkpoint.votes.ballot import append, now, read_votes
from forkpoint.votes.vote_record import CHOICES, Choice, Pair, Vote


class Poll:
    """The pairs of one run that can be voted on, read once."""

    def __init__(self, folder: Path, arms: tuple[str, ...] = ()) -> None:
        """`arms` limits the poll to these; by default all tuned arms that answered the test rows.

        Raises BadInput when there are not two arms to compare.
        """
        self.run: RunFolder = read_folder(folder)
        self.folder = folder
        every = answers_to_test(self.run)
        self.answers: dict[str, Answers] = _chosen(self.run, every, arms)
        self.seed = self.run.agreement.settings.seed
        self.same: dict[tuple[str, str], int] = {}  # pairs of arms -> rows answered alike
        self._order = self._ordered()

    def pairs(self, voter: str) -> list[Pair]:
        """All pairs in the order in which they are shown, on this voter's sides."""
        return [self._pair(row_id, arms, voter) for row_id, arms in self._order]

    def open_pairs(self, voter: str) -> list[Pair]:
        """The pairs that this voter has not voted on."""
        votes, _, _ = read_votes(self.folder)
        done = {
            (vote.row_id, vote.arms, vote.answers_sha256) for vote in votes if vote.voter == voter
        }
        return [
            pair for pair in self.pairs(voter)
            if (pair.row_id, _sorted(pair.first, pair.second), pair.answers_sha256) not in done
        ]  # fmt: skip

    def _ordered(self) -> list[tuple[str, tuple[str, str]]]:
        """Rows that two arms answered differently, taking every pair of arms in turn."""
        ranked: list[tuple[int, str, str, tuple[str, str]]] = []
        for arms in combinations(sorted(self.answers), 2):
            one, two = (self.answers[arm] for arm in arms)
            shared = [row for row in one if row in two and row in self.run.rows]
            differ = [row for row in shared if _said(one[row]) != _said(two[row])]
            self.same[arms] = len(shared) - len(differ)
            by_chance = sorted(differ, key=lambda row: _digest(self.seed, row))
            for place, row in enumerate(by_chance):
                ranked.append((place, _digest(self.seed, row, *arms), row, arms))
        return [(row, arms) for _, _, row, arms in sorted(ranked)]

    def _pair(self, row_id: str, arms: tuple[str, str], voter: str) -> Pair:
        swapped = int(_digest(self.seed, row_id, *arms, "side", voter)[:2], 16) % 2
        first, second = arms[::-1] if swapped else arms
        said = (_said(self.answers[first][row_id]), _said(self.answers[second][row_id]))
        turns = self.run.rows[row_id].get("turns") or []
        return Pair(
            id=_digest(self.seed, row_id, *arms, voter)[:24],
            row_id=row_id,
            first=first,
            second=second,
            prompt=tuple((str(turn["role"]), str(turn["content"])) for turn in turns[:-1]),
            answers=said,
            expected=str(turns[-1]["content"]) if turns else "",
            answers_sha256=_answers_digest(arms, self.answers, row_id),
        )


def next_pair(folder: Path, voter: str) -> Pair | None:
    """The next pair for a voter; None when all have been voted on. Raises BadInput."""
    waiting = Poll(folder).open_pairs(voter)
    return waiting[0] if waiting else None


def record_vote(folder: Path, voter: str, pair_id: str, choice: str) -> Vote:
    """Write a person's vote on the pair that was shown under this id; raises BadInput."""
    pair = next((one for one in Poll(folder).pairs(voter) if one.id == pair_id), None)
    if pair is None:
        raise BadInput("vote.unknown_pair", folder=folder)
    known = next((one for one in CHOICES if one == choice), None)
    if known is None:
        raise BadInput("vote.unknown_choice", found=choice, known=", ".join(CHOICES))
    return cast_vote(folder, voter, pair, known)


def cast_vote(folder: Path, voter: str, pair: Pair, choice: Choice) -> Vote:
    """Write a person's vote on a pair."""
    vote = Vote(
        time=now(),
        voter=voter,
        by="person",
        row_id=pair.row_id,
        first=pair.first,
        second=pair.second,
        choice=choice,
        answers_sha256=pair.answers_sha256,
    )
    append(folder, vote)
    return vote


def _chosen(run: RunFolder, every: dict[str, Answers], arms: tuple[str, ...]) -> dict[str, Answers]:
    if unknown := [arm for arm in arms if arm not in every]:
        known = ", ".join(every) or "-"
        raise BadInput("vote.unknown_arm", arm=unknown[0], known=known)
    chosen = arms or tuple(arm for arm in every if not run.agreement.is_untrained(arm))
    if len(set(chosen)) < 2:
        raise BadInput("vote.too_few_arms", folder=run.folder, found=", ".join(every) or "-")
    return {arm: every[arm] for arm in chosen}


def _said(answer: dict[str, object]) -> str:
    return str(answer.get("text") or "")


def _sorted(one: str, two: str) -> tuple[str, str]:
    return (one, two) if one < two else (two, one)


def _answers_digest(arms: tuple[str, str], answers: dict[str, Answers], row_id: str) -> str:
    return _digest(*(_said(answers[arm][row_id]) for arm in arms))


def _digest(*parts: object) -> str:
    whole = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()
