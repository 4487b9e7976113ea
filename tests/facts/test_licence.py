"""Licences are named by SPDX or by a sourced table; unknown is never taken for fine."""

import datetime
from pathlib import Path

import pytest
from made_checkpoint import make_checkpoint

from forkpoint.facts import licence as licences
from forkpoint.facts import read_checkpoint
from forkpoint.facts.licence import licence_table
from forkpoint.words import say


@pytest.mark.parametrize(
    ("card", "licence", "commercial"),
    [
        ("license: apache-2.0", "Apache-2.0", "yes"),
        ("license: mit", "MIT", "yes"),
        ("license: cc-by-nc-4.0", "CC-BY-NC-4.0", "no"),
        ("license: cc-by-nc-sa-4.0", "CC-BY-NC-SA-4.0", "no"),
        ("license: gpl-3.0", "GPL-3.0-only", "conditions"),
        ("license: cc-by-sa-4.0", "CC-BY-SA-4.0", "conditions"),
        ("license: llama3.1", "llama3.1", "conditions"),
        ("license: gemma", "gemma", "conditions"),
        ("license: other\nlicense_name: qwen-research", "qwen-research", "no"),
        ("license: other\nlicense_name: deepseek", "deepseek", "conditions"),
        ("license: other\nlicense_name: glm-4", "glm-4", "conditions"),
        ("license: other\nlicense_name: glm-4-9b", "glm-4", "conditions"),
        ("license: other\nlicense_name: falcon-llm-license", "falcon-llm-license", "conditions"),
        (
            "license: other\nlicense_name: stabilityai-ai-community",
            "stabilityai-ai-community",
            "conditions",
        ),
        ("license: bigscience-bloom-rail-1.0", "bigscience-bloom-rail-1.0", "conditions"),
        ("license: other\nlicense_name: mnpl", "mnpl", "no"),
        ("license: other\nlicense_name: our-very-own", "our-very-own", "unknown"),
        ("license: other", "other", "unknown"),
        ("license: openrail", "openrail", "unknown"),
        ("license: artistic-2.0", "Artistic-2.0", "unknown"),
        ("license: cc-by-nd-4.0", "CC-BY-ND-4.0", "conditions"),
        ("license: unknown", None, "unknown"),
        ("license: [broken", None, "unknown"),
        ("tags: [chat]", None, "unknown"),
    ],
)
def test_licences(tmp_path: Path, card: str, licence: str | None, commercial: str) -> None:
    """The card's id becomes SPDX where SPDX lists it, and a class of commercial use."""
    facts = read_checkpoint(str(make_checkpoint(tmp_path / "c", card=f"---\n{card}\n---\n# C\n")))
    assert (licence, commercial) == (facts.licence, facts.commercial_use)
    spoken = [notice for notice in facts.notices if notice.key.startswith("facts.licence_")]
    assert 1 == len(spoken)
    assert ("info" if commercial == "yes" else "warning") == spoken[0].level


@pytest.mark.parametrize(
    ("licence", "asks"),
    [
        ("apache-2.0", "notices"), ("cc0-1.0", "without conditions"),
        ("gpl-3.0", "stays under this licence"), ("agpl-3.0", "as a service"),
        ("mpl-2.0", "changed parts"), ("cc-by-sa-4.0", "under the same licence only"),
        ("cc-by-nc-4.0", "of a derived model either"),
        ("cc-by-nd-4.0", "may not be passed on"), ("cc-by-nc-nd-4.0", "no commercial use, and"),
    ],
)  # fmt: skip
def test_an_spdx_licence_says_what_it_asks_of_a_derived_model(
    tmp_path: Path, licence: str, asks: str
) -> None:
    """One line with the conditions, the meaning for a derived model and the address of the text."""
    card = f"---\nlicense: {licence}\n---\n"
    facts = read_checkpoint(str(make_checkpoint(tmp_path / "c", card=card)))
    notice = next(n for n in facts.notices if n.key.startswith("facts.licence_"))
    said = say(notice.key, "en", **notice.values)
    assert asks in said
    assert f"https://spdx.org/licenses/{facts.licence}.html" in said


def test_an_spdx_licence_that_was_not_classed_is_not_called_unlisted(tmp_path: Path) -> None:
    """It is in SPDX, its address is given, and commercial use stays unknown."""
    card = "---\nlicense: artistic-2.0\n---\n"
    facts = read_checkpoint(str(make_checkpoint(tmp_path / "c", card=card)))
    notice = next(n for n in facts.notices if n.code == "licence-unknown")
    assert "https://spdx.org/licenses/Artistic-2.0.html" in say(notice.key, "en", **notice.values)


def test_every_classed_spdx_licence_exists() -> None:
    """The names that are classed are those of SPDX, and each has its sentence in both languages."""
    from license_expression import get_license_index

    known = {entry.get("spdx_license_key") for entry in get_license_index()}
    classed = licences.PERMISSIVE | licences.SHARE_ALIKE
    assert set() == classed - known
    for name in sorted(classed):
        meaning = licences._spdx_meaning(name)
        for lang in ("en", "zh"):
            assert name in say(f"facts.licence_{meaning}", lang, title=name, address="A")


@pytest.mark.parametrize("tag", ["openrail", "gpl", "cc"])
def test_a_family_of_licences_is_unknown_and_says_what_to_do(tmp_path: Path, tag: str) -> None:
    """An id of the Hub without a variant names no text: unknown, and where to look for the text."""
    card = f"---\nlicense: {tag}\n---\n"
    facts = read_checkpoint(str(make_checkpoint(tmp_path / "c", card=card)))
    assert "unknown" == facts.commercial_use
    notice = next(n for n in facts.notices if n.code == "licence-unknown")
    assert "licence file beside the weights" in say(notice.key, "en", **notice.values)


@pytest.mark.parametrize(
    ("licence", "sentence"),
    [
        ("apache-2.0", "Commercial use requires an application for a commercial use license."),
        ("other", "Model weights are fully open for academic research and also allow **free** "
         "commercial usage. To apply for a commercial license, please fill in the form."),
        ("apache-2.0", "Free commercial use is also allowed after registration."),
        ("apache-2.0", "模型权重对学术研究完全开放，并且支持免费商用，商用需申请商业使用授权。"),
        ("other", "对于希望将模型用于商业目的的用户，需完成登记。"),
    ],
)  # fmt: skip
def test_a_card_that_asks_first_is_held_to_it(tmp_path: Path, licence: str, sentence: str) -> None:
    """A free licence in the front matter may be that of the code: the text's demand is repeated."""
    text = f"---\nlicense: {licence}\n---\n# C\n\n{sentence}\n"
    facts = read_checkpoint(str(make_checkpoint(tmp_path / "c", card=text)))
    assert "conditions" == facts.commercial_use
    notice = next(notice for notice in facts.notices if notice.code == "licence-asks")
    assert str(notice.values["found"]) in " ".join(text.split())


@pytest.mark.parametrize(
    "sentence",
    ["Commercial use is allowed.", "You can apply the model to commercial problems.",
     "The model can be applied in commercial applications.", "本模型可用于商业用途。"],
)  # fmt: skip
def test_a_card_that_allows_is_not_misread(tmp_path: Path, sentence: str) -> None:
    """A sentence that allows commercial use asks for nothing."""
    text = f"---\nlicense: apache-2.0\n---\n# C\n\n{sentence}\n"
    facts = read_checkpoint(str(make_checkpoint(tmp_path / "c", card=text)))
    assert "yes" == facts.commercial_use


def test_every_entry_has_its_source() -> None:
    """Each licence of the table has an address, the day it was read and its sentence."""
    assert len(licence_table()) >= 28
    for name, entry in licence_table().items():
        assert entry["address"].startswith("https://"), name
        assert datetime.date(2026, 11, 1) <= entry["read"], name
        assert entry["commercial_use"] in ("yes", "conditions", "no"), name
        for lang in ("en", "zh"):
            text = say(f"facts.licence_{entry['say']}", lang, title=entry["title"], address="A")
            assert entry["title"] in text
