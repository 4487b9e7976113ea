"""Every approach has its words, its place in the guide and its help; none is asked for by name."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from outside_package import install

from forkpoint.errors import BadInput
from forkpoint.report.wording import named
from forkpoint.train.approach import approach, approaches
from forkpoint.untrained import kinds
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


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of kinds may be laid into this folder, which stands on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for registry in (approaches, kinds):
        registry.cache_clear()
    yield tmp_path
    for registry in (approaches, kinds):
        registry.cache_clear()


def test_an_approach_from_another_package_is_one_more_name(outside: Path) -> None:
    """One file and its entry point: found beside ours, called as it says in both languages."""
    ours = {*approaches(), *kinds()}
    for registry in (approaches, kinds):
        registry.cache_clear()
    install(outside)
    assert {"attention-lora", "one-word"} == {*approaches(), *kinds()} - ours
    assert "LoRA on attention alone" == named("approach", "attention-lora", "en")
    assert "只答一个词" == named("approach", "one-word", "zh")
    assert "never heard of" == named("approach", "never heard of", "en")


def test_a_package_that_breaks_is_a_sentence(outside: Path) -> None:
    """It names package, module and error; a report only loses the word for it."""
    install(outside, "[forkpoint.approaches]\nodd = no_such_module_at_all\n")
    with pytest.raises(BadInput, match="kinds-from-outside adds"):
        approach("lora")
    assert "odd" == named("approach", "odd", "en")
