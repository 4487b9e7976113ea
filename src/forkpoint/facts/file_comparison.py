"""Two copies of a checkpoint, file by file: a re-upload can carry a mended template [A13]."""

import difflib
import hashlib
import json
from collections.abc import Iterator
from typing import Any, Literal

from forkpoint.facts.checkpoint_files import SMALL_FILE_LIMIT_BYTES, CheckpointFiles, locate
from forkpoint.facts.clean_text import clean
from forkpoint.facts.reading import Reading, read_files
from forkpoint.facts.safetensors_header import TensorPlace
from forkpoint.record import Record

SAMPLED_TENSORS = 200  # of the weights; training changes all of them, so a part tells
SAMPLE_BYTES = 4_096  # from the middle of each
HASHED_WHOLE_BYTES = 64_000_000  # weights up to this size are read whole
DIFF_LINES = 80  # of the templates' difference
VALUE_CHARACTERS = 160  # of a setting that is shown
COMPARED = (
    "config.json", "generation_config.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "adapter_config.json",
)  # fmt: skip
NOISE = frozenset({"transformers_version", "_name_or_path", "_model_name_or_path"})

State = Literal["same", "differs", "only_first", "only_second"]
Weights = Literal["same", "same_sampled", "differ", "other_tensors", "none"]


class FilePair(Record):
    """One file name in both places."""

    file: str
    state: State
    first_bytes: int | None
    second_bytes: int | None


class Change(Record):
    """One setting that differs; None where it is absent."""

    file: str
    field: str
    first: str | None
    second: str | None
    noise: bool  # written by every program that saves; changes nothing


class TokenChange(Record):
    """How the vocabularies differ."""

    first_tokens: int
    second_tokens: int
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    moved: tuple[str, ...]  # the same token under another id


class FileComparison(Record):
    """Everything in which two checkpoints' files differ."""

    first: str
    second: str
    files: tuple[FilePair, ...]
    changes: tuple[Change, ...]
    tokens: TokenChange | None  # None when neither vocabulary can be read
    template: tuple[str, ...]  # unified difference, empty when equal
    template_equal: bool
    weights: Weights
    tensors_compared: int
    tensors_different: tuple[str, ...]  # the first of them
    same: bool  # nothing differs that a run depends on


def compare_files(first: str, second: str) -> FileComparison:
    """Compare two checkpoints without loading either; raises what reading one would raise."""
    files = (locate(first), locate(second))
    readings = (read_files(files[0]), read_files(files[1]))
    pairs = tuple(_pairs(*files, *readings))
    changes = tuple(_changes(*files))
    tokens = _tokens(*readings)
    texts = [reading.template_text or "" for reading in readings]
    weights, compared, different = _weights(files, readings)
    moved = tokens is not None and bool(tokens.only_first or tokens.only_second or tokens.moved)
    settings = any(not change.noise for change in changes)
    return FileComparison(
        first=first,
        second=second,
        files=pairs,
        changes=changes,
        tokens=tokens,
        template=tuple(_template_lines(*texts)),
        template_equal=texts[0] == texts[1],
        weights=weights,
        tensors_compared=compared,
        tensors_different=different,
        same=texts[0] == texts[1]
        and not moved
        and not settings
        and weights in ("same", "same_sampled", "none"),
    )


def _pairs(
    first: CheckpointFiles, second: CheckpointFiles, one: Reading, other: Reading
) -> Iterator[FilePair]:
    for name in sorted({*first.sizes, *second.sizes}):
        sizes = (first.sizes.get(name), second.sizes.get(name))
        if sizes[1] is None:
            state: State = "only_first"
        elif sizes[0] is None:
            state = "only_second"
        elif sizes[0] != sizes[1]:
            state = "differs"
        else:
            state = "same" if _equal(name, first, second, one, other) else "differs"
        yield FilePair(file=name, state=state, first_bytes=sizes[0], second_bytes=sizes[1])


def _equal(
    name: str, first: CheckpointFiles, second: CheckpointFiles, one: Reading, other: Reading
) -> bool:
    """By hash where a file is small, by header and samples where it is not."""
    key = f"{name} (header)"
    if key in one.hashes and first.sizes[name] > HASHED_WHOLE_BYTES:
        return one.hashes[key] == other.hashes.get(key)
    if first.sizes[name] > HASHED_WHOLE_BYTES:
        return all(
            first.read_range(name, at, SAMPLE_BYTES) == second.read_range(name, at, SAMPLE_BYTES)
            for at in range(0, first.sizes[name], max(SAMPLE_BYTES, first.sizes[name] // 64))
        )
    return _digest(first, name) == _digest(second, name)


def _digest(files: CheckpointFiles, name: str) -> str:
    size = files.sizes[name]
    digest = hashlib.sha256()
    for start in range(0, size, 1 << 22):
        digest.update(files.read_range(name, start, min(1 << 22, size - start)))
    return digest.hexdigest()


def _changes(first: CheckpointFiles, second: CheckpointFiles) -> Iterator[Change]:
    """Settings of the small JSON files, field by field."""
    for file in COMPARED:
        values = [_flat(files, file) for files in (first, second)]
        if values[0] is None or values[1] is None:
            continue  # the list of files says that it is missing
        for field in sorted({*values[0], *values[1]}):
            pair = (values[0].get(field), values[1].get(field))
            if pair[0] != pair[1]:
                yield Change(
                    file=file, field=field, first=pair[0], second=pair[1],
                    noise=field.rpartition(".")[2] in NOISE,
                )  # fmt: skip


def _flat(files: CheckpointFiles, file: str) -> dict[str, str] | None:
    """Dotted field -> value as short JSON; the chat template is compared on its own."""
    if file not in files.sizes or files.sizes[file] > SMALL_FILE_LIMIT_BYTES:
        return None
    data = files.read(file)
    try:
        value = clean(json.loads((data or b"{}").decode("utf-8-sig")))
    except (ValueError, RecursionError):
        return None  # reading the checkpoint has refused it already
    found: dict[str, str] = {}
    _flatten("", value, found)
    found.pop("chat_template", None)
    return found


def _flatten(path: str, value: Any, found: dict[str, str]) -> None:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            _flatten(f"{path}.{key}" if path else str(key), inner, found)
    else:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True)
        if len(text) > VALUE_CHARACTERS:
            tail = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
            text = f"{text[: VALUE_CHARACTERS - 12]}... #{tail}"
        found[path] = text


def _tokens(one: Reading, other: Reading) -> TokenChange | None:
    first, second = one.tokenizer.vocabulary, other.tokenizer.vocabulary
    if not first or not second:
        return None
    shared = first.keys() & second.keys()
    return TokenChange(
        first_tokens=len(first),
        second_tokens=len(second),
        only_first=tuple(sorted(first.keys() - shared)[:20]),
        only_second=tuple(sorted(second.keys() - shared)[:20]),
        moved=tuple(sorted(name for name in shared if first[name] != second[name])[:20]),
    )


def _template_lines(first: str, second: str) -> list[str]:
    if first == second:
        return []
    lines = difflib.unified_diff(first.splitlines(), second.splitlines(), lineterm="", n=1)
    return [line[:400] for line in lines if not line.startswith(("---", "+++"))][:DIFF_LINES]


def _weights(
    files: tuple[CheckpointFiles, CheckpointFiles], readings: tuple[Reading, Reading]
) -> tuple[Weights, int, tuple[str, ...]]:
    """Tensor by tensor, so that another split into shards is no difference."""
    first, second = readings[0].tensors, readings[1].tensors
    if not first or not second:
        return ("none" if first.keys() == second.keys() else "other_tensors"), 0, ()
    unlike = sorted(
        name
        for name in first.keys() | second.keys()
        if name not in first
        or name not in second
        or (first[name].dtype, first[name].shape) != (second[name].dtype, second[name].shape)
    )
    if unlike:
        return "other_tensors", len(first.keys() & second.keys()), tuple(unlike[:20])
    total = sum(place.end - place.start for place in first.values())
    whole = total <= HASHED_WHOLE_BYTES
    names = sorted(first)
    step = 1 if whole else max(1, len(names) // SAMPLED_TENSORS)
    different = [
        name
        for name in names[::step]
        if _part(files[0], first[name], whole) != _part(files[1], second[name], whole)
    ]
    if different:
        return "differ", len(names[::step]), tuple(different[:20])
    return "same" if whole else "same_sampled", len(names[::step]), ()


def _part(files: CheckpointFiles, place: TensorPlace, whole: bool) -> bytes:
    size = place.end - place.start
    if whole or size <= SAMPLE_BYTES:
        return files.read_range(place.file, place.start, size)
    return files.read_range(place.file, place.start + (size - SAMPLE_BYTES) // 2, SAMPLE_BYTES)
