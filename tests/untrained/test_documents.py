"""A folder of documents: what is read, what is left out and said, what is refused."""

from pathlib import Path

import pytest

from forkpoint.errors import BadInput
from forkpoint.untrained.documents import (
    PASSAGE_CHARACTERS,
    cut,
    read_documents,
    read_passages,
    write_documents,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Text in two encodings and two folders, beside files that are no text."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "post.md").write_text("# Post\n\nParcels take two days.\n", encoding="utf-8")
    (tmp_path / "deep" / "保修.txt").write_bytes("保修期为两年，从购买之日算起。".encode("gb18030"))
    (tmp_path / "scan.pdf").write_bytes(b"%PDF-1.7 \x00\x01")
    (tmp_path / "broken.txt").write_bytes(b"\x00\x01\x02\x03 nothing a person wrote \xff\xfe\x00")
    (tmp_path / "blank.txt").write_text(" \n")
    (tmp_path / ".hidden.txt").write_text("not for reading")
    (tmp_path / "elsewhere.txt").symlink_to("/etc/hostname")
    return tmp_path


def test_texts_are_read_and_the_others_are_listed_with_the_reason(folder: Path) -> None:
    """Nothing is lost silently; links and hidden files are not followed."""
    found = read_documents(folder)
    assert ["deep/保修.txt", "post.md"] == sorted({passage.file for passage in found.passages})
    assert "保修期为两年" in next(p.text for p in found.passages if p.file.startswith("deep"))
    assert {
        "blank.txt": "untrained.document_blank",
        "broken.txt": "untrained.document_not_text",
        "scan.pdf": "untrained.document_kind",
    } == found.left_out


def test_strict_leaves_nothing_out(folder: Path) -> None:
    """The first file that is no text is named."""
    with pytest.raises(BadInput) as refused:
        read_documents(folder, strict=True)
    assert "untrained.documents_strict" == refused.value.key
    assert "blank.txt" in refused.value.message("en")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("nowhere", "untrained.documents_missing"),
        ("file.txt", "untrained.documents_no_folder"),
        ("empty", "untrained.documents_empty"),
        ("pictures", "untrained.documents_empty"),
    ],
)
def test_a_folder_without_text_is_refused(tmp_path: Path, name: str, key: str) -> None:
    """Missing, no folder, empty, or without a single text: a sentence that says which."""
    (tmp_path / "file.txt").write_text("a text")
    (tmp_path / "empty").mkdir()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(b"\x89PNG")
    with pytest.raises(BadInput) as refused:
        read_documents(tmp_path / name)
    assert key == refused.value.key
    assert name in refused.value.message("zh")


def test_passages_are_short_whole_and_lose_nothing() -> None:
    """Cut at sentences; every word of the document stands in some passage."""
    text = " ".join(f"Sentence number {number} says something." for number in range(200))
    passages = cut(text)
    assert all(len(passage) <= PASSAGE_CHARACTERS for passage in passages)
    assert text.split() == " ".join(passages).split()
    assert all(passage.endswith(".") for passage in passages)


def test_a_long_text_without_blanks_is_cut_all_the_same() -> None:
    """Chinese has no blanks; a run without any stop is cut by length."""
    sentences = cut("每一句话都说一件事情。" * 100)
    assert all(passage.endswith("。") for passage in sentences)
    assert 1500 == sum(map(len, cut("字" * 1500)))


def test_passages_stand_in_the_run_folder(folder: Path, tmp_path: Path) -> None:
    """What was read is kept, so that a resumed race does not read the folder again."""
    found = read_documents(folder)
    run = tmp_path / "run"
    write_documents(run, found.passages)
    assert found.passages == read_passages(run)
    assert () == read_passages(tmp_path / "other")
