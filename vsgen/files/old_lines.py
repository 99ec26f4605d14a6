"""Lines of journals from before there were versions: no checksum tells whether they are as they were written."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

import orjson

from vsgen.digests import SIZE

_CALL: Final = ["key", "kind", "model", "call", "reply"]
_END: Final = (["kind", "origin", "complete"], ["kind", "origin", "complete", "passed"])


def old_call(line: bytes) -> bytes | None:
    """The key of a line that holds a call and its reply; None if it is none."""
    said = _parsed(line)
    if said is None or list(said) != _CALL or not isinstance(call := said["call"], dict):
        return None
    key = said["key"]
    if not isinstance(key, str) or not isinstance(said["reply"], dict):
        return None
    if call.get("prefix"):  # of which only the length is there
        return _bytes(key)
    asked = orjson.dumps([said["model"], said["kind"], call], option=orjson.OPT_SORT_KEYS)
    return _bytes(key) if blake2b(asked, digest_size=SIZE).hexdigest() == key else None


def old_end(line: bytes) -> bool:
    """Whether a line says that a run has ended."""
    said = _parsed(line)
    return said is not None and list(said) in _END and said["kind"] == "end" and isinstance(said["origin"], str)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return said if isinstance(said, dict) else None


def _bytes(key: str) -> bytes | None:
    try:
        return bytes.fromhex(key) if len(key) == 2 * SIZE else None
    except ValueError:
        return None
