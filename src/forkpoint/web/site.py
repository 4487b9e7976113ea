"""The application: one server's folder, key and language, and the routes of all pages."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from forkpoint.errors import ForkpointError
from forkpoint.web.door import Door, Gate
from forkpoint.web.looks import LANGUAGE_COOKIE, STATIC, language, refusal, static, trouble
from forkpoint.web.shelf import Shelf
from forkpoint.words import LANGUAGES

YEAR_SECONDS = 31_536_000  # how long a chosen language is remembered
NOT_THERE = ("web.no_run", "report.no_folder", "report.no_race", "web.no_page")


@dataclass
class Site:
    """What all pages of one server share."""

    runs: Path
    door: Door
    lang: str
    home: Path = field(default_factory=Path.cwd)  # where data and checkpoints are looked for
    shelf: Shelf = field(init=False)

    def __post_init__(self) -> None:
        self.shelf = Shelf(self.runs)


def site_of(request: Request) -> Site:
    """The site that a request came to."""
    site: Site = request.app.state.site
    return site


def speaks(request: Request) -> str:
    """The language to answer in."""
    return language(request, site_of(request).lang)


def create_app(site: Site) -> Gate:
    """All pages behind the gate."""
    from forkpoint.web import answering, looking, starting, voting

    routes: list[BaseRoute] = [
        Route("/static/{name}", _static),
        Route("/language/{code}", _language),
        *looking.ROUTES,
        *starting.ROUTES,
        *answering.ROUTES,
        *voting.ROUTES,
    ]
    app = FastAPI(
        openapi_url=None,  # no pages about pages
        docs_url=None,
        redoc_url=None,
        routes=routes,
        exception_handlers={
            ForkpointError: _said,
            404: _nothing_here,
            405: _nothing_here,
            Exception: _bug,
        },
    )
    app.state.site = site
    return Gate(app, site.door, site.lang)


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC:
        return refusal(404, "web.no_page", speaks(request))
    return Response(static(name), headers={"content-type": STATIC[name]})


def _language(request: Request) -> Response:
    """Remember a language and go back to a page of ours."""
    code, back = request.path_params["code"], request.query_params.get("back", "/")
    ours = back.startswith("/") and not back.startswith(("//", "/\\")) and "\\" not in back
    response = RedirectResponse(back if ours else "/", 303)
    if code in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE, code, max_age=YEAR_SECONDS, httponly=True, samesite="strict", path="/"
        )
    return response


async def _said(request: Request, error: Exception) -> Response:
    """An error of the house is a page with its sentence."""
    if not isinstance(error, ForkpointError):
        return await _bug(request, error)
    return trouble(error, speaks(request), 404 if error.key in NOT_THERE else 400)


async def _nothing_here(request: Request, error: Exception) -> Response:
    return refusal(404, "web.no_page", speaks(request))


async def _bug(request: Request, error: Exception) -> Response:
    text: dict[str, Any] = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
    return refusal(500, "web.bug", speaks(request), **text)
