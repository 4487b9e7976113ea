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


def test_every_entry_has_its_source() -> None:
    """Each licence of the table has an address, the day it was read and its sentence."""
    assert len(licence_table()) >= 14
    for name, entry in licence_table().items():
        assert entry["address"].startswith("https://"), name
        assert datetime.date(2026, 11, 1) <= entry["read"], name
        assert entry["commercial_use"] in ("yes", "conditions", "no"), name
        for lang in ("en", "zh"):
            text = say(f"facts.licence_{entry['say']}", lang, title=entry["title"], address="A")
            assert entry["title"] in text
