"""The body of a response as it was before a server compressed it, within a bound."""

from __future__ import annotations

import zlib
from typing import Final

_WINDOWS: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""zlib's window bits, which also say what stands around the compressed bytes."""


def unpacked(body: bytes, encoding: str, most: int) -> bytes:
    """What a body holds.

    Servers are asked not to compress, because a few kilobytes can unfold to gigabytes; some do all the same.

    Args:
        body: As it came.
        encoding: The header ``content-encoding``; empty where there is none.
        most: Bytes that it may unfold to.

    Raises:
        ValueError: It is compressed in another way, damaged, cut off, or holds more than it may.
    """
    kind = encoding.strip().lower()
    if kind in {"", "identity"}:
        return body
    if kind not in _WINDOWS:
        raise ValueError(f"the reply is compressed by {kind[:20]!r}, though that was not accepted")
    unpacker = zlib.decompressobj(_WINDOWS[kind])
    try:
        plain = unpacker.decompress(body, most + 1)
    except zlib.error as error:
        raise ValueError(f"the reply cannot be decompressed ({error})") from None
    if len(plain) > most:
        raise ValueError(f"the reply is larger than {most:,} bytes")
    if not unpacker.eof:
        raise ValueError("the reply is compressed and cut off")
    return plain
