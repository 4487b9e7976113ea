"""The pages that set up a race: data, then candidates, then the plan, then the start."""

from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from forkpoint.advice import Advice, advise
from forkpoint.data import BUNDLED, DataProfile
from forkpoint.data.hub import HUB_DATA
from forkpoint.errors import BadInput, ForkpointError
from forkpoint.facts import read_checkpoint, read_machine
from forkpoint.facts.stopping import TemplateWish
from forkpoint.ledger import Agreement
from forkpoint.plan.budget import AUTO, read_budget
from forkpoint.plan.clock import minutes
from forkpoint.web import draft as drafts
from forkpoint.web.asking import Answer, ask, forget
from forkpoint.web.candidates import candidates, from_catalogue
from forkpoint.web.draft import Draft
from forkpoint.web.folders import free_folder
from forkpoint.web.looks import page
from forkpoint.web.offered import known, offered
from forkpoint.web.process import LOG, STARTED, alive, log_end, start
from forkpoint.web.site import site_of, speaks
from forkpoint.web.upload import Form

GOAL_CHARACTERS = 2_000
TEMPLATES: tuple[str, ...] = get_args(TemplateWish)
PATH_CHARACTERS = 4_096  # the longest path of most systems
OTHER_NAMES = 12  # checkpoints that can be typed in beside those found


def first(request: Request) -> Response:
    """Step 1: drop or name the data, say the goal."""
    return page(request, "start.html.jinja", speaks(request), step=1, bundled=BUNDLED)


async def take_data(request: Request) -> Response:
    """Make a draft of what was posted; the file lands in the new run folder."""
    site = site_of(request)
    form = Form(site.runs)
    await form.read(request)
    goal = form.fields.get("goal", "")[:GOAL_CHARACTERS]
    named = form.fields.get("path", "")
    if form.file is not None and form.folder is not None:
        folder, made = form.folder, drafts.new_draft(str(form.file.resolve()), True, goal)
    elif named or form.fields.get("bundled") in BUNDLED:
        data = named or form.fields["bundled"]
        await run_in_threadpool(_check_data, data, site.home)
        folder = free_folder(site.runs, Path(data).stem)
        made = drafts.new_draft(data, False, goal)
    else:
        raise BadInput("web.no_data")
    drafts.save(folder, made)
    return RedirectResponse(f"/start/{quote(folder.name, safe='')}", 303)


def _check_data(data: str, home: Path) -> None:
    """Refuse a path that is not there before a folder is made for it."""
    if data in BUNDLED or data.startswith(HUB_DATA):
        return
    try:
        there = (home / Path(data).expanduser()).exists()
    except (OSError, ValueError):
        there = False
    if not there:
        raise BadInput("web.data_missing", path=data[:300])


def choose(request: Request) -> Response:
    """Step 2: what the data are; which checkpoints, how, at what price."""
    site, lang, name = site_of(request), speaks(request), request.path_params["name"]
    folder, made = drafts.read(site.runs, name)
    if drafts.raced(folder) or alive(folder):
        return RedirectResponse(f"/start/{quote(name, safe='')}/plan", 303)
    answer = ask(folder, "profile", made.profile_words(lang), site.home)
    profile = _profile(answer)
    machine = read_machine(site.runs)
    found = candidates(site.home) if profile else []
    listed = {one.name for one in found}
    return page(
        request, "choose.html.jinja", lang, step=2, name=name, draft=made, answer=answer,
        profile=profile,
        candidates=found, others=[one for one in made.models if one not in listed],
        offers=offered(profile, found) if profile else (), machine=machine,
        wait=answer.state == "waiting", templates=TEMPLATES,
        catalogue=from_catalogue(machine) if profile else (),
    )  # fmt: skip


def _profile(answer: Answer) -> DataProfile | None:
    if answer.state != "done":
        return None
    try:
        return DataProfile.from_json(answer.content)
    except ValidationError:
        return None


async def take_choice(request: Request) -> Response:
    """Keep the choice, then show the plan."""
    site, name = site_of(request), request.path_params["name"]
    folder, made = drafts.read(site.runs, name)
    form = await request.form(max_fields=200, max_part_size=65_536)
    typed = str(form.get("others", "")).split()[:OTHER_NAMES]
    models = [str(one)[:300] for one in form.getlist("model")]
    template = str(form.get("template", "")) or made.template
    if template not in TEMPLATES:
        raise BadInput("race.template_unknown", value=template[:40])
    changed = made.model_copy(
        update={
            "goal": str(form.get("goal", ""))[:GOAL_CHARACTERS].strip(),
            "models": tuple(dict.fromkeys([*models, *typed])),
            "approaches": tuple(a for a in known() if a in form.getlist("approach")),
            "corpus": str(form.get("corpus", ""))[:PATH_CHARACTERS].strip(),
            "documents": str(form.get("documents", ""))[:PATH_CHARACTERS].strip(),
            "template": template,
            "budget": str(form.get("budget", "")).strip() or AUTO,
        }
    )
    read_budget(changed.budget)
    drafts.save(folder, changed)
    if not changed.ready:
        raise BadInput("race.need_two_arms")
    forget(folder)
    return RedirectResponse(f"/start/{quote(name, safe='')}/plan", 303)


def plan(request: Request) -> Response:
    """Step 3: what the guides say, what the race costs and can show; start. Or: it is starting."""
    site, lang, name = site_of(request), speaks(request), request.path_params["name"]
    folder, made = drafts.read(site.runs, name)
    if drafts.raced(folder):
        return RedirectResponse(f"/run/{quote(name, safe='')}", 303)
    running = alive(folder) is not None
    if running or ((folder / STARTED).exists() and (folder / LOG).exists()):
        return page(
            request, "setup.html.jinja", lang, step=3, name=name, running=running,
            wait=running, log=log_end(folder), draft=made,
        )  # fmt: skip
    if not made.ready:
        return RedirectResponse(f"/start/{quote(name, safe='')}", 303)
    profile = _profile(ask(folder, "profile", made.profile_words(lang), site.home))
    answer = ask(folder, "plan", made.plan_words(lang), site.home)
    agreed = Agreement.from_json(answer.content) if answer.state == "done" else None
    return page(
        request, "plan.html.jinja", lang, step=3, name=name, draft=made, answer=answer,
        agreed=agreed, wait=answer.state == "waiting", **_advice(made, profile),
        time=minutes(agreed.predicted_seconds, lang) if agreed else "",
    )  # fmt: skip


def _advice(made: Draft, profile: DataProfile | None) -> dict[str, Any]:
    """What the guides say of this choice; a checkpoint that cannot be read is the plan's to say."""
    try:
        facts = tuple(read_checkpoint(name) for name in made.models)
        found: Advice | None = advise(
            profile, facts, made.goal, read_machine(), data_name=made.data
        )
    except ForkpointError:
        found = None
    return {"advice": found, **phrases()}


def phrases() -> dict[str, Any]:
    """The report's phrases of advice, as templates call them."""
    from forkpoint.report import advice_phrases

    return {"arm_name": advice_phrases.arm_name, "counts_text": advice_phrases.counts_text}


def go(request: Request) -> Response:
    """Start the race in a process of its own."""
    site, lang, name = site_of(request), speaks(request), request.path_params["name"]
    folder, made = drafts.read(site.runs, name)
    if not drafts.raced(folder):
        (folder / LOG).unlink(missing_ok=True)
        start(folder, made.start_words(folder.resolve(), lang), site.home)
    return RedirectResponse(f"/start/{quote(name, safe='')}/plan", 303)


def again(request: Request) -> Response:
    """Back to the choice after a start that failed."""
    site, name = site_of(request), request.path_params["name"]
    folder, _ = drafts.read(site.runs, name)
    if alive(folder) is None and not drafts.raced(folder):
        (folder / STARTED).unlink(missing_ok=True)
        (folder / LOG).unlink(missing_ok=True)
        forget(folder)
    return RedirectResponse(f"/start/{quote(name, safe='')}", 303)


ROUTES = (
    Route("/start", first),
    Route("/start", take_data, methods=["POST"]),
    Route("/start/{name}", choose),
    Route("/start/{name}", take_choice, methods=["POST"]),
    Route("/start/{name}/plan", plan),
    Route("/start/{name}/go", go, methods=["POST"]),
    Route("/start/{name}/again", again, methods=["POST"]),
)
