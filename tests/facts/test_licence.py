"""Licences are named by SPDX or by a sourced table; unknown is never taken for fine."""

import datetime
from pathlib import Path

import pytest
from made_checkpoint import make_checkpoint

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
    assert bool(spoken) == (commercial != "yes" and facts.licence in (None, "other", "openrail",
                            "our-very-own", *licence_table()))  # fmt: skip


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
