"""Votes stand in the report: strengths, agreement, and what was sent to a judge elsewhere."""

from pathlib import Path

from forkpoint.report import read_view
from forkpoint.report.page import html
from forkpoint.report.text import text
from forkpoint.votes import Poll, cast_vote
from forkpoint.votes.ballot import append
from forkpoint.votes.vote_record import Sending


def test_the_report_shows_votes_and_what_left_the_machine(run: Path) -> None:
    """Who voted how, and the host that got data; a hostile name does nothing."""
    name = "<script>\x1b[2Jann"
    for pair in Poll(run).pairs(name)[:3]:
        cast_vote(run, name, pair, "first")
    append(run, Sending(time="2026-01-02T03:04:05", host="judge.example", loopback=False,
                        model="m", pairs=3, rows=3, with_expected=False))  # fmt: skip
    view = read_view(run)
    for page in (html(view, "en"), html(view, "zh"), text(view, "en"), text(view, "zh")):
        assert "judge.example" in page
        assert "<script>\x1b" not in page
        assert "\x1b[2J" not in page
    assert "OUTSIDE this machine" in text(view, "en")
    assert view.votes is not None
    assert view.votes.people is not None
    for one in view.votes.people.strengths:  # a row of the table: how often, and the counts
        row = next(line for line in text(view, "en").splitlines()
                   if line.strip().startswith(f"{one.arm} ") and "%" in line
                   and "(" in line and line.split()[-1] == str(one.both_bad))  # fmt: skip
        counts = [str(count) for count in (one.wins, one.losses, one.ties, one.both_bad)]
        assert counts == row.split()[-4:]


def test_without_votes_there_is_no_section(run: Path) -> None:
    """Nothing is said where nobody voted."""
    view = read_view(run)
    assert view.votes is None
    assert "Blind votes" not in text(view, "en")
