"""Pages that only show: the runs, a race, its report, several compared, the rules."""

import hashlib
import threading
import time
from typing import Any

import orjson
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from forkpoint.errors import BadInput, ForkpointError
from forkpoint.report import View, compare
from forkpoint.report import page as report_page
from forkpoint.report.opening import opening
from forkpoint.report.rules_text import sections
from forkpoint.web import live
from forkpoint.web.folders import AGREEMENT, folder_of, run_names
from forkpoint.web.looks import page, render
from forkpoint.web.process import alive, log_end, pause, pausing, resume, stop
from forkpoint.web.site import Site, site_of, speaks

MOMENT_SECONDS = 1.0  # what moves is looked at no more often, however many readers there are
_moments: dict[tuple[str, str, str], tuple[float, str]] = {}
_looking = threading.Lock()


def runs(request: Request) -> Response:
    """All runs and drafts, the last touched first."""
    site, lang = site_of(request), speaks(request)
    found = [summary(site, name, lang) for name in run_names(site.runs)]
    return page(request, "runs.html.jinja", lang, runs=found, folder=str(site.runs))


def summary(site: Site, name: str, lang: str) -> dict[str, Any]:
    """One line of the list; a run that cannot be read says why."""
    folder = folder_of(site.runs, name)
    if not (folder / AGREEMENT).exists():
        state = "setting_up" if alive(folder) else "draft"
        return {"name": name, "state": state, "view": None}
    try:
        view = site.shelf.view(name)
    except ForkpointError as error:
        return {"name": name, "state": "broken", "view": None, "text": error.message(lang)}
    first = opening(view, lang)
    return {"name": name, "state": state_of(site, name, view), "view": view, "first": first}


def state_of(site: Site, name: str, view: View) -> str:
    """How a race stands, in one word of the catalogue."""
    if view.progress == "under_way" and pausing(folder_of(site.runs, name)):
        return "pausing"
    return view.progress


def race(request: Request) -> Response:
    """A race, live; a draft is sent to its own page."""
    site, lang, name = site_of(request), speaks(request), request.path_params["name"]
    folder = folder_of(site.runs, name)
    if not (folder / AGREEMENT).exists():
        return RedirectResponse(f"/start/{_quoted(name)}", 303)
    view = site.shelf.view(name)
    return page(
        request,
        "race.html.jinja",
        lang,
        run=name,
        tab="race",
        live=view.progress == "under_way",
        main=Markup(_main(site, name, lang)[1].decode()),
        now=Markup(_now(site, name, lang)),
        title=opening(view, lang).headline,
    )


def race_live(request: Request) -> Response:
    """The moving parts of a race's page as JSON, with an ETag for those who have them already.

    Who says with `have` that the large part is there gets only what has moved since.
    """
    site, name = site_of(request), request.path_params["name"]
    lang = request.query_params.get("lang", "")
    lang = lang if lang in ("en", "zh") else speaks(request)
    tag, main = _main(site, name, lang)
    moment = _now(site, name, lang)
    whole = f'"{hashlib.sha256((tag + moment).encode()).hexdigest()[:24]}"'
    headers = {"etag": whole}
    if request.headers.get("if-none-match") == whole:
        return Response(status_code=304, headers=headers)
    view = site.shelf.view(name)
    body = {
        "main": None if request.query_params.get("have") == tag.strip('"') else main.decode(),
        "have": tag.strip('"'),
        "now": moment,
        "live": view.progress == "under_way",
        "said": opening(view, lang).headline,
    }
    return Response(orjson.dumps(body), media_type="application/json", headers=headers)


def _main(site: Site, name: str, lang: str) -> tuple[str, bytes]:
    """What follows from the ledger: headline, curves, standings."""

    def make() -> str:
        view = site.shelf.view(name)
        charts = ("scores",) if view.verdict else ()
        context = report_page.context(view, lang, ("curves_wide", "curves_narrow", *charts))
        state = state_of(site, name, view)
        log = log_end(folder_of(site.runs, name)) if state == "interrupted" else ""
        return render("race_main.html.jinja", lang, context, run=name, state=state, log=log)

    return site.shelf.page(name, ("main", lang), make)


def _now(site: Site, name: str, lang: str) -> str:
    """What moves between two lines of the ledger, looked at once a second for all readers."""
    key = (str(site.runs), name, lang)
    with _looking:
        when, text = _moments.get(key, (0.0, ""))
        if time.monotonic() - when < MOMENT_SECONDS:
            return text
        folder, view = folder_of(site.runs, name), site.shelf.view(name)
        _, pace = site.shelf.page(name, ("pace",), lambda: live.pace_of(folder).to_json())
        found = live.now(folder, view, live.Pace.from_json(pace))
        text = render("race_now.html.jinja", lang, now=found, view=view)
        if len(_moments) > 200:
            _moments.clear()
        _moments[key] = (time.monotonic(), text)
        return text


def act(request: Request) -> Response:
    """Pause, resume or stop a race, then show it."""
    site, name = site_of(request), request.path_params["name"]
    folder = folder_of(site.runs, name)
    deed = request.path_params["deed"]
    if deed == "resume":
        resume(folder, speaks(request))
    elif deed == "pause":
        pause(folder)
    elif deed == "stop":
        stop(folder)
    else:
        raise BadInput("web.no_page")
    return RedirectResponse(f"/run/{_quoted(name)}", 303)


def report(request: Request) -> Response:
    """The report inside the app, with the same body as the file."""
    site, lang, name = site_of(request), speaks(request), request.path_params["name"]
    view = site.shelf.view(name)

    def make() -> str:
        context = report_page.context(view, lang, report_page.CHARTS)
        return render("report.html.jinja", lang, context, run=name, tab="report",
                      here=request.url.path)  # fmt: skip

    tag, body = site.shelf.page(name, ("report", lang), make)
    return _tagged(request, tag, body)


def report_file(request: Request) -> Response:
    """The report as one file that opens anywhere."""
    site, lang, name = site_of(request), speaks(request), request.path_params["name"]

    def make() -> str:
        return report_page.html(site.shelf.view(name), lang)

    tag, body = site.shelf.page(name, ("file", lang), make)
    response = _tagged(request, tag, body)
    response.headers["content-disposition"] = 'attachment; filename="report.html"'
    return response


def report_json(request: Request) -> Response:
    """Everything the report shows, as JSON."""
    view = site_of(request).shelf.view(request.path_params["name"])
    return Response(view.to_json(), media_type="application/json")


def compared(request: Request) -> Response:
    """Several runs beside each other."""
    site, lang = site_of(request), speaks(request)
    names = [name for name in dict.fromkeys(request.query_params.getlist("run")) if name]
    choices = [name for name in run_names(site.runs) if (site.runs / name / AGREEMENT).exists()]
    views = [site.shelf.view(name) for name in names]
    table = compare.comparison(views) if len(views) > 1 else None
    values = compare.context(table, views, lang) if table else {"table": None}
    return page(request, "compare.html.jinja", lang, choices=choices, chosen=names, **values)


def rules(request: Request) -> Response:
    """All rules, where guides disagree, and the measurements."""
    from forkpoint.rules import RULES
    from forkpoint.sources import DISAGREEMENTS, STUDIES

    return page(
        request, "rules.html.jinja", speaks(request),
        rules=RULES, disagreements=DISAGREEMENTS, studies=STUDIES,
    )  # fmt: skip


def rule(request: Request) -> Response:
    """One rule with its examples and sources."""
    from forkpoint.rules import RULES
    from forkpoint.rules import rule as rule_of

    lang = speaks(request)
    try:
        one = rule_of(request.path_params["code"])
    except KeyError:
        raise BadInput("web.no_page") from None
    place = RULES.index(one)
    return page(
        request, "rule.html.jinja", lang, rule=one, sections=sections(one, lang),
        before=RULES[place - 1] if place else None,
        after=RULES[place + 1] if place + 1 < len(RULES) else None,
    )  # fmt: skip


def _tagged(request: Request, tag: str, body: bytes) -> Response:
    """An HTML reply, or 304 to who has it."""
    headers = {"etag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/html", headers=headers)


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")


ROUTES = (
    Route("/", runs),
    Route("/run/{name}", race),
    Route("/run/{name}/live", race_live),
    Route("/run/{name}/report", report),
    Route("/run/{name}/report.html", report_file),
    Route("/run/{name}/report.json", report_json),
    Route("/run/{name}/do/{deed}", act, methods=["POST"]),
    Route("/compare", compared),
    Route("/rules", rules),
    Route("/rules/{code}", rule),
)
