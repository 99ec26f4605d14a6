"""Ways to damage a file, drawn at random: what disks, copies and editors do."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final, TypeAlias

Damage: TypeAlias = Callable[[bytes, Random], bytes]


def flip(data: bytes, rng: Random) -> bytes:
    """Another bit."""
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def drop(data: bytes, rng: Random) -> bytes:
    """A byte less."""
    at = rng.randrange(len(data))
    return data[:at] + data[at + 1 :]


def double(data: bytes, rng: Random) -> bytes:
    """A byte twice."""
    at = rng.randrange(len(data))
    return data[:at] + data[at : at + 1] + data[at:]


def swap(data: bytes, rng: Random) -> bytes:
    """Two bytes in each other's place."""
    changed = bytearray(data)
    one, two = rng.randrange(len(data)), rng.randrange(len(data))
    changed[one], changed[two] = changed[two], changed[one]
    return bytes(changed)


def drop_line(data: bytes, rng: Random) -> bytes:
    """A line less."""
    lines = data.splitlines(keepends=True)
    del lines[rng.randrange(len(lines))]
    return b"".join(lines)


def double_line(data: bytes, rng: Random) -> bytes:
    """A line twice."""
    lines = data.splitlines(keepends=True)
    lines.insert(rng.randrange(len(lines)), rng.choice(lines))
    return b"".join(lines)


def swap_lines(data: bytes, rng: Random) -> bytes:
    """Two lines in each other's place."""
    lines = data.splitlines(keepends=True)
    one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


def cut(data: bytes, rng: Random) -> bytes:
    """No end."""
    return data[: rng.randrange(len(data))]


def garbage(data: bytes, rng: Random) -> bytes:
    """Anything behind the end."""
    return data + rng.randbytes(rng.randrange(1, 300)) + rng.choice([b"", b"\n"])


def zeros_behind(data: bytes, rng: Random) -> bytes:
    """Zeros behind the end, as a power cut leaves them."""
    return data[: rng.randrange(len(data) // 2, len(data))] + bytes(rng.randrange(1, 5000))


def hole(data: bytes, rng: Random) -> bytes:
    """Zeros in the middle."""
    at = rng.randrange(len(data))
    size = min(rng.randrange(1, 4096), len(data) - at)
    return data[:at] + bytes(size) + data[at + size :]


DAMAGES: Final[tuple[Damage, ...]] = (
    flip,
    drop,
    double,
    swap,
    drop_line,
    double_line,
    swap_lines,
    cut,
    garbage,
    zeros_behind,
    hole,
)
