"""The catalogue holds verified facts only, and answers what suits and what fits."""

import json
import re
from collections import Counter
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from forkpoint.catalogue import Entry, Wish, choose, entries
from forkpoint.catalogue import refresh as refreshing
from forkpoint.catalogue.shelf import refreshed_path, shipped
from forkpoint.cli import main
from forkpoint.errors import Unreadable
from forkpoint.estimate import network_from_config
from forkpoint.facts.licence import licence_table

FACTS = ("licence", "context_tokens", "languages", "released", "shape", "sold_as")
ADDRESS = re.compile(r"https://[\w.-]+/\S+")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A refresh of the user's must not reach the tests, nor theirs the user."""
    monkeypatch.setenv("FORKPOINT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def ran(capsys, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of one command."""
    code = 0
    try:
        main(["models", *words])
    except SystemExit as left:
        code = int(left.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_there_are_at_least_forty_with_a_licence_and_a_source() -> None:
    """Verified entries: id unique, licence read, every fact with its address and the day."""
    found = shipped()
    assert len(found) == len({entry.id for entry in found})
    assert len([entry for entry in found if entry.licence]) >= 40
    assert date(2026, 1, 1) <= min(entry.read for entry in found)


@pytest.mark.parametrize("entry", shipped(), ids=lambda entry: entry.id)
def test_every_fact_has_an_address(entry: Entry) -> None:
    """A fact without a source is not in the catalogue, nor a source without its fact."""
    stated = {name for name in FACTS if getattr(entry, name)}
    if (entry.shape or {}).get("tie_word_embeddings") is not None:
        stated.add("tied")
    assert stated == set(entry.sources)
    assert all(ADDRESS.fullmatch(address) for address in entry.sources.values())


def test_twins_point_at_each_other() -> None:
    """A Base and its tuned twin name each other, have one shape and differ in stage."""
    by_id = {entry.id: entry for entry in shipped()}
    pairs = [(entry, by_id[twin]) for entry in shipped() for twin in entry.twins]
    assert len(pairs) >= 60
    for entry, twin in pairs:
        assert entry.id in twin.twins
        assert (entry.stage == "base") != (twin.stage == "base")
        if entry.shape and twin.shape:
            sizes = [network_from_config(one.shape).parameters for one in (entry, twin)]
            assert max(sizes) < 1.05 * min(sizes)


@pytest.mark.parametrize(
    ("name", "billions"),
    [("Qwen/Qwen2.5-0.5B", 0.49), ("Qwen/Qwen3-8B", 8.2), ("meta-llama/Llama-3.2-1B", 1.23),
     ("meta-llama/Llama-3.2-3B", 3.21), ("tiiuae/Falcon3-7B-Instruct", 7.46),
     ("HuggingFaceTB/SmolLM2-135M", 0.135), ("Qwen/Qwen3-30B-A3B", 30.5)],
)  # fmt: skip
def test_shapes_give_the_published_sizes(name: str, billions: float) -> None:
    """Parameters from the shape meet what cards publish, within 2 %."""
    entry = next(entry for entry in shipped() if entry.id == name)
    assert entry.shape is not None
    assert network_from_config(entry.shape).parameters == pytest.approx(billions * 1e9, rel=0.02)


def test_families_publishers_and_kinds_are_many() -> None:
    """Every stage, text, code, vision and thinking, from at least eight publishers."""
    assert {"base", "instruct", "chat"} == {entry.stage for entry in shipped()}
    assert {"text", "code", "vision", "thinking"} == {entry.kind for entry in shipped()}
    assert len(Counter(entry.id.split("/")[0] for entry in shipped())) >= 8


def test_a_wish_is_met_by_every_answer() -> None:
    """Memory, approach, licence, language, task and stage together, as the issue types them."""
    wish = Wish(memory_bytes=24 * 10**9, approach="qlora", licence="commercial", language="zh",
                task="code", stage="base")  # fmt: skip
    choice = choose(wish, entries())
    assert choice.found
    for one in choice.found:
        assert ("base", "code") == (one.entry.stage, one.entry.kind)
        assert one.commercial in ("yes", "conditions")
        assert "zh" in one.entry.languages
        assert one.high_bytes and one.low_bytes and one.low_bytes <= 24 * 10**9
    small = choose(wish.model_copy(update={"memory_bytes": 6 * 10**9}), entries())
    full = choose(wish.model_copy(update={"approach": "full"}), entries())
    names = {one.entry.id for one in choice.found}
    assert {one.entry.id for one in small.found} < names
    assert {one.entry.id for one in full.found} < names


def test_unknown_is_never_fine() -> None:
    """A licence or language that was not read meets no wish; memory unknown is listed apart."""
    commercial = choose(Wish(licence="commercial"), entries()).found
    assert all(one.commercial != "unknown" for one in commercial)
    research = choose(Wish(licence="qwen-research"), entries()).found
    assert {"no"} == {one.commercial for one in research}
    assert all(one.entry.languages for one in choose(Wish(language="en"), entries()).found)
    fitting = choose(Wish(memory_bytes=80 * 10**9), entries())
    assert fitting.unjudged
    assert all(one.fits is None for one in fitting.unjudged)
    assert not {one.entry.id for one in fitting.unjudged} & {o.entry.id for o in fitting.found}


def test_licences_of_the_catalogue_are_known_to_the_table() -> None:
    """Most entries' licences are judged, not 'unknown'."""
    judged = [one.commercial != "unknown" for one in choose(Wish(), entries()).found]
    assert sum(judged) >= 0.85 * len(judged)
    assert licence_table()


@pytest.mark.parametrize(("lang", "told"), [("en", "checkpoints suit"), ("zh", "个检查点中有")])
def test_the_command_in_both_languages(lang, told, capsys) -> None:
    """A table on stdout, exit 0; --sources shows each address."""
    code, out, err = ran(capsys, "--family", "smollm2", "--sources", "--lang", lang)
    assert (0, "") == (code, err)
    assert told in out
    assert "HuggingFaceTB/SmolLM2-135M-Instruct" in out
    assert "https://huggingface.co/HuggingFaceTB/SmolLM2-135M" in out


def test_json_is_the_whole_choice(capsys) -> None:
    """Everything with sources and intervals."""
    _, out, _ = ran(capsys, "--fits", "24GB", "--approach", "lora", "--json")
    found = json.loads(out)
    assert 24_000_000_000 == found["wish"]["memory_bytes"]
    assert all(one["entry"]["sources"] for one in found["found"])


def test_nothing_suits_is_an_answer(capsys) -> None:
    """Exit 0 and what to leave out."""
    code, out, _ = ran(capsys, "--fits", "1GB", "--approach", "full", "--lang", "en")
    assert 0 == code
    assert "Nothing suits all of this" in out


@pytest.mark.parametrize(
    "words",
    [("--task", "music"), ("--stage", "x"), ("--approach", "x"), ("--fits", "much"), ("sing",),
     ("--context", "0"), ("--data", "./none.jsonl")],
)  # fmt: skip
def test_slips_are_sentences(words, capsys) -> None:
    """Exit 2, a sentence, no traceback."""
    code, out, err = ran(capsys, *words)
    assert (2, "") == (code, out)
    assert err and "Traceback" not in err


def test_data_lead_to_their_kind_of_model(tmp_path: Path, capsys) -> None:
    """Images point to vision models, code to coder models, labels to general ones [H1]."""
    pictures = tmp_path / "p.jsonl"
    turns = [{"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "A cat."}]
    row = {"messages": turns, "images": ["a.png"]}
    pictures.write_text("\n".join(json.dumps(row) for _ in range(4)))
    code = tmp_path / "c.jsonl"
    answer = "```python\ndef add(a, b):\n    return a + b\n\nprint(add(1, 2))\n```"
    code.write_text("\n".join(
        json.dumps({"prompt": f"Write add number {n}", "answer": answer.replace("add", f"add{n}")})
        for n in range(6)))  # fmt: skip
    for path, kind in ((pictures, "vision"), (code, "code")):
        _, out, err = ran(capsys, "--data", str(path), "--lang", "en", "--json")
        found = json.loads(out)
        assert kind == found["wish"]["task"], err
        assert {kind} == {one["entry"]["kind"] for one in found["found"]}
    _, out, err = ran(capsys, "--data", "tickets", "--lang", "en", "--json")
    assert json.loads(out)["wish"]["task"] is None
    assert "H1" in err


def test_refresh_offline_is_a_sentence(capsys, own_folder: Path) -> None:
    """Without a network the catalogue stays as it is."""
    code, out, err = ran(capsys, "refresh", "--lang", "en")
    assert (2, "") == (code, out)
    assert "cannot be reached" in err
    assert not refreshed_path().exists()


class FakeHub:
    """A Hub that knows one checkpoint, with another licence and context than the catalogue."""

    def __init__(self, name: str) -> None:
        from forkpoint.errors import BadInput

        if name != "Qwen/Qwen3-8B":
            raise BadInput("facts.hub_unknown", name=name)
        self.revision = "abc123"
        self.hub_tags = ()
        self.sizes: dict[str, int] = {}

    def read(self, file: str) -> bytes | None:
        texts: dict[str, Any] = {
            "README.md": "---\nlicense: mit\n---\n",
            "config.json": json.dumps({
                "model_type": "qwen3", "hidden_size": 4096, "num_hidden_layers": 36,
                "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
                "intermediate_size": 12288, "vocab_size": 151936,
                "max_position_embeddings": 65536, "tie_word_embeddings": False,
            }),
        }  # fmt: skip
        return texts[file].encode() if file in texts else None


def test_refresh_takes_what_the_hub_says_today(monkeypatch, capsys) -> None:
    """New facts replace shipped ones with their address and day; the rest is told and stays."""
    monkeypatch.setattr(refreshing, "HubFiles", FakeHub)
    code, out, _ = ran(capsys, "refresh", "--json")
    assert 0 == code
    found = json.loads(out)
    assert ["Qwen/Qwen3-8B"] == found["updated"]
    assert {"licence", "context_tokens", "shape"} == set(found["changed"]["Qwen/Qwen3-8B"])
    assert len(shipped()) - 1 == len(found["failed"])
    entry = next(entry for entry in entries() if entry.id == "Qwen/Qwen3-8B")
    assert ("mit", 65536, date.today()) == (entry.licence, entry.context_tokens, entry.read)
    assert "https://huggingface.co/Qwen/Qwen3-8B/blob/abc123/README.md" == entry.sources["licence"]
    assert len(shipped()) == len(entries())


def test_a_damaged_refresh_is_named(own_folder: Path) -> None:
    """The file, and what to do."""
    own_folder.mkdir()
    refreshed_path().write_text("[{]")
    with pytest.raises(Unreadable) as caught:
        entries()
    assert str(refreshed_path()) in caught.value.message("zh")


def test_refresh_reads_the_text_part_of_a_vision_model(monkeypatch) -> None:
    """A nested text_config is what is estimated."""
    entry = next(entry for entry in shipped() if entry.id == "google/gemma-3-4b-it")
    inner = {"model_type": "gemma3_text", "hidden_size": 2560, "max_position_embeddings": 131072}
    files = SimpleNamespace(
        revision="r", hub_tags=(),
        read=lambda name: json.dumps({"text_config": inner}).encode()
        if name == "config.json" else None,
    )  # fmt: skip
    newer = refreshing._asked(entry, files, date(2026, 12, 1))  # type: ignore[arg-type]
    assert newer.shape is not None and 2560 == newer.shape["hidden_size"]
    assert entry.licence == newer.licence
