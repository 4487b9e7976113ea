"""What approaches need beside rows: raw text in pieces, a verified twin, preferences."""

import json
import shutil
from pathlib import Path

import pytest

from forkpoint import facts
from forkpoint.data import load, split
from forkpoint.data.splits import Splits
from forkpoint.errors import BadInput
from forkpoint.facts.checkpoint_facts import CheckpointFacts
from forkpoint.race.corpus import pieces, read_corpus
from forkpoint.race.needs import meet_needs
from forkpoint.race.request import RaceRequest
from forkpoint.race.twins import find_twins, mismatch

HELD = "Which department answers a question about a parcel that came back twice?"


@pytest.fixture(scope="module")
def pocket() -> dict[str, CheckpointFacts]:
    """The pocket family's checkpoints."""
    return {name: facts.read_checkpoint(name) for name in ("pocket-base", "pocket-instruct")}


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> Splits:
    """Forty rows; the held-out ones all ask `HELD` with a number."""
    file = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    rows = [{"prompt": f"{HELD} Case {'abcdefghij'[n % 10] * (n + 3)}", "completion": f"answer {n}"}
            for n in range(40)]  # fmt: skip
    file.write_text("\n".join(json.dumps(row) for row in rows))
    return split(load(file).rows, seed=0)


def request(**changes: object) -> RaceRequest:
    """A race of both pocket checkpoints."""
    return RaceRequest.model_validate(
        {"data": "rows.jsonl", "models": ("pocket-base", "pocket-instruct"), **changes}
    )


def test_pieces_lose_nothing_and_fit() -> None:
    """Every word stands in one piece, in order; a paragraph is kept whole where it fits."""
    text = "\n\n".join(f"Paragraph {n} says something. 第{n}段说了一句话。" * 3 for n in range(20))
    found = list(pieces(text, 400))
    assert "".join(text.split()) == "".join("".join(found).split())
    assert max(len(piece.encode()) for piece in found) <= 400
    assert list(pieces("字" * 10, 9)) == ["字" * 3] * 3 + ["字"]
    assert list(pieces("  \n ", 9)) == []


def test_text_that_holds_a_held_out_prompt_is_left_out(splits: Splits, tmp_path: Path) -> None:
    """What the test asks is not read beforehand; the number of pieces left out is told."""
    told = splits.test[0].prompt[-1].content
    rows = [{"text": "A quiet text about parcels."}, {"text": f"Seen before: {told.upper()} Yes."}]
    file = tmp_path / "corpus.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))
    found, left_out = read_corpus(str(file), splits, 512)
    assert ["A quiet text about parcels."] == [row.text for row in found]
    assert 1 == left_out


def test_an_empty_or_unreadable_corpus_is_said(splits: Splits, tmp_path: Path) -> None:
    """Empty, missing, not text: one sentence each."""
    (tmp_path / "empty.txt").write_text("\n \n")
    (tmp_path / "bytes.txt").write_bytes(b"abc\xff\xfe")
    told = {"empty.txt": "no raw text", "bytes.txt": "byte 3", "no.txt": "No such"}
    for name, words in told.items():
        with pytest.raises(BadInput, match=words):
            read_corpus(str(tmp_path / name), splits, 512)


def test_the_base_that_the_card_names_is_the_twin(pocket: dict[str, CheckpointFacts]) -> None:
    """Found among the models by base_model; the Base itself has none."""
    found = find_twins(pocket, ())
    assert {"pocket-instruct": "pocket-base"} == {k: v.name for k, v in found.items()}
    alone = {"pocket-instruct": pocket["pocket-instruct"]}
    assert {} == find_twins(alone, ())
    assert ["pocket-instruct"] == list(find_twins(alone, ("pocket-base",)))


def test_a_twin_of_other_shapes_or_tokens_is_refused(
    pocket: dict[str, CheckpointFacts], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    """The sentence names the tensors or tokens that differ, and the same weights are no twin."""
    with pytest.raises(BadInput, match=r"embed_tokens.weight \(2048, 128\) / \("):
        find_twins(pocket, (str(tiny_checkpoint),))
    other = tmp_path / "other"
    shutil.copytree(str(pocket["pocket-base"].path), other)
    tokens = json.loads((other / "tokenizer.json").read_text())
    vocabulary = tokens["model"]["vocab"]
    first, second = [name for name in vocabulary if name.isalpha()][:2]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]
    (other / "tokenizer.json").write_text(json.dumps(tokens))
    found = mismatch(pocket["pocket-instruct"], facts.read_checkpoint(str(other)))
    assert found is not None and "tokenizer.json" in found
    with pytest.raises(BadInput, match="twin"):
        find_twins({"pocket-base": pocket["pocket-base"]}, ("pocket-base",))


def test_what_is_missing_is_said_before_anything_runs(
    pocket: dict[str, CheckpointFacts], splits: Splits
) -> None:
    """No preferences, no corpus, no twin, and things given that nothing reads."""
    for asked, words in (
        ({"approaches": ("dpo",)}, "rejected"),
        ({"approaches": ("cpt",)}, "--corpus"),
        ({"approaches": ("full",), "corpus": "x.txt"}, "--approach cpt"),
        ({"approaches": ("full",), "twins": ("pocket-base",)}, "--approach delta"),
    ):
        with pytest.raises(BadInput, match=words):
            meet_needs(request(**asked), pocket, splits, 512)
    base = {"pocket-base": pocket["pocket-base"]}
    with pytest.raises(BadInput, match="--twin"):
        meet_needs(request(approaches=("delta",)), base, splits, 512)


def test_an_arm_without_its_twin_is_listed(
    pocket: dict[str, CheckpointFacts], splits: Splits
) -> None:
    """The Base races in the other approaches and is said to have no delta."""
    needs = meet_needs(request(approaches=("full", "delta-full")), pocket, splits, 512)
    assert ("full",) == needs.approaches["pocket-base"]
    assert ("full", "delta-full") == needs.approaches["pocket-instruct"]
    assert ["pocket-base.delta-full"] == [arm.name for arm in needs.unmet]
