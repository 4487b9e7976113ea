"""The same prompt through several arms side by side, as they say it."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from forkpoint.errors import BadInput
from forkpoint.ledger import Trial
from forkpoint.race.speak_child import Asked, Speaker, Spoken
from forkpoint.race.weights import WEIGHTS
from forkpoint.report import View
from forkpoint.report.series import ordered
from forkpoint.report.visible import bounded, visible
from forkpoint.web.folders import folder_of
from forkpoint.web.looks import page
from forkpoint.web.site import site_of, speaks
from forkpoint.words import say

PROMPT_CHARACTERS = 20_000
ANSWER_CHARACTERS = 20_000
SPEAKERS = 6  # at most, one after the other: each is loaded, asked, and let go
LINE_BYTES = 4_000_000  # of one line from the child
_busy = asyncio.Lock()  # one asking at a time: two would load two models beside a race


def speakers(folder: Path, view: View) -> list[Speaker]:
    """Who can be asked: arms whose weights were kept, and every checkpoint as it was."""
    found = []
    for arm in ordered(view):
        scored = sorted((t for t in arm.trials if t.state == "scored"), key=lambda t: -t.rung)
        for one in scored:
            trial = Trial(
                arm=one.arm, rung=one.rung, rate=one.rate, seed=one.seed, rendering=one.rendering
            )
            if (folder / trial.folder / WEIGHTS).is_dir():
                found.append(Speaker(name=arm.name, checkpoint=arm.checkpoint, trial=trial))
                break
    names = dict.fromkeys(arm.checkpoint for arm in view.arms)
    return [*found, *(Speaker(name=f"{one}.untrained", checkpoint=one) for one in names)]


def answers(request: Request) -> Response:
    """The form, and the answers that the race itself has kept."""
    site, lang, name = site_of(request), speaks(request), request.path_params["name"]
    view = site.shelf.view(name)
    row = view.side_by_side[0] if view.side_by_side else None
    said = {role: text.text for role, text in row.prompt} if row else {}
    found = speakers(folder_of(site.runs, name), view)
    return page(
        request, "answers_page.html.jinja", lang, run=name, tab="answers", view=view,
        speakers=found, chosen={one.name for one in found[:3]},
        system=said.get("system", ""), prompt=said.get("user", ""),
    )  # fmt: skip


async def ask(request: Request) -> Response:
    """Server-sent events: what each arm says to the prompt, growing."""
    site, lang, name = site_of(request), speaks(request), request.path_params["name"]
    folder = folder_of(site.runs, name)
    view = await asyncio.to_thread(site.shelf.view, name)
    form = await request.form(max_fields=64, max_part_size=4 * PROMPT_CHARACTERS)
    prompt = str(form.get("prompt", ""))
    wanted = form.getlist("arm")
    chosen = tuple(one for one in speakers(folder, view) if one.name in wanted)
    try:
        if not prompt.strip() or len(prompt) > PROMPT_CHARACTERS:
            raise BadInput("web.bad_prompt", limit=PROMPT_CHARACTERS)
        if not 0 < len(chosen) <= SPEAKERS:
            raise BadInput("web.choose_speakers", most=SPEAKERS)
        if _busy.locked():
            raise BadInput("web.busy")
    except BadInput as error:
        return PlainTextResponse(error.message(lang), 400)
    system = str(form.get("system", ""))[:PROMPT_CHARACTERS] or None
    asked = Asked(system=system, prompt=prompt, speakers=chosen, lang=lang)
    return StreamingResponse(_events(folder, asked), media_type="text/event-stream")


async def _events(folder: Path, asked: Asked) -> AsyncIterator[bytes]:
    """Run the child and pass on what it says; gone with the reader."""
    async with _busy:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "forkpoint.race.speak_child", str(folder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=LINE_BYTES,
        )  # fmt: skip
        try:
            assert child.stdin is not None and child.stdout is not None
            child.stdin.write(asked.to_json().encode())
            await child.stdin.drain()
            child.stdin.close()
            heard = 0
            while line := await child.stdout.readline():
                spoken = Spoken.from_json(line)
                heard += spoken.done
                yield _event(_told(spoken, asked.lang))
            whole = heard == len(asked.speakers)
            yield _event({"note": say("web.all_said" if whole else "web.broke_off", asked.lang)})
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()


def _told(spoken: Spoken, lang: str) -> dict[str, object]:
    """What the page shows of it: harmless text, and how it ended."""
    kept, more = bounded(spoken.text, ANSWER_CHARACTERS)
    text = visible(kept)
    if more:
        text += f" {say('report.more_characters', lang, n=f'{more:,}')}"
    event: dict[str, object] = {"arm": spoken.arm, "text": text, "done": spoken.done}
    if spoken.trouble:
        event["end"] = visible(spoken.trouble)
    elif spoken.done:
        key = "web.said_stopped" if spoken.stopped else "web.said_cut"
        event["end"] = say(key, lang, tokens=spoken.tokens)
    else:
        event["note"] = say("web.speaking", lang, arm=visible(spoken.arm))
    return event


def _event(values: dict[str, object]) -> bytes:
    return b"data: " + orjson.dumps(values) + b"\n\n"


ROUTES = (
    Route("/run/{name}/answers", answers),
    Route("/run/{name}/answers", ask, methods=["POST"]),
)
