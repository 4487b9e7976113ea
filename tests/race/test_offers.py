"""Which approaches these data and checkpoints can feed; the others are listed with the reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from forkpoint import facts
from forkpoint.data import DataProfile, load, profile
from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.race.offers import Offer, offers
from forkpoint.race.request import RaceRequest
from forkpoint.race.untrained_arms import check_approaches
from forkpoint.train.approach import approaches, qlora
from forkpoint.untrained import kinds

ROWS: dict[str, dict[str, Any]] = {
    "plain": {"prompt": "Say {n}.", "completion": "{n}"},
    "pairs": {"prompt": "Say {n}.", "chosen": "{n}", "rejected": "no {n}"},
    "text": {"text": "Paragraph {n} of a book that asks nothing."},
}


@pytest.fixture(scope="module")
def pocket() -> dict[str, CheckpointFacts]:
    """A Base, its tuned twins."""
    names = ("pocket-base", "pocket-instruct", "pocket-chat")
    return {name: facts.read_checkpoint(name) for name in names}


def data(tmp_path: Path, kind: str) -> DataProfile:
    """The profile of twenty rows of one kind."""
    file = tmp_path / f"{kind}.jsonl"
    lines = [json.dumps(ROWS[kind]).replace("{n}", str(n)) for n in range(20)]
    file.write_text("\n".join(lines))
    return profile(load(str(file)))


def by_name(found: tuple[Offer, ...]) -> dict[str, Offer]:
    """Each name once."""
    assert len(found) == len({one.name for one in found})
    return {one.name: one for one in found}


def test_every_registered_approach_is_offered(
    tmp_path: Path, pocket: dict[str, CheckpointFacts]
) -> None:
    """Trained before asked, needing nothing before needing something; prompt is always in."""
    found = offers(data(tmp_path, "plain"), pocket)
    assert {*approaches(), *kinds()} == {one.name for one in found}
    needs = [bool(one.needs) for one in found if one.trained]
    assert sorted(needs) == needs
    assert ["prompt"] == [one.name for one in found if one.always]
    assert [False] * len(kinds()) == [one.trained for one in found][-len(kinds()) :]


@pytest.mark.parametrize(
    ("kind", "out"),
    [
        ("plain", {"dpo": "race.offer_no_preferences", "dpo-full": "race.offer_no_preferences"}),
        ("pairs", {}),
        (
            "text",
            {
                "dpo": "race.offer_no_preferences",
                "dpo-full": "race.offer_no_preferences",
                **dict.fromkeys(("few-shot", "rag", "rag-embed"), "untrained.raw_text"),
            },
        ),
    ],
)
def test_what_the_data_cannot_feed_says_why(
    tmp_path: Path, pocket: dict[str, CheckpointFacts], kind: str, out: dict[str, str]
) -> None:
    """Preferences need rejected answers, asking needs questions."""
    pytest.importorskip("bitsandbytes", reason="QLoRA needs the extra 'quant'")
    pytest.importorskip("sentence_transformers", reason="rag-embed needs the extra 'embed'")
    found = by_name(offers(data(tmp_path, kind), pocket))
    assert out == {name: one.key for name, one in found.items() if one.key}


def test_delta_is_for_checkpoints_whose_base_is_there(
    tmp_path: Path, pocket: dict[str, CheckpointFacts]
) -> None:
    """It names them; without a Base beside them it is out."""
    rows = data(tmp_path, "plain")
    both = by_name(offers(rows, pocket))["delta"]
    assert (None, ("pocket-instruct", "pocket-chat")) == (both.key, both.twins)
    tuned = {name: found for name, found in pocket.items() if name != "pocket-base"}
    assert "race.offer_no_twins" == by_name(offers(rows, tuned))["delta"].key


def test_what_this_machine_lacks_is_refused_before_anything_is_read(
    tmp_path: Path, pocket: dict[str, CheckpointFacts], monkeypatch: pytest.MonkeyPatch
) -> None:
    """QLoRA without bitsandbytes: listed with the reason, and no race is planned with it."""
    monkeypatch.setattr(qlora, "find_spec", lambda name: None)
    found = by_name(offers(data(tmp_path, "plain"), pocket))
    assert "train.no_bitsandbytes" == found["qlora"].key
    request = RaceRequest(data="none.jsonl", models=("pocket-base",), approaches=("lora", "qlora"))
    with pytest.raises(BadInput, match="bitsandbytes, which is not installed"):
        check_approaches(request)
