"""Data, model output and names are text: nothing in them acts on a page or a terminal."""

import json
import re
import sys
import unicodedata
from html import escape as html_escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

from hostile import HOSTILE
from run_folder import build_run

from forkpoint.report import View, json_text, read_view
from forkpoint.report.page import html
from forkpoint.report.text import text

BENIGN_TAGS = {
    "a",
    "article",
    "b",
    "body",
    "br",
    "caption",
    "code",
    "dd",
    "defs",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "g",
    "h1",
    "h2",
    "h3",
    "h4",
    "head",
    "header",
    "html",
    "input",
    "label",
    "li",
    "main",
    "mark",
    "meta",
    "nav",
    "p",
    "path",
    "pre",
    "script",
    "section",
    "span",
    "strong",
    "style",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "text",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
    "use",
    "clippath",
    "rect",
    "tspan",
}
STRUCTURE = {  # fields whose values are chosen by forkpoint, never by data, models or users
    "kind",
    "state",
    "progress",
    "group",
    "groups",
    "says",
    "origin",
    "key",
    "split",
    "level",
    "schema_version",
    "ability",
    "metric",
    "strength",
    "role",
    "commercial_use",
    "stage",
    "format",
    "answer_kind",
    "job",
    "retry",
    "roles",
    "created",
    "post_training",
    "sold_as",
    "p_best_cap",
    "abilities",
    "answer_kinds",
}


def controls(shown: str, kept: str = "\n") -> set[str]:
    """Characters that act without being seen."""
    joiners = "\u200c\u200d"
    return {
        character
        for character in set(shown)
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and character not in kept + joiners
    }


def spoiled(value: Any, hostile: str, name: str = "") -> Any:
    """The same JSON with a hostile string after every text that can come from outside.

    Names are spoiled alike wherever they stand, so that they still refer to each other.
    """
    if name in STRUCTURE:
        return value
    if isinstance(value, str):
        return value + hostile
    if isinstance(value, list):
        if len(value) == 2 and name in ("reasons", "prompt"):  # key or role first
            return [value[0], spoiled(value[1], hostile)]
        return [spoiled(item, hostile, name if name == "" else f"{name}[]") for item in value]
    if isinstance(value, dict):
        return {
            key if name in ("", "View") or key in FIELDS else key + hostile: spoiled(
                item, hostile, key
            )
            for key, item in value.items()
        }
    return value


def _fields() -> set[str]:
    found = re.findall(r'"(\w+)": ?\{', json.dumps(View.model_json_schema()))
    return set(found)


FIELDS = _fields()


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: set[str] = set()
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses |= {value or "" for name, value in attrs if name in ("href", "src")}


def assert_harmless(page: str) -> None:
    """Nothing but our own elements and attributes, no control byte, one inert script."""
    seen = Page(page)
    assert set() == seen.tags - BENIGN_TAGS
    assert set() == {name for name in seen.attributes if name.startswith("on") or name == "src"}
    assert set() == {address for address in seen.addresses if not address.startswith("#")}
    assert 1 == len(re.findall(r"<script", page, re.I))
    assert 1 == len(re.findall(r"</script", page, re.I))
    assert 1 == len(re.findall(r"</style", page, re.I))
    assert set() == controls(page)


@pytest.mark.parametrize("finished", [True, False], ids=["ended", "interrupted"])
def test_hostile_rows_answers_labels_and_messages(tmp_path: Path, finished: bool) -> None:
    """All hostile strings at once in rows, answers, masks, labels, goal, files and reasons."""
    everything = " ".join(HOSTILE[:-1])
    run = build_run(
        tmp_path / "run", finished=finished, rows=60, spoil=lambda words: f"{words} {everything}"
    )
    view = read_view(run)
    for lang in ("en", "zh"):
        assert_harmless(html(view, lang))
        assert set() == controls(text(view, lang))
        assert set() == controls(json_text(view.to_json(indent=2)))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A small finished view as JSON."""
    view = read_view(build_run(tmp_path_factory.mktemp("plain") / "run", rows=60))
    document: dict[str, Any] = json.loads(view.to_json())
    return document


@pytest.mark.parametrize("hostile", [" ".join(HOSTILE[:-1]), HOSTILE[-1]], ids=["all", "giant"])
def test_hostile_names_everywhere(plain: dict[str, Any], hostile: str) -> None:
    """Names of runs, arms, checkpoints, files, versions and settings, in every place at once."""
    view = View.model_validate(spoiled(plain, hostile))
    page = html(view, "en")
    assert page.count(html_escape(hostile[:20])) > 100
    assert_harmless(page)
    assert set() == controls(text(view, "en"))


def test_giant_lines_are_bounded(plain: dict[str, Any]) -> None:
    """A text of 50,000 characters in a cell ends in a count of what is left out."""
    view = View.model_validate({**plain, "goal": None, "run": "a" * 50_000})
    page = html(view, "en")
    assert "48,000 more characters" in page.partition('<script type="application/json"')[0]
    assert max(map(len, text(view, "en").split("\n"))) <= 100


def test_what_is_hidden_is_shown_by_its_number() -> None:
    """Escapes and bidi marks are replaced by visible signs, ordinary text of any script stays."""
    from forkpoint.report.visible import visible

    assert "a␛[31mb⟨U+202E⟩c⟨U+200B⟩␀" == visible("a\x1b[31mb\u202ec\u200b\x00")
    kept = "中文，émoji 👩\u200d🚀, فارسی می\u200cروم\n\ttab"
    assert kept == visible(kept)


def test_json_for_a_terminal_is_the_same_document() -> None:
    """Escaping for terminals and script elements changes the text of JSON, never its value."""
    document = {"a": "".join(HOSTILE[:-1])}
    assert document == json.loads(json_text(json.dumps(document, ensure_ascii=False)))
