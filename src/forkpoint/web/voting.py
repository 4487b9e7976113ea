"""Blind votes with the keyboard; who is which stays hidden until the voter wants to know."""

import getpass
import hashlib
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from forkpoint.errors import BadInput
from forkpoint.record import Figure, Record
from forkpoint.report.visible import bounded, visible
from forkpoint.votes import Poll, record_vote
from forkpoint.votes.ballot import read_votes
from forkpoint.votes.strengths import standings
from forkpoint.web.folders import folder_of
from forkpoint.web.looks import page
from forkpoint.web.site import site_of, speaks

VOTER_CHARACTERS = 60
KEYS = (("a", "first"), ("b", "second"), ("t", "tie"), ("x", "both_bad"))
ANSWER_CHARACTERS = 8_000
VOTER_COOKIE = "forkpoint-voter"


class Standing(Record):
    """One arm under its mask, or under its name once revealed."""

    name: str
    chance: Figure
    wins: int
    losses: int
    ties: int
    both_bad: int


def vote(request: Request) -> Response:
    """The next pair, or the standings when none is left or the voter has seen enough."""
    site, lang, name = site_of(request), speaks(request), request.path_params["name"]
    folder = folder_of(site.runs, name)
    voter = voter_of(request)
    try:
        poll = Poll(folder)
    except BadInput as error:
        return page(
            request, "vote.html.jinja", lang, run=name, tab="vote", pair=None, standings=(),
            trouble=error.message(lang), voter=voter, left=0, done=0, revealed=False,
        )  # fmt: skip
    waiting = poll.open_pairs(voter)
    revealed = not waiting or request.query_params.get("reveal") == "yes"
    done = len(poll.pairs(voter)) - len(waiting)
    pair = waiting[0] if waiting and not revealed else None
    return page(
        request, "vote.html.jinja", lang, run=name, tab="vote", trouble=None, voter=voter,
        pair=pair, keys=KEYS, left=len(waiting), done=done, revealed=revealed,
        prompt=[(role, bounded(text, ANSWER_CHARACTERS)) for role, text in pair.prompt]
        if pair else (),
        answers=[bounded(text, ANSWER_CHARACTERS) for text in pair.answers] if pair else (),
        standings=_standings(folder, voter, revealed),
    )  # fmt: skip


def _standings(folder: Path, voter: str, revealed: bool) -> tuple[Standing, ...]:
    """Strengths by people so far; arms under letters, in an order that tells nothing."""
    votes, _, _ = read_votes(folder)
    found = standings(votes, "person")
    if found is None:
        return ()
    masks = masked([one.arm for one in found.strengths], voter)
    rows = [
        Standing(
            name=one.arm if revealed else masks[one.arm],
            chance=one.chance,
            wins=one.wins,
            losses=one.losses,
            ties=one.ties,
            both_bad=one.both_bad,
        )
        for one in found.strengths
    ]
    return tuple(rows if revealed else sorted(rows, key=lambda row: row.name))


def masked(arms: list[str], voter: str) -> dict[str, str]:
    """A number for each arm that neither its name nor its strength decides."""
    shuffled = sorted(arms, key=lambda arm: hashlib.sha256(f"{voter}\x1f{arm}".encode()).digest())
    return {arm: f"№ {place}" for place, arm in enumerate(shuffled, start=1)}


async def cast(request: Request) -> Response:
    """Write one vote, then show the next pair."""
    site, name = site_of(request), request.path_params["name"]
    folder = folder_of(site.runs, name)
    form = await request.form(max_fields=8, max_part_size=4_096)
    voter = voter_of(request)
    record_vote(folder, voter, str(form.get("pair", "")), str(form.get("choice", "")))
    return RedirectResponse(f"/run/{quote(name, safe='')}/vote", 303)


async def call_me(request: Request) -> Response:
    """Remember the voter's name."""
    name = request.path_params["name"]
    form = await request.form(max_fields=8, max_part_size=4_096)
    voter = visible(str(form.get("voter", ""))).strip()[:VOTER_CHARACTERS]
    response = RedirectResponse(f"/run/{quote(name, safe='')}/vote", 303)
    response.set_cookie(VOTER_COOKIE, quote(voter), httponly=True, samesite="strict", path="/")
    return response


def voter_of(request: Request) -> str:
    """The name that the voter gave, else that of the account."""
    from urllib.parse import unquote

    given = visible(unquote(request.cookies.get(VOTER_COOKIE, ""))).strip()[:VOTER_CHARACTERS]
    if given:
        return given
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "voter"


ROUTES = (
    Route("/run/{name}/vote", vote),
    Route("/run/{name}/vote", cast, methods=["POST"]),
    Route("/run/{name}/voter", call_me, methods=["POST"]),
)
