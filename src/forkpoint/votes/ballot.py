"""votes.jsonl of a run folder: appended to, never rewritten."""

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from forkpoint.votes.vote_record import VOTES_LINE, Sending, Vote, VotesLine

VOTES = "votes.jsonl"


def now() -> str:
    """The time of a line."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def append(folder: Path, line: VotesLine) -> None:
    """Write one line durably; several voters may write at the same time."""
    with (folder / VOTES).open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
            torn = file.read(1) != b"\n"  # somebody was killed while writing: close that line
        else:
            torn = False
        file.write(b"\n" * torn + line.to_json().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_votes(folder: Path) -> tuple[list[Vote], list[Sending], int]:
    """Votes, sendings, and how many lines could not be read.

    A voter who votes again on a pair of answers has changed the vote: the last one counts.
    """
    votes: dict[tuple[str, str, str, str], Vote] = {}
    sendings: list[Sending] = []
    broken = 0
    try:
        pieces = (folder / VOTES).read_bytes().splitlines()
    except FileNotFoundError:
        return [], [], 0
    for piece in pieces:
        if not piece.strip():
            continue
        try:
            line = VOTES_LINE.validate_json(piece)
        except ValidationError:
            broken += 1
            continue
        if isinstance(line, Sending):
            sendings.append(line)
        else:
            key = (line.voter, line.row_id, *line.arms)
            votes.pop(key, None)
            votes[key] = line
    return list(votes.values()), sendings, broken
