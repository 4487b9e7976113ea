"""The text on a checkpoint shows what it is, how that is known and what will bite."""

import pytest

from forkpoint.facts import CheckpointFacts, read_checkpoint
from forkpoint.facts.checkpoint_facts import Evidence
from forkpoint.report.checkpoint_text import checkpoint_text


@pytest.fixture(scope="module", params=["base", "instruct", "chat"])
def facts(request: pytest.FixtureRequest) -> CheckpointFacts:
    """Facts of each checkpoint of the pocket family."""
    return read_checkpoint(f"pocket-{request.param}")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_judgement_is_shown_with_its_weights(facts: CheckpointFacts, lang: str) -> None:
    """Value, chance and the strongest clue of each judgement, and every notice, are there."""
    text = checkpoint_text(facts, lang)
    for judgement in (facts.sold_as, facts.post_training, facts.kind):
        assert f"{judgement.probability:.0%}" in text
        assert f"{judgement.evidence[0].weight:+.1f}" in text
        assert judgement.evidence[0].found in text
    assert f"{facts.shape.parameters:,}" in text
    assert "{" not in text.replace("{%", "")


def test_the_two_languages_differ_and_hold_the_same_blocks(facts: CheckpointFacts) -> None:
    """Chinese is a translation, not another report."""
    english, chinese = (checkpoint_text(facts, lang) for lang in ("en", "zh"))
    assert english.count("\n\n") == chinese.count("\n\n")
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)


def test_a_checkpoint_cannot_write_on_the_terminal(facts: CheckpointFacts) -> None:
    """Escape codes and line breaks in what was found become visible marks or spaces."""
    clue = Evidence(signal="card", says="base", weight=9.0, found="a\x1b[2Jb\nDANGER: c\u202e")
    judgement = facts.sold_as.model_copy(update={"evidence": (clue,)})
    text = checkpoint_text(facts.model_copy(update={"sold_as": judgement}), "en")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "b DANGER: c" in text


def test_facts_survive_the_way_to_json_and_back(facts: CheckpointFacts) -> None:
    """The record is the same after a round trip."""
    assert facts == CheckpointFacts.from_json(facts.to_json())
