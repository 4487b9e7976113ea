"""The web app in a real browser: pages, keyboard, live race, hostile text, the whole job."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hostile import HOSTILE
from watched_window import BUSY_MS, Watched
from wire import Served, start_server

from forkpoint.ledger import Book
from forkpoint.train.approach import approaches
from forkpoint.untrained import kinds
from forkpoint.web.process import alive, stop

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
PAGES = (
    "/", "/run/finished", "/run/unfinished", "/run/finished/report", "/run/finished/answers",
    "/run/finished/vote", "/start", "/compare?run=finished&run=unfinished", "/rules",
    "/rules/FP-B01", "/run/no-such-run",
)  # fmt: skip
LOOKS = (("en", 1600, "light"), ("zh", 360, "dark"), ("en", 360, "light"), ("zh", 1600, "dark"))
ENDED = "a[href$='/report'].button"  # the way to the report of a race that has ended
Window = Callable[..., Watched]


def faults(page: Any) -> list[str]:
    """What axe-core finds that is serious or critical on the page as it stands."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]


def overflow(page: Any) -> list[str]:
    """Elements that stick out to the right of the window, when the page itself scrolls sideways."""
    found: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
        [...document.querySelectorAll("body *")]
          .filter((e) => e.getBoundingClientRect().right > window.innerWidth + 1
            && !e.closest(".scroll") && !e.closest(".skip"))
          .slice(0, 5).map((e) => e.outerHTML.slice(0, 120))"""
    )
    return found


def acting(page: Any) -> list[str]:
    """Elements and attributes that could act and are not ours."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((e) =>
          [...e.attributes].some((a) => a.name.startsWith("on") || /^\\s*javascript:/i.test(a.value)
            && ["href", "src", "action"].includes(a.name))
          || ["IMG", "IFRAME", "OBJECT", "EMBED", "BASE", "foreignObject", "animate"]
            .includes(e.tagName)
          || (e.tagName === "SCRIPT" && e.getAttribute("src") !== "/static/web.js"))
        .map((e) => e.outerHTML.slice(0, 120))"""
    )
    return found


@pytest.mark.parametrize("look", LOOKS[:2], ids=str)
def test_no_page_has_a_serious_fault(window: Window, look: tuple[str, int, str]) -> None:
    """axe-core finds nothing serious or critical on any page, in both languages and schemes."""
    seen = window(*look)
    found = {}
    for path in PAGES:
        seen.open(path)
        found[path] = faults(seen.page)
    assert {path: [] for path in PAGES} == found


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_pages_fit_the_window_and_load_nothing_else(
    window: Window, look: tuple[str, int, str]
) -> None:
    """No page scrolls sideways at 360 or 1600 px; none asks another server or says an error."""
    seen = window(*look)
    found = {}
    for path in PAGES[:-1]:
        seen.open(path)
        found[path] = overflow(seen.page)
        assert look[0] == seen.page.locator("html").get_attribute("lang")[:2]
    assert {path: [] for path in PAGES[:-1]} == found
    assert [] == seen.wrong


def test_hostile_text_does_nothing(window: Window, served: Served) -> None:
    """Data, model output, names and reasons full of attacks: nothing runs, nothing breaks."""
    name = next(path.name for path in served.runs.iterdir() if path.name.startswith("<img"))
    run = f"/run/{quote(name, safe='')}"
    seen = window()
    for path in ("/", run, f"{run}/report", f"{run}/answers", f"{run}/vote",
                 f"/compare?run={quote(name, safe='')}&run=finished"):  # fmt: skip
        reply = seen.open(path)
        assert 200 == reply.status
        assert [] == acting(seen.page)
        assert 1 == seen.page.locator("h1").count()
        assert "alert(" in seen.page.content()
    assert [] == seen.wrong


def test_hostile_answers_stream_as_text(window: Window) -> None:
    """What a model says appears letter by letter as text, whatever it is."""
    from forkpoint.race.speak_child import Spoken
    from forkpoint.web.answering import _event, _told

    seen = window()
    seen.open("/run/finished/answers")
    arm = seen.page.locator("input[name=arm]").first.get_attribute("value")
    said = " ".join(HOSTILE[:-1])
    events = b"".join(
        _event(_told(Spoken(arm=arm, text=said[:size], done=size == len(said)), "en"))
        for size in (10, 200, len(said))
    )
    seen.page.route(
        "**/answers",
        lambda route: route.fulfill(body=events, content_type="text/event-stream"),
    )
    seen.page.fill("#prompt", HOSTILE[0])
    seen.page.locator("form.ask button").click()
    box = seen.page.locator(f'.stream[data-arm="{arm}"] .data')
    seen.page.wait_for_function("(box) => box.textContent.length > 300", arg=box.element_handle())
    assert HOSTILE[0] in box.text_content()
    assert [] == acting(seen.page)
    assert [] == seen.wrong


def test_a_race_is_voted_with_the_keyboard(window: Window, served: Served) -> None:
    """One key a vote, none while typing a name; the arms stay hidden until they are revealed."""
    copy = served.runs / "by-keyboard"
    shutil.copytree(served.runs / "finished", copy)
    seen = window("zh", 360)
    seen.open("/run/by-keyboard/vote")
    for done, key in enumerate("abtx", start=1):
        with seen.page.expect_navigation():
            seen.page.keyboard.press(key)
        assert seen.page.locator("text=/已评 (\\d+) 对/").inner_text().startswith(f"已评 {done} 对")
    seen.page.locator("#voter").press("a")
    choices = [json.loads(line)["choice"] for line in (copy / "votes.jsonl").open()]
    assert ["first", "second", "tie", "both_bad"] == choices
    assert "pocket-" not in seen.page.locator("main").inner_text()
    seen.page.locator("a.button").click()
    seen.page.wait_for_selector("text=pocket-")
    assert [] == seen.wrong
    shutil.rmtree(copy)


def test_the_keyboard_reaches_everything(window: Window) -> None:
    """The first stop is the way past the links, and what has the focus is outlined."""
    seen = window()
    seen.open("/run/unfinished")
    seen.page.keyboard.press("Tab")
    assert "#content" == seen.page.evaluate("document.activeElement.getAttribute('href')")
    reached = set()
    for _ in range(12):
        seen.page.keyboard.press("Tab")
        style = seen.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert "none" != style
        reached.add(seen.page.evaluate("document.activeElement.id || document.activeElement.href"))
    assert "resume" in reached


def test_a_race_moves_without_a_reload(window: Window, served: Served) -> None:
    """New ledger lines appear by themselves; where there is no script the page asks again."""
    copy = served.runs / "moving"
    shutil.copytree(served.runs / "unfinished", copy)
    ledger = copy / "ledger.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[: len(lines) // 2]))
    with Book(copy):
        seen = window()
        seen.open("/run/moving")
        seen.page.evaluate("window.kept = 1")
        before = seen.page.locator("h1").inner_text()
        seen.page.focus("#pause")
        ledger.write_bytes(b"".join(lines))
        seen.page.wait_for_function(
            "(before) => document.querySelector('h1').innerText !== before", arg=before
        )
        assert 1 == seen.page.evaluate("window.kept")
        assert "pause" == seen.page.evaluate("document.activeElement.id")
        assert seen.page.locator("h1").inner_text() == seen.page.locator("#said").text_content()
        bare = seen.context.browser.new_context(java_script_enabled=False, locale="en-GB")
        page = bare.new_page()
        page.goto(served.address)
        page.goto(f"{served.base}/run/moving")
        assert page.locator("h1").count() == 1
        assert "5" == page.locator("noscript meta, meta[http-equiv=refresh]").get_attribute(
            "content"
        )
        bare.close()
    assert [] == seen.wrong
    shutil.rmtree(copy)


def test_it_works_without_script(chromium: Any, served: Served) -> None:
    """Votes are cast with buttons, languages switched with links, reports read."""
    copy = served.runs / "no-script"
    shutil.copytree(served.runs / "finished", copy)
    context = chromium.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(BUSY_MS)
    page.goto(served.address)
    page.goto(f"{served.base}/run/no-script/vote")
    page.locator("button[value=tie]").click()
    assert "1 pairs judged" in page.locator("main").inner_text()
    page.locator("a.tongue").click()
    assert page.url.endswith("/run/no-script/vote")
    assert "zh-Hans" == page.locator("html").get_attribute("lang")
    page.goto(f"{served.base}/run/no-script/report")
    assert page.locator("section").count() > 8
    context.close()
    shutil.rmtree(copy)


def in_all(seen: Watched, wanted: dict[str, str]) -> None:
    """The page as it stands, in both languages at both sizes; `wanted`: language -> pattern."""
    for lang in ("zh", "en"):
        here = seen.page.url.removeprefix(seen.served.base)
        seen.open(f"/language/{lang}?back={quote(here, safe='')}")
        for width in (360, 1600):
            seen.page.set_viewport_size({"width": width, "height": 900})
            assert [] == overflow(seen.page)
        assert [] == faults(seen.page)
        assert re.search(wanted[lang], seen.page.locator("main").inner_text())


def another_server(server: Served, seen: Watched) -> Served:
    """The server ends while the race runs; a new one shows the same race."""
    folder = server.runs / "messages"
    racing = alive(folder)
    assert racing is not None
    server.process.terminate()
    server.process.wait(60)
    assert alive(folder) in (racing, None)  # None: it has ended by itself
    new = start_server(server.runs, home=server.runs.parent)
    seen.move(new)
    return new


def test_the_whole_job(chromium: Any, tmp_path: Path) -> None:
    """From a data file to the verdict and a blind vote, on the pocket family, by mouse and key.

    The race outlives its server: it is started by one, paused, resumed and read by another.
    """
    lines = (ROOT / "src/forkpoint/data/bundled/tickets.jsonl").read_text("utf-8").splitlines()
    data = tmp_path / "messages.jsonl"
    data.write_text("\n".join(lines[:90]) + "\n", encoding="utf-8")
    server = start_server(tmp_path / "runs", home=tmp_path)
    seen = Watched(chromium, server, "en", 1600, "light")
    page, run = seen.page, tmp_path / "runs" / "messages"
    try:
        seen.open("/start")
        page.set_input_files("#file", str(data))
        page.fill("#goal", "Sort customer messages into departments; answer in one word")
        page.click("button.first")
        page.wait_for_selector("input[value=pocket-base]")
        in_all(seen, {"en": "Usable rows\\s+90", "zh": "90"})
        page.check("input[value=pocket-base]")
        page.check("input[value=pocket-instruct]")
        page.uncheck("input[value=lora]")
        page.fill("#budget", "60%")
        page.click("button.first")
        page.wait_for_selector("form[action$='/go']", timeout=5 * BUSY_MS)
        in_all(seen, {"en": "Smallest difference", "zh": "能看出的最小差异"})
        page.click("form[action$='/go'] button")
        page.wait_for_selector("#live", timeout=5 * BUSY_MS)
        server = another_server(server, seen)
        seen.open("/run/messages")
        if page.locator("#pause").count():
            page.click("#pause")
            page.wait_for_selector(f"#resume, {ENDED}", timeout=5 * BUSY_MS)
        if page.locator("#resume").count():
            page.click("#resume")
        page.wait_for_selector(ENDED, timeout=10 * BUSY_MS)
        assert (run / "verdict.json").exists()
        in_all(seen, {"en": "95% interval", "zh": "95% 区间"})
        page.click(ENDED)
        assert "95% interval" in page.locator("body").inner_text()
        vote_once(seen, run)
        ask_once(seen)
        assert [] == [text for text in seen.wrong if "ERR_CONNECTION_REFUSED" not in text]
    finally:
        seen.context.close()
        server.process.terminate()
        stop(run)


def test_every_approach_can_be_chosen_where_it_can_be_fed(
    window: Window, served: Served, tmp_path: Path
) -> None:
    """Preference rows: DPO with the mouse, raw text by its path; both languages and sizes."""
    bundled = (ROOT / "src/forkpoint/data/bundled/tickets.jsonl").read_text("utf-8").splitlines()
    tickets = [json.loads(line)["messages"] for line in bundled[:60]]
    rows = [
        {"prompt": turns[-2]["content"], "chosen": turns[-1]["content"], "rejected": "none of them"}
        for turns in tickets
    ]
    data = tmp_path / "pairs.jsonl"
    data.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    seen = window()
    page = seen.page
    seen.open("/start")
    page.set_input_files("#file", str(data))
    page.click("button.first")
    page.wait_for_selector("input[value=pocket-base]")
    in_all(seen, {"en": "In every race", "zh": "每场比赛都有"})
    shown = page.locator("input[name=approach]")
    assert {*approaches(), *kinds()} == {one.get_attribute("value") for one in shown.all()}
    assert page.is_enabled("input[value=dpo]")
    assert page.is_disabled("input[value=prompt]")
    for name in ("pocket-base", "pocket-instruct", "dpo", "cpt-full", "few-shot"):
        page.check(f"input[value={name}]")
    page.uncheck("input[value=lora]")
    page.fill("#corpus", "/nowhere/book.txt")
    page.click("button.first")
    page.wait_for_selector(".notice:has-text('/nowhere/book.txt')", timeout=5 * BUSY_MS)
    page.click("a.button[href*='/start/']")
    page.wait_for_selector("input[value=dpo]:checked")
    assert not page.is_checked("input[value=lora]")
    assert "/nowhere/book.txt" == page.input_value("#corpus")
    assert [] == seen.wrong
    shutil.rmtree(next(served.runs.glob("pairs*")))


def vote_once(seen: Watched, run: Path) -> None:
    """A blind vote with one key, where the arms did not answer all rows alike."""
    seen.open("/run/messages/vote")
    if seen.page.locator(".ballot").count():
        with seen.page.expect_navigation():
            seen.page.keyboard.press("a")
        assert 1 == len((run / "votes.jsonl").read_text().splitlines())


def ask_once(seen: Watched) -> None:
    """A prompt to a tuned arm and to its untrained checkpoint: both answer to the end."""
    seen.open("/run/messages/answers")
    seen.page.fill("#prompt", "Where is my parcel?")
    seen.page.click("form.ask button")
    seen.page.wait_for_selector("text=All have answered.", timeout=5 * BUSY_MS)
    shown = seen.page.locator(".stream:visible .end").all_inner_texts()
    assert len(shown) >= 2
    assert [] == [text for text in shown if "tokens" not in text]
