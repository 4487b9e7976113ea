"""How every page looks: the report's templates and style, ours around them, both languages."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse

from forkpoint.errors import ForkpointError
from forkpoint.report import page as report_page
from forkpoint.report import wording
from forkpoint.report.view_record import Saying
from forkpoint.words import LANGUAGES, say

LANGUAGE_COOKIE = "forkpoint-language"
STATIC = {"web.js": "text/javascript; charset=utf-8", "web.css": "text/css; charset=utf-8"}


def language(request: Request, default: str) -> str:
    """The language chosen on a page, else the browser's first one we speak, else the default."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    for piece in request.headers.get("accept-language", "").lower().split(","):
        if (code := piece.strip()[:2]) in LANGUAGES:
            return code
    return default


def words(lang: str) -> dict[str, Any]:
    """What our own templates call: `s` for our catalogue, `t` for the report's."""
    return {
        "lang": lang,
        "s": lambda key, **values: say(f"web.{key}", lang, **values),
        "t": lambda key, **values: wording.w(key, lang, **values),
        "say": lambda key, **values: say(key, lang, **values),
        "told": lambda saying: wording.told(saying, lang),
        "named": lambda kind, name: wording.named(kind, name, lang),
        "number": wording.number,
        "whole": lambda value: f"{value:,}",
        "count": lambda value: wording.count(value, lang),
        "duration": lambda value: wording.duration(value, lang),
        "size": wording.size,
        "percent": wording.percent,
        "chance": wording.chance,
        "span": lambda figure, digits=3, signed=False: wording.span(figure, lang, digits, signed),
        "told_parts": lambda key, values: wording.told(Saying(key=key, values=values), lang),
        "basename": lambda path: PurePath(path).name or path,
        "rate": wording.rate,
        "path_of": lambda name: quote(name, safe=""),
    }


def render(
    template: str, lang: str, context: Mapping[str, Any] | None = None, **values: Any
) -> str:
    """A template of ours or of the report's, filled with a context and further values."""
    environment = report_page.environment(lang, "forkpoint.web")
    text: str = environment.get_template(template).render(
        words(lang) | dict(context or {}) | values
    )
    return text


def page(request: Request, template: str, lang: str, **values: Any) -> HTMLResponse:
    """A whole page as a reply."""
    here = request.url.path
    if request.url.query:
        here += f"?{request.url.query}"
    return HTMLResponse(render(template, lang, here=here, **values))


def refusal(status: int, key: str, lang: str, **values: Any) -> HTMLResponse:
    """A page of one sentence that says what is wrong and what to do."""
    text = say(key, lang, **values)
    return HTMLResponse(render("refusal.html.jinja", lang, here="/", text=text), status)


def trouble(error: ForkpointError, lang: str, status: int = 400) -> HTMLResponse:
    """An error of the house as a page."""
    text = error.message(lang)
    return HTMLResponse(render("refusal.html.jinja", lang, here="/", text=text), status)


@cache
def static(name: str) -> bytes:
    """A file of ours; the style sheet is the report's with ours behind it."""
    ours = files("forkpoint.web").joinpath(f"static/{name}").read_text(encoding="utf-8")
    return (report_page.style() + ours if name == "web.css" else ours).encode()
