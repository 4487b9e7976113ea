"""Whatever JSON stands in a checkpoint's files, there are facts or a sentence, never a bug."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from made_checkpoint import make_checkpoint

from forkpoint.errors import ForkpointError
from forkpoint.facts import read_checkpoint
from forkpoint.report.checkpoint_text import checkpoint_text

FILES = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json")
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1e300, 10**30, "", "x", "\ud800", [], [None], [[]], {}, {"a": {"b": []}},
    ["x", 1], "{{ broken", {"content": 5}, [{"id": "x", "content": None}],
)  # fmt: skip
ROUNDS = 30


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to all values inside a JSON value, without most of the vocabulary."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key in list(value)[:12]:
            found += places(value[key], (*path, key))
    if isinstance(value, list):
        for index in range(min(len(value), 4)):
            found += places(value[index], (*path, index))
    return found


def put(value: Any, path: tuple[Any, ...], odd: Any) -> None:
    """Replace the value at a path."""
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = odd


@pytest.mark.parametrize("seed", range(2))
def test_odd_values_are_no_bugs(tmp_path: Path, seed: int) -> None:
    """One value of one file replaced by something odd, many times over."""
    dice = random.Random(seed)
    card = "---\nlicense: mit\nbase_model: a/b\ntags: [chat]\n---\n# Card\n"
    settings = {
        "text_config": {"hidden_size": 16}, "quantization_config": {"quant_method": "gptq"},
        "num_experts": 4, "num_experts_per_tok": 2, "auto_map": {},
    }  # fmt: skip
    folder = make_checkpoint(
        tmp_path / "c", card=card, config=settings,
        tokenizer_config={"chat_template": "{{ messages }}", "added_tokens_decoder": {}},
    )  # fmt: skip
    texts = {file: (folder / file).read_text() for file in FILES}
    for _ in range(ROUNDS):
        file = dice.choice(FILES)
        value = json.loads(texts[file])
        path, odd = dice.choice(places(value)), dice.choice(ODD)
        put(value, path, odd)
        (folder / file).write_text(json.dumps(value))
        try:
            facts = read_checkpoint(str(folder), allow_code=True)
            assert checkpoint_text(facts, "zh")
            assert facts.to_json()
        except ForkpointError as error:
            assert error.message("zh")
        except Exception as error:
            raise AssertionError(f"{file} {path} = {odd!r}") from error
        (folder / file).write_text(texts[file])


@pytest.mark.parametrize("file", FILES)
def test_half_a_character_is_no_bug(tmp_path: Path, file: str) -> None:
    """A lone surrogate, which no text file can hold, in every value in turn."""
    folder = make_checkpoint(tmp_path / "c")
    text = (folder / file).read_text()
    for path in places(json.loads(text))[:25]:
        value = json.loads(text)
        put(value, path, "\ud800")
        (folder / file).write_text(json.dumps(value))
        try:
            assert read_checkpoint(str(folder)).to_json()
        except ForkpointError as error:
            assert error.message("zh").encode()


@pytest.mark.parametrize(
    "front",
    ["license: [1, 2]", "license: {a: b}", "tags: 5", "tags: {a: 1}", "base_model: [[a]]",
     "- a\n- b", "5", "a: &x [*x]", "license: \"\\ud800\"",
     "base_model: !!python/object:os.system x",
     "license: 2024-01-01",
     "datasets: [1]", "license: \"\\0\""],
)  # fmt: skip
def test_odd_cards_are_no_bugs(tmp_path: Path, front: str) -> None:
    """A front matter of any shape counts as what can be understood of it."""
    folder = make_checkpoint(tmp_path / "c", card=f"---\n{front}\n---\ntext")
    assert checkpoint_text(read_checkpoint(str(folder)), "en")
