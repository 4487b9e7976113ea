"""Every approach has its words, its place in the guide and its help; none is asked for by name."""

import re
from pathlib import Path

import pytest

from forkpoint.report.wording import named
from forkpoint.train.approach import approach
from forkpoint.words import say

ROOT = Path(__file__).parents[2]
NAMES = (
    "lora", "qlora", "full", "dpo", "dpo-full", "cpt", "cpt-full", "delta", "delta-full",
)  # fmt: skip


def test_the_list_above_is_whole() -> None:
    """The registry names these and no others."""
    with pytest.raises(Exception, match=", ".join(sorted(NAMES))):
        approach("none such")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
def test_an_approach_has_words_a_guide_and_help(name: str, lang: str) -> None:
    """In both languages: its word in reports, its row in the guide, its name in --help."""
    assert named("approach", name, lang) != name or name in ("lora", "qlora")
    page = "approaches.md" if lang == "en" else "approaches.zh.md"
    assert f"`{name}`" in (ROOT / "docs" / "guide" / page).read_text()
    assert name in say("race.option_approach", lang)


@pytest.mark.parametrize("option", ["--corpus", "--twin", "--retain", "--floor"])
def test_their_options_are_in_the_guides(option: str) -> None:
    """What changes with approaches can be looked up."""
    for page in ("approaches.md", "approaches.zh.md"):
        assert f"`{option} " in (ROOT / "docs" / "guide" / page).read_text()


def test_stages_are_asked_for_by_need_not_by_name() -> None:
    """No line outside the approaches themselves compares with the name of one that has stages."""
    staged = re.compile(r"""==\s*["'](dpo|cpt|delta)(-full)?["']|["'](dpo|cpt|delta)-full["']""")
    found = [
        str(file.relative_to(ROOT))
        for file in (ROOT / "src" / "forkpoint").rglob("*.py")
        if file.parent.name != "approach" and staged.search(file.read_text())
    ]
    assert [] == found
