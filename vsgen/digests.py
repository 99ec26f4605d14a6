"""Where digests lead to: a dictionary for millions of keys, in flat memory."""

from __future__ import annotations

SIZE = 16
"""Bytes of a digest."""
_SHELVES = 1 << 13


class DigestMap:
    """From digests to values of one fixed size.

    A digest is as good as random, so its first bits choose one of many short shelves, each a run of bytes that C
    searches. An entry takes its own bytes and an eighth, where a dict of bytes takes some 200; nothing is ever copied
    as a whole, so memory has no peak while it grows.
    """

    def __init__(self, width: int) -> None:
        """An empty map.

        Args:
            width: Bytes of every value.
        """
        self._entry = SIZE + width
        self._shelves = [bytearray() for _ in range(_SHELVES)]
        self._count = 0

    def __len__(self) -> int:
        """How many digests lead somewhere."""
        return self._count

    def get(self, digest: bytes) -> bytes | None:
        """The value of a digest, if it has one."""
        shelf, at = self._find(digest)
        return None if at < 0 else bytes(shelf[at + SIZE : at + self._entry])

    def __setitem__(self, digest: bytes, value: bytes) -> None:
        """Set the value of a digest, in place of an earlier one."""
        shelf, at = self._find(digest)
        if at < 0:
            shelf += digest + value
            self._count += 1
        else:
            shelf[at + SIZE : at + self._entry] = value

    def _find(self, digest: bytes) -> tuple[bytearray, int]:
        """Its shelf, and where it stands there; below 0 if nowhere."""
        shelf = self._shelves[int.from_bytes(digest[:2], "little") % _SHELVES]
        at = shelf.find(digest)
        while at > 0 and at % self._entry:
            at = shelf.find(digest, at + 1)
        return shelf, at
