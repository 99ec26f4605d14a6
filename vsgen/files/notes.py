"""Lines of a journal that are no calls: what a run has learnt and the next one need not learn again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from vsgen.files.sealed import intact, sealed

START = b'{"kind":"note"'


def note_line(name: str, value: Mapping[str, object]) -> bytes:
    """The line that keeps a JSON object under a name."""
    return sealed(orjson.dumps({"kind": "note", "name": name, "value": value}))


def read_note(line: bytes) -> dict[str, Mapping[str, Any]]:
    """The name and the value that a line keeps; empty if it is damaged, or keeps something else."""
    if not intact(line):
        return {}
    try:
        note = orjson.loads(line)
    except orjson.JSONDecodeError:  # a checksum is soon made
        return {}
    name, value = note.get("name"), note.get("value")
    return {name: value} if isinstance(name, str) and isinstance(value, dict) else {}
