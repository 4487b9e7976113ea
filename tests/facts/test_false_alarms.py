"""Trained rows are not called untrained: looked up on every real checkpoint at hand."""

import json
from collections import Counter
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from forkpoint.facts.checkpoint_files import LocalFiles
from forkpoint.facts.reading import read_files
from forkpoint.facts.special_rows import EMBEDDING, _matrix_rows, never_used_ids
from forkpoint.pocket import CHECKPOINTS, checkpoint_path, general_set_path

SEEN = 3  # times in ordinary prose; a token so common was trained in any large pre-training
SEEN_IN_POCKET = 20  # times in the family's questions, whose wordings are partly kept back
MOST_ALARMS = 0.01  # share of trained rows that may be called untrained
ROOT = Path(__file__).parents[2]


def alarms(folder: Path, text: str, seen: int) -> tuple[int, int]:
    """How many tokens of a text are called untrained, of how many that were told at all."""
    files = LocalFiles(str(folder), folder)
    reading = read_files(files)
    place = next(p for name, p in reading.tensors.items() if EMBEDDING.search(name))
    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text).ids
    apart = {token.id for token in reading.tokenizer.added}
    apart |= set(never_used_ids(reading.tokenizer, place.shape[0]))
    by_id = reading.tokenizer.by_id
    asked = {
        by_id[index]: index
        for index, count in Counter(ids).items()
        if count >= seen and index not in apart and index in by_id
    }
    told = [
        row for row in _matrix_rows("embedding", place, reading.tokenizer, asked, files)
        if row.trained is not None
    ]  # fmt: skip
    return sum(row.trained is False for row in told), len(told)


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_pocket_rows_raise_no_alarm(name: str) -> None:
    """Tokens of the family's own world: at most one in a hundred."""
    rows = [json.loads(line) for line in general_set_path().read_text("utf-8").splitlines()]
    text = "\n".join(turn["content"] for row in rows for turn in row["messages"])
    false, told = alarms(Path(checkpoint_path(name)), text, SEEN_IN_POCKET)
    assert told >= 150
    assert false <= MOST_ALARMS * told


@pytest.mark.real
@pytest.mark.parametrize("name", ["gemma-3-270m-base", "SmolLM2-135M-Instruct"])
def test_real_rows_raise_no_alarm(real_checkpoints: Path, name: str) -> None:
    """Tokens of our own English documents: at most one in a hundred."""
    text = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("*.md")))
    false, told = alarms(real_checkpoints / name, text, SEEN)
    assert told == 0 or told >= 200
    assert false <= MOST_ALARMS * max(told, 1)
