"""Which special tokens were ever trained: single rows of the matrices, next to unused ones.

Every step of training pushes the rows that never are the answer in the same direction, so they
end close together; a row that was trained leaves them. Nearness decides, length never does.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from forkpoint.facts.checkpoint_files import CheckpointFiles, LocalFiles
from forkpoint.facts.reading import Reading, read_files
from forkpoint.facts.row_reading import RowReading
from forkpoint.facts.safetensors_header import TensorPlace
from forkpoint.facts.tokenizer_files import TokenizerFacts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]

NEVER_USED_ROWS = 64  # rows read as the example of "never used"; some families have thousands
FEWEST_NEVER_USED = 4  # rows; a centre of fewer is chance
USED_ROWS = 400  # ordinary rows read as the example of "used"
USED_SHARE = 0.8  # part of the ordinary rows taken as used; small vocabularies hold unused merges
NEVER_SHARE = 0.05  # part of the never-used rows that may lie outside; some were used after all
SLACK = 0.01  # cosine; rows that training moved at all lie further out than this
GAP = 0.1  # cosine between the two examples; below it the matrix cannot tell
ASKED_TOKENS = 48  # special tokens looked up

EMBEDDING = re.compile(
    r"(^|\.)(embed_tokens|wte|word_embeddings|embed_in|tok_embeddings|embed_tokens_shared)\.weight$"
)
OUTPUT = re.compile(r"^(.*\.)?(lm_head|embed_out|output)\.weight$")
_PLACEHOLDER = re.compile(
    r"(unused|reserved|extra|dummy|placeholder|SPECIAL)[_ ]?\w*?\d+|\[control_\d+\]", re.IGNORECASE
)
# Bytes that UTF-8 never contains: their tokens exist in byte-level vocabularies, unused.
_IMPOSSIBLE_BYTES = (0xC0, 0xC1, *range(0xF5, 0x100))


def special_rows(path: str | Path) -> tuple[RowReading, ...]:
    """A reading for each special token that matters, of each matrix; empty without safetensors."""
    files = LocalFiles(str(path), Path(path))
    return rows_of(read_files(files), files)


def rows_of(reading: Reading, files: CheckpointFiles) -> tuple[RowReading, ...]:
    """`special_rows` of a checkpoint whose files were read already."""
    if files.path is None or not reading.tokenizer.vocabulary:
        return ()
    asked = _asked(reading)
    found: list[RowReading] = []
    matrices: tuple[tuple[Literal["embedding", "output"], re.Pattern[str]], ...] = (
        ("embedding", EMBEDDING),
        ("output", OUTPUT),
    )
    for matrix, pattern in matrices:
        for name, place in reading.tensors.items():
            if pattern.search(name) and len(place.shape) == 2:
                found += _matrix_rows(matrix, place, reading.tokenizer, asked, files)
                break
    return tuple(found)


def untrained(rows: Iterable[RowReading]) -> dict[str, float]:
    """Tokens that no matrix shows as trained, with their cosine to the never-used rows.

    The output matrix decides where there is one: there every step pushes unused rows alike.
    """
    by_token: dict[str, list[RowReading]] = {}
    for row in rows:
        if row.trained is not None:
            by_token.setdefault(row.token, []).append(row)
    return {
        token: max(item.cosine for item in readings)
        for token, readings in by_token.items()
        if not any(item.trained for item in readings)
    }


def _asked(reading: Reading) -> dict[str, int]:
    """Special tokens worth a look: the template's first, then ends, then other added ones."""
    tokenizer = reading.tokenizer
    names = [*reading.template.turn_tokens, reading.template.end_of_turn, tokenizer.eos]
    names += [token.content for token in tokenizer.added if token.special]
    asked: dict[str, int] = {}
    for name in names:
        index = tokenizer.id_of(name)
        if name is not None and index is not None and not _PLACEHOLDER.search(name):
            asked[name] = index
    return dict(list(asked.items())[:ASKED_TOKENS])


def never_used_ids(tokenizer: TokenizerFacts, rows: int) -> list[int]:
    """Ids that no text can have produced: reserve rows, placeholders, impossible bytes."""
    found = list(range(tokenizer.size or 0, rows))
    found += [
        index for token, index in tokenizer.vocabulary.items()
        if _is_added(token) and index < rows and _PLACEHOLDER.search(token)
    ]  # fmt: skip
    letters = _byte_letters()
    for byte in _IMPOSSIBLE_BYTES:
        for token in (letters[byte], f"<0x{byte:02X}>"):
            index = tokenizer.vocabulary.get(token)
            if index is not None and index < rows:
                found.append(index)
    unique = sorted(set(found))
    step = max(len(unique) // NEVER_USED_ROWS, 1)
    return unique[::step][:NEVER_USED_ROWS]


def _is_added(token: str) -> bool:
    """A placeholder is wrapped, `<unused5>`; a word like `extra2` of the vocabulary is not."""
    return token[:1] in "<[" and token[-1:] in ">]"


def _byte_letters() -> dict[int, str]:
    """The letter that byte-level vocabularies write for each byte (GPT-2's table)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in printable}
    others = (byte for byte in range(256) if byte not in letters)
    return letters | {byte: chr(256 + place) for place, byte in enumerate(others)}


def _matrix_rows(
    matrix: Literal["embedding", "output"],
    place: TensorPlace,
    tokenizer: TokenizerFacts,
    asked: dict[str, int],
    files: CheckpointFiles,
) -> list[RowReading]:
    """Readings of the asked tokens in one matrix."""
    import numpy as np

    if place.dtype not in ("F32", "F16", "BF16"):
        return []
    rows = place.shape[0]
    never = never_used_ids(tokenizer, rows)
    if len(never) < FEWEST_NEVER_USED:
        return []
    apart = {token.id for token in tokenizer.added} | set(never)
    ordinary = [i for i in range(256, min(tokenizer.size or rows, rows)) if i not in apart]
    step = max(len(ordinary) // 2 // USED_ROWS, 1)  # the earlier half: tokens merged most often
    never_N_D = _directions(read_rows(files, place, never))
    used = _directions(read_rows(files, place, ordinary[: len(ordinary) // 2][::step][:USED_ROWS]))
    tokens = {token: index for token, index in asked.items() if index < rows}
    asked_N_D = _directions(read_rows(files, place, list(tokens.values())))
    centre = never_N_D.sum(axis=0)
    among = np.array([_cosine(row, centre - row) for row in never_N_D])
    high = float(np.quantile(used @ _unit(centre), USED_SHARE)) if len(used) else 1.0
    low = float(np.quantile(among, NEVER_SHARE))
    readings = []
    for (token, index), row in zip(tokens.items(), asked_N_D, strict=True):
        rest = centre - row if index in never else centre
        cosine = _cosine(row, rest)
        trained = None if low - high < GAP else cosine < low - SLACK
        readings.append(
            RowReading(
                token=token, id=index, matrix=matrix, trained=trained, cosine=cosine,
                never_used_low=low, used_high=high, never_used_rows=len(never),
                used_rows=len(used),
            )
        )  # fmt: skip
    return readings


def read_rows(files: CheckpointFiles, place: TensorPlace, ids: list[int]) -> "Rows":
    """Some rows of a matrix as float32 (rows x width), each fetched by its place in the file."""
    import numpy as np

    width = place.shape[1]
    stride = (place.end - place.start) // place.shape[0]
    rows_N_D = np.empty((len(ids), width), dtype=np.float32)
    for number, index in enumerate(ids):
        data = files.read_range(place.file, place.start + index * stride, stride)
        if place.dtype == "BF16":
            high = np.frombuffer(data, dtype="<u2").astype(np.uint32) << 16
            rows_N_D[number] = high.view(np.float32)
        else:
            rows_N_D[number] = np.frombuffer(data, dtype="<f4" if place.dtype == "F32" else "<f2")
    return rows_N_D


def _directions(rows_N_D: "Rows") -> "Rows":
    import numpy as np

    lengths = np.linalg.norm(rows_N_D, axis=1, keepdims=True)
    directions_N_D: Rows = np.nan_to_num(rows_N_D / np.maximum(lengths, 1e-12))
    return directions_N_D


def _unit(row_D: "Rows") -> "Rows":
    import numpy as np

    unit: Rows = row_D / max(float(np.linalg.norm(row_D)), 1e-12)
    return unit


def _cosine(left_D: "Rows", right_D: "Rows") -> float:
    return float(_unit(left_D) @ _unit(right_D))
