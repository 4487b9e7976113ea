"""The page on which a race is chosen: approaches, templates, what becomes of them."""

import json
import shutil
import time
from urllib.parse import urlencode

from markupsafe import escape
from wire import FORM, Served, ask, post, upload

from forkpoint.report.wording import named
from forkpoint.train.approach import approaches
from forkpoint.untrained import kinds
from forkpoint.web.draft import Draft
from forkpoint.words import say


def chosen_page(served: Served, cookie: str, where: str, lang: str) -> str:
    """The second page of a start, once the data have been read."""
    for _ in range(600):
        _, _, text = ask(served, where, cookie=cookie, accept_language=lang)
        if "data-reload" not in text:
            return text
        time.sleep(0.2)
    raise AssertionError("the data were never read")


def test_every_approach_is_offered_or_says_why_not(served: Served, cookie: str) -> None:
    """From the registry, in both languages; a choice that can be fed becomes the command."""
    body = json.dumps({"prompt": "Where is it?", "completion": "delivery"}).encode() + b"\n"
    _, headers, _ = upload(served, cookie, "offers.jsonl", body * 12)
    where = headers["location"]
    for lang in ("en", "zh"):
        page = chosen_page(served, cookie, where, lang)
        for name in (*approaches(), *kinds()):
            assert f'name="approach" value="{name}"' in page
            assert str(escape(named("approach", name, lang))) in page
        dpo = page.partition('value="dpo"')[2].partition("</li>")[0]
        assert dpo.startswith(" disabled")
        assert say("race.offer_no_preferences", lang) in dpo
        delta = page.partition('value="delta"')[2].partition("</li>")[0]
        assert "pocket-instruct, pocket-chat" in delta
    fields = [
        ("model", "pocket-base"), ("model", "pocket-instruct"), ("approach", "cpt"),
        ("approach", "rag"), ("approach", "no such"), ("corpus", "/there/book.txt"),
        ("documents", "/there"), ("budget", "auto"),
    ]  # fmt: skip
    ask(
        served, where, "POST", urlencode(fields).encode(), cookie=cookie, origin=served.base, **FORM
    )
    folder = served.runs / where.rpartition("/")[2]
    words = Draft.from_json((folder / "draft.json").read_bytes()).race_words("en")
    asked = [word for word in words if word[:6] in ("--appr", "--corp", "--docu")]
    assert ["--approach=cpt", "--approach=rag", "--corpus=/there/book.txt",
            "--documents=/there"] == asked  # fmt: skip
    shutil.rmtree(folder)


def test_the_template_is_chosen_as_on_the_command_line(served: Served, cookie: str) -> None:
    """Three ways in both languages, auto first; a choice becomes --template, others are refused."""
    body = json.dumps({"prompt": "Where is it?", "completion": "delivery"}).encode() + b"\n"
    _, headers, _ = upload(served, cookie, "template.jsonl", body * 12)
    where = headers["location"]
    folder = served.runs / where.rpartition("/")[2]
    for lang in ("en", "zh"):
        page = chosen_page(served, cookie, where, lang)
        for name in ("auto", "own", "plain"):
            assert f'type="radio" name="template" value="{name}"' in page
            assert str(escape(say(f"web.template_{name}", lang))) in page
        assert 'value="auto" checked' in page
    chosen = {"goal": "g", "model": "pocket-base", "budget": "auto"}
    for wish, words in (("own", ["--template=own"]), ("plain", ["--template=plain"]), ("auto", [])):
        fields = [*chosen.items(), ("approach", "lora"), ("approach", "full"), ("template", wish)]
        ask(served, where, "POST", urlencode(fields).encode(), cookie=cookie, origin=served.base,
            **FORM)  # fmt: skip
        made = Draft.from_json((folder / "draft.json").read_bytes())
        assert words == [word for word in made.race_words("en") if word.startswith("--template")]
    status, _, text = post(served, cookie, where, template="<b>chatml</b>", **chosen)
    assert 400 == status
    assert "&lt;b&gt;chatml" in text
    assert "auto" == Draft.from_json((folder / "draft.json").read_bytes()).template
    shutil.rmtree(folder)


def test_a_draft_from_before_the_choice_of_a_template_opens() -> None:
    """A folder that was set up by an earlier version takes the default."""
    old = {"schema_version": 1, "created": "2026-11-20T10:00:00+00:00", "data": "tickets",
           "uploaded": False, "models": ["pocket-base"]}  # fmt: skip
    assert "auto" == Draft.from_json(json.dumps(old).encode()).template
