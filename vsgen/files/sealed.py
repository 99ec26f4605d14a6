"""Lines that show whether they are whole: JSON objects whose last member is a checksum of all before it."""

from __future__ import annotations

from zlib import crc32

_MARK = b',"crc":"'
_TAIL = len(_MARK) + 8 + len(b'"}\n')


def sealed(entry: bytes) -> bytes:
    """The line of a JSON object that has members."""
    body = entry[:-1]
    return b'%s%s%08x"}\n' % (body, _MARK, crc32(body))


def intact(line: bytes) -> bool:
    """Whether a line, with its end, is as `sealed` made it."""
    body = line[:-_TAIL]
    return line.endswith(b'%s%08x"}\n' % (_MARK, crc32(body)))
