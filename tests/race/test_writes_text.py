"""A race starts from checkpoints that write text; others are refused before anything is planned."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from forkpoint.errors import BadInput
from forkpoint.pocket import checkpoint_path
from forkpoint.race.checkpoints import read_checkpoints
from forkpoint.race.request import RaceRequest

sys.path.insert(0, str(Path(__file__).parents[1] / "facts"))
from test_gguf import make_gguf


def changed(folder: Path, **config: object) -> str:
    """A copy of pocket-instruct with another config.json."""
    shutil.copytree(checkpoint_path("pocket-instruct"), folder)
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    return str(folder)


def refusal(name: str) -> str:
    """The catalogue key; the sentence names the checkpoint in both languages."""
    with pytest.raises(BadInput) as caught:
        read_checkpoints(RaceRequest(data="tickets", models=(name, "pocket-base")))
    assert all(name in caught.value.message(lang) for lang in ("en", "zh"))
    return caught.value.key


@pytest.mark.parametrize(
    "config",
    [
        {"architectures": ["LlamaForSequenceClassification"], "id2label": {"0": "LABEL_0"}},
        {"architectures": ["LlamaForSequenceClassification"],
         "id2label": {"0": "negative", "1": "positive"}},
        {"architectures": ["LlamaBidirectionalModel"]},
    ],
)  # fmt: skip
def test_a_network_that_writes_no_text_is_refused(
    tmp_path: Path, config: dict[str, object]
) -> None:
    """Scores, classes and vectors: its head would be lost, and one made of noise be trained."""
    assert "race.writes_no_text" == refusal(changed(tmp_path / "thing", **config))


def test_a_gguf_file_is_refused(tmp_path: Path) -> None:
    """By its form, before its tokenizer is looked for."""
    assert "race.starts_from_gguf" == refusal(str(make_gguf(tmp_path / "Tiny-Q4_K_M.gguf")))


def test_a_name_alone_refuses_nothing(tmp_path: Path) -> None:
    """A text model whose folder is called like an embedding or reward model may race."""
    for title in ("our-embedding-run", "reward-texts"):
        request = RaceRequest(data="tickets", models=(changed(tmp_path / title), "pocket-base"))
        assert {title, "pocket-base"} == set(read_checkpoints(request))
