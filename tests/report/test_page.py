"""The HTML report: one file, two languages, no script, no network."""

import json
import re
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from forkpoint.report import View
from forkpoint.report.page import html

LEVELS = re.compile(r"h([1-6])")


class Outline(HTMLParser):
    """All elements of a page with their attributes, and the text of some."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page(finished: View) -> str:
    return html(finished, "en")


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    return Outline(page)


def test_the_same_view_gives_the_same_page(finished: View, page: str) -> None:
    """No dates, no random ids: rendering twice gives the same bytes."""
    assert page == html(finished, "en")


def test_it_needs_neither_script_nor_network(outline: Outline) -> None:
    """A strict policy, one inert JSON script, no event handler, no address but its own parts."""
    policy = next(a for a in outline.all("meta") if "http-equiv" in a)["content"] or ""
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert ["application/json"] == [a.get("type") for a in outline.all("script")]
    for tag, attributes in outline.elements:
        assert not [name for name in attributes if name.startswith("on")], tag
        assert "src" not in attributes
        for name in ("href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
    assert not {"link", "img", "iframe", "object", "form"} & {tag for tag, _ in outline.elements}


def test_both_languages_are_there_and_one_is_picked(finished: View) -> None:
    """Radio buttons switch the language by CSS alone; --lang picks the first."""
    for lang in ("en", "zh"):
        outline = Outline(html(finished, lang))
        picked = [a["id"] for a in outline.all("input") if "checked" in a]
        assert [f"pick-{lang}"] == picked
        assert {"en", "zh-Hans"} == {a["lang"] for a in outline.all("div") if "lang" in a}


def test_every_id_is_unique_and_every_reference_meets_one(page: str, outline: Outline) -> None:
    """The page in two languages repeats no id, and links and clips find theirs."""
    ids = Counter(a["id"] for _, a in outline.elements if "id" in a)
    assert [] == [name for name, count in ids.items() if count > 1]
    used = {a["href"][1:] for a in outline.all("a") if a.get("href")}  # type: ignore[index]
    used |= set(re.findall(r"url\(#([^)]+)\)", page))
    used |= {a["for"] for a in outline.all("label")}  # type: ignore[misc]
    assert set() == used - set(ids)


def test_headings_tables_and_charts_can_be_heard(outline: Outline) -> None:
    """Headings skip no level, tables have captions and scopes, charts have a name."""
    levels = [int(m[1]) for tag, _ in outline.elements if (m := LEVELS.fullmatch(tag))]
    assert 1 == levels[0]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(outline.all("table")) == len(outline.all("caption"))
    assert all("scope" in attributes for attributes in outline.all("th"))
    charts = outline.all("svg")
    assert 14 == len(charts)
    assert all(a.get("role") == "img" and a.get("aria-label") for a in charts)


def test_the_whole_view_is_embedded(finished: View, page: str) -> None:
    """The JSON in the page is the view, so every figure can be taken from it."""
    data = re.search(r'<script type="application/json" id="view">(.*?)</script>', page, re.S)
    assert data
    assert finished == View.model_validate(json.loads(data[1]))


def test_charts_take_their_colours_from_the_page(page: str) -> None:
    """No colour is fixed in a chart, so that light, dark and print all work; text stays text."""
    for chart in re.findall(r"<svg.*?</svg>", page, re.S):
        assert set(re.findall(r"#[0-9a-fA-F]{6}", chart)) <= {"#000000", "#ffffff"}
        assert "<text" in chart
        assert "<metadata" not in chart


def test_numbers_say_how_they_came_to_be(page: str) -> None:
    """Scores are measured with n, costs estimated or measured, settings set, in both languages."""
    for words in ("measured, n = 72", "estimated", ">set<", "实测，n = 72", "估计", ">设定<"):
        assert words in page


def test_a_race_without_a_verdict_has_its_page(unfinished: View) -> None:
    """An interrupted race shows scores and curves and says what is not there yet."""
    shown = html(unfinished, "en")
    assert "Interrupted after 19 scored trials" in shown
    assert "The test set has not been opened" in shown


def test_the_page_stays_small(page: str) -> None:
    """Six arms, two languages, twelve charts and all evidence: well under a megabyte."""
    assert len(page.encode()) < 700_000


def test_every_word_of_the_templates_is_in_the_catalogue() -> None:
    """Each t('key') in a template has its entry, and no entry of the report is left unused."""
    from importlib.resources import files

    from forkpoint.words import area

    folder = files("forkpoint.report").joinpath("templates")
    templates = {
        path.name: path.read_text(encoding="utf-8")
        for path in folder.iterdir()
        if path.name.endswith("jinja")
    }
    compared = set(re.findall(r"\bt\('(\w+)'", templates.pop("compare.html.jinja")))
    known = set(area("compare"))
    assert {word for word in compared if word not in known and not word.endswith("_")} == set()
    source = "".join(templates.values())
    used = set(re.findall(r"\bt\('(\w+)'", source)) - {
        "section_",
        "state_",
        "group_",
        "mark_",
        "says_",
    }
    assert set() == used - set(area("report"))
