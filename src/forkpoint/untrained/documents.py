"""A folder of text and markdown files as passages to retrieve from."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from forkpoint.data.encoding import encoding_of_bytes
from forkpoint.errors import BadInput
from forkpoint.ledger import write_whole
from forkpoint.record import Record

SUFFIXES = frozenset({".txt", ".md", ".markdown", ".text", ".rst"})
PASSAGE_CHARACTERS = 600  # about 120 English words: three of them leave room for a question
ENDS = ("。", "！", "？", ". ", "! ", "? ", "\n")  # of sentences and lines
MOST_BYTES = 200_000_000  # of one file; more is no text that a person wrote
DOCUMENTS = "documents.jsonl"


class Passage(Record):
    """A stretch of a document."""

    id: str  # first 16 hex digits of the SHA-256 of its text
    file: str  # relative to the folder
    text: str


class Documents(Record):
    """What was read of a folder, and what was not."""

    folder: str
    files: int
    passages: tuple[Passage, ...]
    left_out: dict[str, str]  # file -> catalogue key of the reason


def read_documents(folder: str | Path, strict: bool = False) -> Documents:
    """All text files of a folder and the folders in it, cut into passages.

    Files that are no text are left out and listed; `strict` refuses them. Raises BadInput for a
    folder that is missing, is no folder, or holds no text.
    """
    root = Path(folder)
    if not root.exists():
        raise BadInput("untrained.documents_missing", folder=root)
    if not root.is_dir():
        raise BadInput("untrained.documents_no_folder", folder=root)
    passages: dict[str, Passage] = {}
    left_out: dict[str, str] = {}
    files = 0
    for path in sorted(_files(root)):
        name = path.relative_to(root).as_posix()
        text = _text(path)
        if text is None or not text.strip():
            left_out[name] = _why(path, text)
            continue
        files += 1
        for piece in cut(text):
            digest = hashlib.sha256(piece.encode("utf-8", "replace")).hexdigest()[:16]
            passages.setdefault(digest, Passage(id=digest, file=name, text=piece))
    if left_out and strict:
        name = next(iter(left_out))
        raise BadInput("untrained.documents_strict", file=root / name, files=len(left_out))
    if not passages:
        raise BadInput("untrained.documents_empty", folder=root, files=len(left_out))
    return Documents(
        folder=str(root), files=files, passages=tuple(passages.values()), left_out=left_out
    )


def _files(root: Path) -> Iterator[Path]:
    """Every visible file, links left aside: they may lead out of the folder."""
    for path in root.rglob("*"):
        visible = not any(part.startswith(".") for part in path.relative_to(root).parts)
        if visible and path.is_file() and not path.is_symlink():
            yield path


def _text(path: Path) -> str | None:
    """A file's text; None where its name or its bytes say that it holds none."""
    if path.suffix.lower() not in SUFFIXES or path.stat().st_size > MOST_BYTES:
        return None
    content = path.read_bytes()
    encoding = encoding_of_bytes(content)
    try:
        text = content.decode(encoding.codec)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _why(path: Path, text: str | None) -> str:
    if text is not None:
        return "untrained.document_blank"
    known = path.suffix.lower() in SUFFIXES
    return "untrained.document_not_text" if known else "untrained.document_kind"


def cut(text: str, most: int = PASSAGE_CHARACTERS) -> list[str]:
    """A text in passages of at most `most` characters, paragraphs whole where they fit.

    A passage after a markdown heading begins with that heading, so that it says what it is about.

    >>> cut("# Refunds\\n\\nWithin 14 days.\\n\\n# Post\\n\\nTwo days.", 30)
    ['# Refunds\\nWithin 14 days.', '# Post\\nTwo days.']
    """
    passages: list[str] = []
    heading, held = "", ""
    for paragraph in (part.strip() for part in text.replace("\r\n", "\n").split("\n\n")):
        first = paragraph.partition("\n")[0]
        if first.startswith("#"):
            passages += [held] if held else []
            heading, held = first, ""
            paragraph = paragraph.partition("\n")[2].strip()
        for piece in _pieces(paragraph, max(1, most - len(heading) - 1)):
            joined = f"{held}\n{piece}"
            if held and len(joined) <= most:
                held = joined
                continue
            passages += [held] if held else []
            held = f"{heading}\n{piece}" if heading else piece
    return [*passages, held] if held else passages


def _pieces(paragraph: str, most: int) -> Iterator[str]:
    """A paragraph in pieces, cut at the last end of a sentence or blank that fits."""
    while len(paragraph) > most:
        window = paragraph[:most]
        ends = [
            window.rfind(mark) + len(mark) for mark in ("。", "！", "？", ". ", "! ", "? ", "\n")
        ]
        at = max(end for end in (*ends, 0))
        at = at if at > most // 3 else window.rfind(" ") + 1
        at = at if at > most // 3 else most
        yield paragraph[:at].strip()
        paragraph = paragraph[at:].strip()
    if paragraph:
        yield paragraph


def write_documents(folder: Path, passages: Sequence[Passage]) -> None:
    """Keep the passages in a run folder, so that it stands alone."""
    lines = [passage.to_json().encode() for passage in passages]
    write_whole(folder / DOCUMENTS, b"\n".join(lines) + b"\n")


def read_passages(folder: Path) -> tuple[Passage, ...]:
    """The passages of a run folder; none where the race has no documents."""
    path = folder / DOCUMENTS
    if not path.exists():
        return ()
    return tuple(Passage(**orjson.loads(line)) for line in path.read_bytes().splitlines())
