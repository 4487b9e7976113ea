"""Rows that were never trained are told from trained ones by nearness, not by length."""

from pathlib import Path

import numpy as np
import pytest
from made_checkpoint import make_checkpoint, vocabulary, write_arrays

from forkpoint.facts import read_checkpoint
from forkpoint.facts.special_rows import special_rows, untrained

WIDTH = 64


def matrix(seed: int, never_trained: tuple[str, ...], length: float) -> np.ndarray:
    """Rows as training leaves them: unused ones together, used ones apart; all of one length."""
    random = np.random.default_rng(seed)
    ids = vocabulary()
    rows = random.normal(size=(len(ids), WIDTH))
    drift = random.normal(size=WIDTH)
    for name, index in ids.items():
        if "reserved" in name or name in never_trained:
            rows[index] = drift + random.normal(scale=0.2, size=WIDTH)
    return length * rows / np.linalg.norm(rows, axis=1, keepdims=True)


def folder_with(path: Path, **matrices: np.ndarray) -> Path:
    """A checkpoint whose matrices are given."""
    folder = make_checkpoint(path, config={"hidden_size": WIDTH, "tie_word_embeddings": False})
    names = {"embedding": "model.embed_tokens.weight", "output": "lm_head.weight"}
    write_arrays(folder / "model.safetensors", {names[k]: v for k, v in matrices.items()})
    return folder


@pytest.mark.parametrize("length", [0.01, 1.0, 50.0])
def test_untrained_turn_tokens_are_found_whatever_their_length(
    tmp_path: Path, length: float
) -> None:
    """All rows have the same length, and still the two untrained tokens stand out."""
    never = ("<|im_start|>", "<|im_end|>")
    folder = folder_with(tmp_path / "c", embedding=matrix(1, never, length))
    assert set(never) == set(untrained(special_rows(folder)))
    notice = next(n for n in read_checkpoint(str(folder)).notices if n.code == "untrained-rows")
    assert "<|im_start|> <|im_end|>" == notice.values["tokens"]


def test_a_token_that_one_matrix_shows_as_trained_is_trained(tmp_path: Path) -> None:
    """Embedding untouched, output trained: generation can end a turn."""
    never = ("<|im_end|>",)
    folder = folder_with(tmp_path / "c", embedding=matrix(1, never, 1), output=matrix(2, (), 1))
    assert {} == untrained(special_rows(folder))


def test_false_alarms_on_trained_rows_are_rare(tmp_path: Path) -> None:
    """Over 50 matrices and four trained special tokens each, at most 1 % are called untrained."""
    alarms = rows = 0
    for seed in range(50):
        folder = folder_with(tmp_path / str(seed), embedding=matrix(seed, (), 1.0))
        readings = special_rows(folder)
        rows += len(readings)
        alarms += len(untrained(readings))
    assert 200 == rows
    assert alarms <= 2


def test_a_matrix_that_does_not_separate_says_nothing(tmp_path: Path) -> None:
    """Rows left at a random start are near to nothing: the reading is open, not a guess."""
    random = np.random.default_rng(0).normal(size=(len(vocabulary()), WIDTH))
    readings = special_rows(folder_with(tmp_path / "c", embedding=random))
    assert {None} == {row.trained for row in readings}
    assert {} == untrained(readings)


def test_half_precision_rows_are_decoded(tmp_path: Path) -> None:
    """bf16 and fp16 rows give the values that were stored."""
    from forkpoint.facts.checkpoint_files import LocalFiles
    from forkpoint.facts.safetensors_header import TensorPlace
    from forkpoint.facts.special_rows import read_rows

    values = np.array([[1.5, -2.0], [0.25, 3.0], [-8.0, 0.5]], dtype=np.float32)
    files = {"F32": values.tobytes(), "F16": values.astype("<f2").tobytes(),
             "BF16": (values.view(np.uint32) >> 16).astype("<u2").tobytes()}  # fmt: skip
    for dtype, data in files.items():
        (tmp_path / dtype).write_bytes(data)
        place = TensorPlace(dtype, dtype, (3, 2), 0, len(data))
        rows = read_rows(LocalFiles("x", tmp_path), place, [2, 0])
        assert values[[2, 0]].tolist() == rows.tolist()


@pytest.mark.parametrize(
    ("name", "never"),
    [("base", {"<|im_start|>", "<|im_end|>"}), ("instruct", set()), ("chat", set())],
)
def test_the_pocket_family_tells_its_stage_by_its_rows(name: str, never: set[str]) -> None:
    """The turn tokens of the pocket base never occurred; those of its tuned siblings did."""
    facts = read_checkpoint(f"pocket-{name}")
    found = set(untrained(facts.special_rows))
    assert never == found & {"<|im_start|>", "<|im_end|>", "<|endoftext|>"}
    assert name == facts.stage


@pytest.mark.real
def test_gemma_base_has_untrained_turn_tokens(real_checkpoints: Path) -> None:
    """Gemma 3 270M Base: both turn tokens lie among the unused rows, EOS and BOS do not."""
    found = untrained(special_rows(real_checkpoints / "gemma-3-270m-base"))
    assert {"<start_of_turn>", "<end_of_turn>"} <= set(found)
    assert not {"<eos>", "<bos>"} & set(found)
