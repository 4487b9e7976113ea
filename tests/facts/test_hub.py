"""A Hub id: the cache first, then metadata, small files and ranges of the weights, nothing more."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import huggingface_hub.constants
import huggingface_hub.errors
import huggingface_hub.utils
import pytest
from made_checkpoint import make_checkpoint

from forkpoint.errors import BadInput
from forkpoint.facts import read_checkpoint

NAME = "acme/made-1B-Instruct"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def put_into_cache(cache: Path, source: Path, *, weights: bool) -> None:
    """Lay a folder out as the Hub's client does."""
    repository = cache / ("models--" + NAME.replace("/", "--"))
    snapshot = repository / "snapshots" / COMMIT
    shutil.copytree(source, snapshot)
    if not weights:
        (snapshot / "model.safetensors").unlink()
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the Hub's client."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    return folder


class FakeHub:
    """A Hub that serves one folder and counts the bytes it hands out."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.range_bytes = 0
        self.downloaded: list[str] = []
        monkeypatch.setattr(huggingface_hub, "HfApi", lambda: self)
        monkeypatch.setattr(huggingface_hub, "hf_hub_download", self.download)
        monkeypatch.setattr(huggingface_hub, "hf_hub_url", lambda name, file, revision: file)
        monkeypatch.setattr(huggingface_hub.utils, "get_session", lambda: self)
        monkeypatch.setattr(huggingface_hub.utils, "hf_raise_for_status", lambda answer: None)

    def model_info(self, name: str, **_: Any) -> Any:
        files = [
            SimpleNamespace(rfilename=path.name, size=path.stat().st_size)
            for path in self.folder.iterdir()
        ]
        tags = ["conversational", "base_model:finetune:acme/made-1B"]
        return SimpleNamespace(sha=COMMIT, tags=tags, siblings=files)

    def download(self, name: str, file: str, revision: str) -> str:
        assert COMMIT == revision
        self.downloaded.append(file)
        return str(self.folder / file)

    def get(self, url: str, headers: dict[str, str], timeout: float) -> Any:
        first, last = map(int, headers["range"].removeprefix("bytes=").split("-"))
        content = (self.folder / url).read_bytes()[first : last + 1]
        self.range_bytes += len(content)
        return SimpleNamespace(status_code=206, content=content)


def test_a_whole_snapshot_in_the_cache_needs_no_network(tmp_path: Path, cache: Path) -> None:
    """The facts come from the snapshot, the revision is its commit."""
    put_into_cache(cache, make_checkpoint(tmp_path / "made"), weights=True)
    facts = read_checkpoint(NAME)
    assert (COMMIT, "instruct") == (facts.revision, facts.stage)
    assert facts.path is not None
    assert facts.shape.parameters


def test_a_folder_of_the_cache_is_known_by_its_name(tmp_path: Path, cache: Path) -> None:
    """A snapshot's own folder is called after a commit; the name stands two folders above."""
    put_into_cache(cache, make_checkpoint(tmp_path / "made"), weights=True)
    [snapshot] = cache.glob("*/snapshots/*")
    evidence = read_checkpoint(str(snapshot)).sold_as.evidence
    assert ("name", "instruct") in {(item.signal, item.found) for item in evidence}


def test_a_snapshot_without_weights_is_used_when_there_is_no_network(
    tmp_path: Path, cache: Path
) -> None:
    """Half a snapshot is better than nothing, and it is said that weights are missing."""
    put_into_cache(cache, make_checkpoint(tmp_path / "made"), weights=False)
    facts = read_checkpoint(NAME)
    assert facts.shape.parameters is None
    assert "no-weights" in {notice.code for notice in facts.notices}


def test_only_small_files_and_headers_are_fetched(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the Hub the same shape is read as from the folder, without the weights themselves."""
    folder = make_checkpoint(
        tmp_path / "made",
        tensors={"model.embed_tokens.weight": ("BF16", (616, 4096))},
        config={"hidden_size": 4096},
    )
    hub = FakeHub(folder, monkeypatch)
    facts = read_checkpoint(NAME)
    assert read_checkpoint(str(folder)).shape == facts.shape
    assert (None, COMMIT, "finetune") == (facts.path, facts.revision, facts.relation)
    assert "model.safetensors" not in hub.downloaded
    assert hub.range_bytes < 10_000


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (OSError("no route"), "facts.no_network"),
        (huggingface_hub.errors.HFValidationError("bad"), "facts.hub_unknown"),
        (huggingface_hub.errors.OfflineModeIsEnabled("off"), "facts.no_network"),
    ],
)
def test_a_hub_that_does_not_answer_is_a_sentence(
    error: Exception, key: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the client raises, the user reads what to do."""

    def fail(*_: Any, **__: Any) -> None:
        raise error

    hub = FakeHub(tmp_path, monkeypatch)
    monkeypatch.setattr(hub, "model_info", fail, raising=False)
    with pytest.raises(BadInput) as caught:
        read_checkpoint(NAME)
    assert key == caught.value.key
    assert NAME in caught.value.message("zh")
