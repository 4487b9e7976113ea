"""Blind votes between arms' answers, by people and by judges, and what they say together."""

from forkpoint.votes.pairs import Poll, cast_vote, next_pair, record_vote
from forkpoint.votes.strengths import Preferences, strengths
from forkpoint.votes.vote_record import Pair, Vote

__all__ = [
    "Pair",
    "Poll",
    "Preferences",
    "Vote",
    "cast_vote",
    "next_pair",
    "record_vote",
    "strengths",
]
