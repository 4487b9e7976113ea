"""One hash says whether a checkpoint is still the same."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_checkpoint import (
    CHATML,
    make_checkpoint,
    tokenizer_json,
    vocabulary,
    write_arrays,
    write_json,
)

from forkpoint.facts import read_checkpoint


def identity(folder: Path) -> str:
    """The identity of a folder."""
    return read_checkpoint(str(folder)).identity


def change_weights(folder: Path) -> None:
    """The same shapes, other values, as after a step of training."""
    random = np.random.default_rng(1).normal(size=(len(vocabulary()), 16))
    write_arrays(folder / "model.safetensors", {"model.embed_tokens.weight": random})


def change_template(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text(CHATML + " ")


def change_tokenizer(folder: Path) -> None:
    write_json(folder / "tokenizer.json", tokenizer_json(version="1.1"))


@pytest.mark.parametrize("change", [change_weights, change_template, change_tokenizer])
def test_what_makes_the_checkpoint_changes_it(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    """Weights, template and tokenizer each count; twins of one shape are told apart."""
    folder = make_checkpoint(tmp_path / "c")
    zeros = np.zeros((len(vocabulary()), 16))
    write_arrays(folder / "model.safetensors", {"model.embed_tokens.weight": zeros})
    before = identity(folder)
    change(folder)
    assert before != identity(folder)


def test_place_card_and_name_do_not(tmp_path: Path) -> None:
    """A copy elsewhere with another card is the same checkpoint."""
    folder = make_checkpoint(tmp_path / "one-Instruct")
    copy = Path(shutil.copytree(folder, tmp_path / "other-Base"))
    (copy / "README.md").write_text("another card")
    assert identity(folder) == identity(copy)
