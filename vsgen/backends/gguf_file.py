"""The head of a GGUF file, read without a library: the size that the file must have, and the parameters in it.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. A head is a count of tensors, a count of
settings, the settings, and for each tensor its name, shape, type and place; the tensors' data follows.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, Final

from vsgen.errors import ModelError

SUFFIX: Final = ".gguf"
MAGIC: Final = b"GGUF"
_FIXED: Final = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a setting, by its type; the other types are texts and arrays."""
_TEXT, _ARRAY = 8, 9
_UINT32: Final = 4
_ALIGNMENT: Final = "general.alignment"
_BLOCKS: Final = {
    **{0: (1, 4), 1: (1, 2), 30: (1, 2)},
    **{2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 20: (32, 18)},
    **{10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 23: (256, 136)},
}
"""Weights in a block of a tensor, and its bytes, by the tensor's type. Of other types only the beginning is checked."""


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of a file promises."""

    size: int
    """Bytes that the file must have at least."""
    parameters: int
    """Weights in all tensors."""


def is_gguf(source: str) -> bool:
    """Whether a model's name is that of a GGUF file."""
    return source.lower().endswith(SUFFIX)


def check_whole(path: Path) -> Head:
    """Read a file's head, and see that all of its tensors can be there.

    Raises:
        ModelError: It is not GGUF, or it is cut off.
    """
    with path.open("rb") as file:
        if not (magic := file.read(len(MAGIC))):
            raise ModelError(f"{path}: is an empty file; download it again")
        if magic != MAGIC:
            raise ModelError(f"{path}: is not a GGUF file: it begins with {magic!r}, not {MAGIC!r}; download it again")
        with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            try:
                head, size = _Walk(data).head(), len(data)
            except (struct.error, LookupError, ValueError) as error:
                raise ModelError(
                    f"{path}: is cut off or damaged: its header cannot be read; download it again"
                ) from error
    if size < head.size:
        raise ModelError(
            f"{path}: is cut off: its header describes {head.size:,} bytes, the file has {size:,}; download it again"
        )
    return head


class _Walk:
    """Goes through a head, from one value to the next."""

    def __init__(self, data: mmap) -> None:
        self._data = data
        self._at = len(MAGIC)
        self._alignment = 32

    def head(self) -> Head:
        _, tensors, settings = self._next("<IQQ")
        for _ in range(settings):
            self._setting()
        ends, parameters = [0], 0
        for _ in range(tensors):
            self._text()
            shape = self._next(f"<{self._next('<I')[0]}Q")
            kind, offset = self._next("<IQ")
            weights, size = _BLOCKS.get(kind, (1, 0))
            ends.append(offset + prod(shape) // weights * size)
            parameters += prod(shape)
        start = -(-self._at // self._alignment) * self._alignment
        return Head(start + max(ends), parameters)

    def _setting(self) -> None:
        name, (kind,) = self._text(), self._next("<I")
        if name == _ALIGNMENT.encode() and kind == _UINT32:
            (self._alignment,) = self._next("<I")
        elif kind == _ARRAY:
            self._array()
        else:
            self._skip(kind, 1)

    def _array(self) -> None:
        kind, count = self._next("<IQ")
        self._skip(kind, count)

    def _skip(self, kind: int, count: int) -> None:
        """Pass values of one type."""
        if kind != _TEXT:
            self._at += _FIXED[kind] * count
            return
        for _ in range(count):
            self._text()

    def _text(self) -> bytes:
        (length,) = self._next("<Q")
        begun, self._at = self._at, self._at + length
        if self._at > len(self._data):
            raise ValueError("a text beyond the end")
        return self._data[begun : self._at]

    def _next(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return values
