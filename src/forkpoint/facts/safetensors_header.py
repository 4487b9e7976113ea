"""The header of a safetensors file: names, types, shapes and places of its tensors, no data.

The format: 8 bytes little-endian header length, that many bytes of JSON, then the data.
"""

import json
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeGuard

from forkpoint.errors import Unreadable
from forkpoint.facts.clean_text import clean

HEADER_LIMIT_BYTES = 100_000_000  # bytes, the limit of the safetensors library itself
TENSOR_LIMIT = 1_000_000  # tensors a file; the largest public mixtures have some 100,000
DIMENSION_LIMIT = 8  # axes; no layer of a language model has more than 5

TYPE_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64, "C64": 64,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TensorPlace:
    """One tensor: its type, its shape and where its bytes lie in its file."""

    file: str
    dtype: str
    shape: tuple[int, ...]
    start: int  # byte offset from the beginning of the file
    end: int

    @property
    def elements(self) -> int:
        """Stored elements; packed quantised tensors hold more than one weight in each."""
        return math.prod(self.shape)


def read_header(
    file: str, size_bytes: int, read: Callable[[int, int], bytes]
) -> dict[str, TensorPlace]:
    """All tensors of one safetensors file; `read(start, length)` gives its bytes.

    Raises Unreadable for a file that is cut off, contradicts itself or asks for absurd amounts.
    """
    if size_bytes < 8:
        raise Unreadable("facts.weights_truncated", file=file, size=size_bytes, needed=8)
    (length,) = struct.unpack("<Q", read(0, 8))
    if length > HEADER_LIMIT_BYTES:
        raise Unreadable("facts.weights_absurd", file=file, found=f"{length:,}")
    if 8 + length > size_bytes:
        raise Unreadable("facts.weights_truncated", file=file, size=size_bytes, needed=8 + length)
    try:
        data = read(8, length)
        header = json.loads(data.decode("utf-8"))
        header = clean(header) if rb"\ud" in data.lower() else header
    except (ValueError, RecursionError):
        raise Unreadable("facts.weights_header", file=file) from None
    if not isinstance(header, dict) or len(header) > TENSOR_LIMIT:
        raise Unreadable("facts.weights_header", file=file)
    places = {
        name: _place(file, name, entry, 8 + length)
        for name, entry in header.items()
        if name != "__metadata__"
    }
    _check_layout(file, places, 8 + length, size_bytes)
    return places


def _place(file: str, name: str, entry: Any, data_start: int) -> TensorPlace:
    """One entry of the header, refused when it contradicts itself."""
    lie = Unreadable("facts.weights_lie", file=file, tensor=name[:80])
    if not isinstance(entry, dict):
        raise lie
    dtype, shape, span = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if dtype not in TYPE_BITS or not _whole(shape) or not _whole(span):
        raise lie
    if len(shape) > DIMENSION_LIMIT or len(span) != 2 or span[1] < span[0]:
        raise lie
    if math.prod(shape) * TYPE_BITS[dtype] != (span[1] - span[0]) * 8:
        raise lie
    return TensorPlace(file, dtype, tuple(shape), data_start + span[0], data_start + span[1])


def _whole(values: Any) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(
        type(value) is int and 0 <= value < 1 << 48 for value in values
    )


def _check_layout(
    file: str, places: dict[str, TensorPlace], data_start: int, size_bytes: int
) -> None:
    """Tensors follow each other without gap or overlap up to the last byte of the file."""
    at = data_start
    for name, place in sorted(places.items(), key=lambda item: (item[1].start, item[1].end)):
        if place.start != at:
            raise Unreadable("facts.weights_lie", file=file, tensor=name[:80])
        at = place.end
    if at > size_bytes:
        raise Unreadable("facts.weights_truncated", file=file, size=size_bytes, needed=at)
    if at < size_bytes:
        raise Unreadable("facts.weights_surplus", file=file, surplus=size_bytes - at)
