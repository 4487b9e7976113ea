"""The header of a GGUF file: its settings, its tokenizer and the shapes of its tensors."""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from forkpoint.errors import Unreadable

READ_BYTES = 1 << 20  # bytes fetched at a time; a header with its tokenizer has 2 to 30 MB
HEADER_LIMIT_BYTES = 200_000_000  # bytes
COUNT_LIMIT = 2_000_000  # entries of one array; the largest vocabularies have 262,144
TENSOR_LIMIT = 200_000  # tensors
_SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_STRING, _ARRAY = 8, 9
TENSOR_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 10: "Q2_K",
    11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS",
    19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 29: "IQ1_M", 30: "BF16",
    34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
}  # fmt: skip


@dataclass(frozen=True)
class GGUFHeader:
    """What stands before the weights of a GGUF file."""

    settings: dict[str, Any]
    tensors: dict[str, tuple[str, tuple[int, ...]]]  # name -> (type, shape)
    bytes_read: int

    @property
    def parameters(self) -> int:
        """All weights, whatever they are packed in."""
        return sum(math.prod(shape) for _, shape in self.tensors.values())


class _Reader:
    """Little-endian values one after the other, fetched in pieces."""

    def __init__(self, file: str, size_bytes: int, read: Callable[[int, int], bytes]) -> None:
        self.file, self.size_bytes, self._read = file, size_bytes, read
        self.at = 0
        self._start, self._piece = 0, b""

    def take(self, length: int) -> bytes:
        end = self.at + length
        if end > self.size_bytes:
            raise Unreadable(
                "facts.weights_truncated", file=self.file, size=self.size_bytes, needed=end
            )
        if length > HEADER_LIMIT_BYTES or end > HEADER_LIMIT_BYTES:
            raise Unreadable("facts.weights_absurd", file=self.file, found=f"{length:,}")
        if end > self._start + len(self._piece) or self.at < self._start:
            self._start = self.at
            self._piece = self._read(
                self.at, min(max(length, READ_BYTES), self.size_bytes - self.at)
            )
        offset = self.at - self._start
        self.at = end
        return self._piece[offset : offset + length]

    def number(self, form: str) -> Any:
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

    def count(self, limit: int) -> int:
        value: int = self.number("Q")
        if value > limit:
            raise Unreadable("facts.weights_absurd", file=self.file, found=f"{value:,}")
        return value

    def text(self) -> str:
        return self.take(self.count(HEADER_LIMIT_BYTES)).decode("utf-8", "replace")

    def value(self, kind: int, depth: int = 0) -> Any:
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY and depth < 3:
            inner = self.number("I")
            count = self.count(COUNT_LIMIT)
            if inner in _SCALARS:
                size = struct.calcsize("<" + _SCALARS[inner])
                return struct.unpack(f"<{count}{_SCALARS[inner]}", self.take(size * count))
            return [self.value(inner, depth + 1) for _ in range(count)]
        if kind not in _SCALARS:
            raise Unreadable("facts.weights_header", file=self.file)
        return self.number(_SCALARS[kind])


def read_gguf(file: str, size_bytes: int, read: Callable[[int, int], bytes]) -> GGUFHeader:
    """Read the header; raises Unreadable for a file that is none, is cut off or absurd."""
    reader = _Reader(file, size_bytes, read)
    if reader.take(4) != b"GGUF" or reader.number("I") not in (2, 3):
        raise Unreadable("facts.not_gguf", file=file)
    tensor_count = reader.count(TENSOR_LIMIT)
    setting_count = reader.count(TENSOR_LIMIT)
    settings: dict[str, Any] = {}
    for _ in range(setting_count):
        key = reader.text()
        settings[key] = reader.value(reader.number("I"))
    tensors: dict[str, tuple[str, tuple[int, ...]]] = {}
    for _ in range(tensor_count):
        name = reader.text()
        axes = reader.number("I")
        if axes > 8:
            raise Unreadable("facts.weights_lie", file=file, tensor=name[:80])
        shape = tuple(reader.count(1 << 40) for _ in range(axes))
        kind = TENSOR_TYPES.get(reader.number("I"), "unknown")
        reader.number("Q")  # the offset of the data, which is not read
        tensors[name] = (kind, shape)
    return GGUFHeader(settings, tensors, reader.at)
