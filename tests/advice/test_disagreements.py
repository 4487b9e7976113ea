"""The guides' disagreements as they stand in a case."""

from advice_cases import BASE, CHAT, GOAL, TICKETS, TWINS

from forkpoint.advice import advise
from forkpoint.advice.record import DisagreementHere
from forkpoint.facts.checkpoint_facts import CheckpointFacts, Judgement
from forkpoint.rules.example import facts_of, profile_of


def here(
    goal: str, checkpoints: tuple[CheckpointFacts, ...] = TWINS, rows: int = 1_200
) -> dict[str, DisagreementHere]:
    """Disagreements by key."""
    data = profile_of(rows=rows) if rows else None
    return {one.key: one for one in advise(data, checkpoints, goal).disagreements}


def test_all_are_in_plain_sight() -> None:
    """Every disagreement is there in every case, also those that do not matter."""
    assert 9 == len(here("")) == len(here(GOAL, rows=0))


def test_sides_say_for_whom_they_speak() -> None:
    """More than 1,000 rows: one side speaks for Base, another for the tuned twin."""
    rows = here("sort letters")["rows"]
    assert rows.matters
    sides = {one.key: one.speaks_for for one in rows.sides}
    assert (BASE.name,) == sides["rows_thousand"]
    assert (CHAT.name,) == sides["rows_instruct"]
    assert "unsloth-guide" == rows.within_guide
    assert "lora_land" in rows.studies


def test_code_divides_the_guides() -> None:
    """Code generation: one guide wants Base, another Instruct."""
    assert here("generate code")["code"].matters
    assert not here("write letters")["code"].matters


def test_customer_service_divides_the_guides() -> None:
    """An assistant for customer service: a tuned checkpoint, or retrieval."""
    sides = {one.key: one for one in here("customer service")["assistant"].sides}
    assert (CHAT.name,) == sides["assistant_chat"].speaks_for
    assert ("rag",) == sides["assistant_rag"].speaks_for


def test_knowledge_divides_the_guides() -> None:
    """Knowledge of a domain: tune a Chat, pre-train a Base, or look it up."""
    found = here("an assistant that knows about law and our documents")["knowledge"]
    speaking = {one.key for one in found.sides if one.speaks_for}
    assert {"knowledge_chat", "knowledge_cpt", "knowledge_rag"} == speaking


def test_compute_divides_the_guides() -> None:
    """Little compute: the tuned twin learns sooner, or Base is lighter."""
    sides = {one.key: one.speaks_for for one in here("on one GPU")["compute"].sides}
    assert {"compute_chat": (CHAT.name,), "compute_base": (BASE.name,)} == sides


def test_flags_come_from_the_files() -> None:
    """A Base that ships a template, an unsuffixed name, both tuned stages: each is noticed."""
    templated = facts_of(name="b", stage="base", template=True)
    assert here("", (templated, CHAT))["template"].matters
    assert not here("", (BASE, CHAT))["template"].matters
    nameless = CHAT.model_copy(
        update={
            "sold_as": Judgement(
                value="none", probability=1.0, probabilities={"none": 1.0}, evidence=()
            )
        }
    )
    assert here("", (nameless,))["names"].matters
    assert not here("", (CHAT,))["names"].matters
    instruct = facts_of(name="i", stage="instruct")
    assert here("", (CHAT, instruct))["chat_word"].matters
    assert not here("", TWINS)["chat_word"].matters
    assert here("keep general ability")["forgetting"].matters


def test_findings_cover_every_candidate() -> None:
    """Every rule says something of every candidate, silence and ignorance included."""
    advice = advise(TICKETS, TWINS, GOAL)
    grounds = {one.rule for one in advice.grounds}
    for candidate in (BASE.name, CHAT.name):
        assert grounds == {one.rule for one in advice.findings if one.about == candidate}


def test_stages_in_general() -> None:
    """Without checkpoints the three stages are advised on, and no race is proposed."""
    advice = advise(TICKETS, (), GOAL, data_name="t.jsonl")
    assert ["Base", "Instruct", "Chat"] == [one.name for one in advice.candidates]
    assert advice.settle is None
