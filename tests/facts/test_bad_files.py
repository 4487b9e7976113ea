"""Files that are broken, that lie or that want to run something are refused with a sentence."""

import json
import os
import struct
from pathlib import Path

import pytest
from made_checkpoint import make_checkpoint, write_json, write_safetensors

from forkpoint.errors import BadInput, Unreadable
from forkpoint.facts import read_checkpoint


def key_of(folder: Path, **flags: bool) -> str:
    """The catalogue key of the refusal; its text must exist in both languages."""
    with pytest.raises(BadInput) as caught:
        read_checkpoint(str(folder), **flags)
    assert caught.value.message("en") != caught.value.message("zh")
    return caught.value.key


def raw_header(folder: Path, header: bytes, length: int | None = None, data: int = 0) -> None:
    """Replace the weights by a header of one's choice."""
    prefix = struct.pack("<Q", len(header) if length is None else length)
    (folder / "model.safetensors").write_bytes(prefix + header + b"\0" * data)


def entry(dtype: str, shape: list[int], start: int, end: int) -> bytes:
    """A header with one tensor."""
    tensor = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
    return json.dumps({"w": tensor}).encode()


@pytest.mark.parametrize(
    ("header", "length", "data", "key"),
    [
        (b"", 0, 0, "facts.weights_header"),
        (b"{}", 1 << 60, 0, "facts.weights_absurd"),
        (b"{}", 5_000, 0, "facts.weights_truncated"),
        (b"[1]", None, 0, "facts.weights_header"),
        (b"{not json", None, 0, "facts.weights_header"),
        (b"[" * 100_000, None, 0, "facts.weights_header"),
        (entry("F32", [4], 0, 16), None, 8, "facts.weights_truncated"),
        (entry("F32", [4], 0, 16), None, 20, "facts.weights_surplus"),
        (entry("F32", [4], 0, 12), None, 12, "facts.weights_lie"),
        (entry("F32", [4], 8, 24), None, 24, "facts.weights_lie"),
        (entry("F32", [-4], 0, 16), None, 16, "facts.weights_lie"),
        (entry("F32", [1 << 50], 0, 16), None, 16, "facts.weights_lie"),
        (entry("X9", [4], 0, 16), None, 16, "facts.weights_lie"),
        (entry("F32", [1] * 9, 0, 4), None, 4, "facts.weights_lie"),
    ],
)
def test_a_header_that_is_cut_off_or_lies_is_refused(
    tmp_path: Path, header: bytes, length: int | None, data: int, key: str
) -> None:
    """Truncated, contradictory and absurd headers each have their own sentence."""
    folder = make_checkpoint(tmp_path / "c")
    raw_header(folder, header, length, data)
    assert key == key_of(folder)


def test_a_file_shorter_than_its_length_field_is_refused(tmp_path: Path) -> None:
    """Seven bytes are no safetensors file."""
    folder = make_checkpoint(tmp_path / "c")
    (folder / "model.safetensors").write_bytes(b"\0" * 7)
    assert "facts.weights_truncated" == key_of(folder)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    """An index whose files are not all there says how many are missing."""
    folder = make_checkpoint(tmp_path / "c")
    (folder / "model.safetensors").unlink()
    write_safetensors(folder / "model-00001-of-00002.safetensors", {"a": ("F32", (2,))})
    files = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    write_json(
        folder / "model.safetensors.index.json", {"weight_map": dict(zip("ab", files, strict=True))}
    )
    with pytest.raises(Unreadable) as caught:
        read_checkpoint(str(folder))
    assert ("facts.shards_missing", 1) == (caught.value.key, caught.value.values["count"])
    assert files[1] in caught.value.message("en")


def test_an_index_cannot_point_outside_the_folder(tmp_path: Path) -> None:
    """A shard named with a path is not among the folder's files, so it is not opened."""
    folder = make_checkpoint(tmp_path / "c")
    (folder / "model.safetensors").rename(tmp_path / "outside.safetensors")
    write_json(folder / "model.safetensors.index.json",
               {"weight_map": {"a": "../outside.safetensors"}})  # fmt: skip
    assert "no-weights" in {notice.code for notice in read_checkpoint(str(folder)).notices}


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    """A link that leads to itself is a sentence, not a hang."""
    folder = make_checkpoint(tmp_path / "c")
    (folder / "a.json").symlink_to(folder / "b.json")
    (folder / "b.json").symlink_to(folder / "a.json")
    assert "facts.file_unreadable" == key_of(folder)
    (tmp_path / "round").symlink_to(tmp_path / "round")
    assert "facts.file_unreadable" == key_of(tmp_path / "round")


def test_a_pipe_is_never_opened(tmp_path: Path) -> None:
    """A named pipe in place of a file would wait for ever; it counts as absent."""
    folder = make_checkpoint(tmp_path / "c")
    (folder / "model.safetensors").unlink()
    os.mkfifo(folder / "model.safetensors")
    assert "no-weights" in {notice.code for notice in read_checkpoint(str(folder)).notices}


@pytest.mark.parametrize(
    "file", ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"]
)
@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b'{"a": 1', b"", b"[" * 100_000])
def test_broken_json_is_named(tmp_path: Path, file: str, content: bytes) -> None:
    """A damaged file is named."""
    folder = make_checkpoint(tmp_path / "c")
    (folder / file).write_bytes(content)
    with pytest.raises(Unreadable) as caught:
        read_checkpoint(str(folder))
    assert ("facts.bad_json", file) == (caught.value.key, caught.value.values["file"])


def test_a_small_file_that_is_huge_is_not_read(tmp_path: Path) -> None:
    """config.json of 100 GB is refused before it is read."""
    folder = make_checkpoint(tmp_path / "c")
    with (folder / "config.json").open("r+b") as file:
        file.truncate(100_000_000_000)
    assert "facts.file_too_large" == key_of(folder)


def test_pickles_are_refused_unless_a_flag_says_otherwise(tmp_path: Path) -> None:
    """Weights that are only there as a pickle need --allow-pickle, and a notice stays."""
    folder = make_checkpoint(tmp_path / "c")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "facts.pickle" == key_of(folder)
    allowed = read_checkpoint(str(folder), allow_pickle=True)
    assert "pickle-allowed" in {notice.code for notice in allowed.notices}


def test_pickles_beside_safetensors_do_no_harm(tmp_path: Path) -> None:
    """A pickle that is not used is mentioned; a trainer's own state is not."""
    folder = make_checkpoint(tmp_path / "c")
    (folder / "training_args.bin").write_bytes(b"x")
    assert "pickle-beside" not in {n.code for n in read_checkpoint(str(folder)).notices}
    (folder / "pytorch_model.bin").write_bytes(b"x")
    assert "pickle-beside" in {n.code for n in read_checkpoint(str(folder)).notices}


def test_code_is_refused_unless_a_flag_says_otherwise(tmp_path: Path) -> None:
    """`auto_map` means that loading runs the checkpoint's own Python."""
    folder = make_checkpoint(tmp_path / "c", config={"auto_map": {"AutoModel": "m.M"}})
    (folder / "m.py").write_text("raise SystemExit('never run')")
    assert "facts.code" == key_of(folder)
    allowed = read_checkpoint(str(folder), allow_code=True)
    assert "code-allowed" in {notice.code for notice in allowed.notices}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("./nothing-here", "facts.not_found"),
        ("/no/such/folder", "facts.not_found"),
        ("a/b/c", "facts.not_found"),
        ("..", "facts.no_checkpoint"),
        ("a\0b", "facts.file_unreadable"),
        ("some-owner/some-name", "facts.no_network"),
    ],
)
def test_a_name_that_leads_nowhere(
    name: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each way of missing a checkpoint says what to do instead."""
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    assert key == key_of(Path(name) if name == ".." else name)  # type: ignore[arg-type]


def test_a_weights_file_alone_points_to_its_folder(tmp_path: Path) -> None:
    """A safetensors file is not a checkpoint; its folder is."""
    folder = make_checkpoint(tmp_path / "c")
    assert "facts.give_folder" == key_of(folder / "model.safetensors")


def test_an_empty_folder_is_no_checkpoint(tmp_path: Path) -> None:
    """No configuration, no checkpoint."""
    assert "facts.no_checkpoint" == key_of(tmp_path)
