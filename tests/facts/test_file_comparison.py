"""Two copies of one checkpoint are compared file by file: a re-upload can be mended [A13]."""

import json
import shutil
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

from forkpoint.cli import main
from forkpoint.facts.file_comparison import FileComparison, compare_files


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A checkpoint with random weights, and its copy."""
    first = make_checkpoint(tmp_path / "one", pad=None)
    random = np.random.default_rng(0)
    arrays = {
        "model.embed_tokens.weight": random.normal(size=(len(vocabulary()), 16)),
        "model.layers.0.mlp.up_proj.weight": random.normal(size=(32, 16)),
    }
    write_arrays(first / "model.safetensors", arrays)
    return first, Path(shutil.copytree(first, tmp_path / "two"))


def compared(pair: tuple[Path, Path]) -> FileComparison:
    """The comparison of a pair."""
    return compare_files(str(pair[0]), str(pair[1]))


def test_a_copy_is_the_same(pair: tuple[Path, Path]) -> None:
    """Nothing differs; another card and another saving program change nothing."""
    (pair[1] / "README.md").write_text("a card of its own")
    config = json.loads((pair[1] / "config.json").read_text())
    write_json(pair[1] / "config.json", {**config, "transformers_version": "9"})
    found = compared(pair)
    assert found.same
    assert ("same", True) == (found.weights, found.template_equal)
    assert {"only_second"} == {one.state for one in found.files if one.file == "README.md"}


def test_a_mended_template_is_shown(pair: tuple[Path, Path]) -> None:
    """The lines that differ stand there with - and +."""
    (pair[1] / "chat_template.jinja").write_text(CHATML.replace("assistant\n", "assistant"))
    found = compared(pair)
    assert not found.same and not found.template_equal
    assert [True, True] == [any(line.startswith(mark) for line in found.template) for mark in "-+"]
    assert "same" == found.weights


def test_a_moved_padding_token_is_a_setting(pair: tuple[Path, Path]) -> None:
    """The field, before and after."""
    settings = json.loads((pair[1] / "tokenizer_config.json").read_text())
    write_json(pair[1] / "tokenizer_config.json", {**settings, "pad_token": "<|pad|>"})
    found = compared(pair)
    change = next(one for one in found.changes if one.field == "pad_token")
    assert ("null", '"<|pad|>"', False) == (change.first, change.second, change.noise)
    assert not found.same


def test_other_tokens_are_named(pair: tuple[Path, Path]) -> None:
    """A token that only one side has, and one that moved."""
    changed = tokenizer_json()
    changed["model"]["vocab"]["fresh"] = 9_999
    changed["model"]["vocab"]["word3"] = 10_000
    write_json(pair[1] / "tokenizer.json", changed)
    found = compared(pair)
    assert found.tokens is not None
    assert (("fresh",), ("word3",)) == (found.tokens.only_second, found.tokens.moved)


def test_other_weights_are_another_checkpoint(pair: tuple[Path, Path]) -> None:
    """Same shapes, other values: named tensor by tensor."""
    with (pair[1] / "model.safetensors").open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\x00\x00\x80\x3f")
    found = compared(pair)
    assert "differ" == found.weights
    assert 1 == len(found.tensors_different)


def test_another_split_into_shards_is_no_difference(pair: tuple[Path, Path]) -> None:
    """Tensors are compared by name, not by file."""
    from safetensors.numpy import load_file, save_file

    arrays = load_file(pair[1] / "model.safetensors")
    (pair[1] / "model.safetensors").unlink()
    weight_map = {}
    for number, (name, array) in enumerate(sorted(arrays.items()), 1):
        file = f"model-{number:05}-of-00002.safetensors"
        save_file({name: array}, pair[1] / file)
        weight_map[name] = file
    write_json(pair[1] / "model.safetensors.index.json", {"weight_map": weight_map})
    found = compared(pair)
    assert ("same", True) == (found.weights, found.same)


def test_a_quantised_copy_has_other_tensors(pair: tuple[Path, Path]) -> None:
    """Types and shapes are looked at before the data."""
    from safetensors.numpy import save_file

    save_file({"model.embed_tokens.qweight": np.zeros((4, 4), dtype=np.int32)},
              pair[1] / "model.safetensors")  # fmt: skip
    assert "other_tensors" == compared(pair).weights


@pytest.mark.parametrize(("lang", "told"), [("en", "Chat template: different"),
                                            ("zh", "对话模板：不同")])  # fmt: skip
def test_the_command_says_it_in_both_languages(
    pair: tuple[Path, Path], lang: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`forkpoint compare --files A B`, without loading anything; --json is the record."""
    (pair[1] / "chat_template.jinja").write_text(CHATML + "\x1b[2J")
    words = ["compare", "--files", *map(str, pair), "--lang", lang]
    with pytest.raises(SystemExit):
        main(words)
    out = capsys.readouterr().out
    assert told in out and "\x1b" not in out
    with pytest.raises(SystemExit):
        main([*words, "--json"])
    assert not FileComparison.from_json(capsys.readouterr().out).same
