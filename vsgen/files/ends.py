"""How a run ended: the journal's last words, and what a later run says when it is another one."""

from __future__ import annotations

import mmap
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from vsgen.files.sealed import intact, sealed

START = b'{"kind":"end"'
NUM = "-n"
"""The part that says how many rows are wanted."""
_DIGEST = re.compile(r"[0-9a-f]{8,}")


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended."""

    parts: Mapping[str, object] | None
    """What its output was made from, by name: all that shapes it. None where an older version of vsgen wrote it."""
    complete: bool
    """All that was wanted is there."""
    passed: bool = True
    """Its verdict was not bad."""
    summary: Mapping[str, object] | None = None
    """Its counts."""


def end_line(end: End) -> bytes:
    """The line that says it."""
    members = {"parts": end.parts, "complete": end.complete, "passed": end.passed, "summary": end.summary}
    return sealed(orjson.dumps({"kind": "end", **members}, option=orjson.OPT_NON_STR_KEYS))


def last_end(path: Path | None) -> End | None:
    """How the last run that ended on a journal did so; None if none did.

    Raises:
        OSError: The journal cannot be read.
    """
    if path is None or not path.exists() or not path.stat().st_size:
        return None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        at = len(whole)
        while at > 0:
            at = whole.rfind(b"\n" + START, 0, at) + 1
            if whole[at : at + len(START)] == START and (end := _read(whole[at : whole.find(b"\n", at) + 1])):
                return end
    return None


def changed(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """What shapes an output otherwise than before, in words: "the seed was 0 and is 1".

    A part that only one of them names is unknown to the other and is not compared; one that was not given is None. A
    larger -n is no change: it continues what a smaller one began.
    """
    both = [(name, before[name], _plain(now[name])) for name in now if name in before]
    return [_words(name, old, new) for name, old, new in both if old != new and not _grown(name, old, new)]


def _read(line: bytes) -> End | None:
    """The end that a line says; None if the line is damaged."""
    try:
        said = orjson.loads(line)
        if "origin" in said:
            return End(None, said["complete"], said.get("passed", True))
        return End(said["parts"], said["complete"], said["passed"], said["summary"]) if intact(line) else None
    except (KeyError, TypeError, orjson.JSONDecodeError):
        return None


def _plain(value: object) -> object:
    """A value as it is once it was written and read."""
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))


def _grown(name: str, old: object, new: object) -> bool:
    return name == NUM and isinstance(old, int) and isinstance(new, int) and new > old


def _words(name: str, old: object, new: object) -> str:
    named = name if name.startswith("-") else f"the {name}"
    if all(isinstance(value, Mapping) or (isinstance(value, str) and _DIGEST.fullmatch(value)) for value in (old, new)):
        return f"{named} has changed"
    return f"{named} {_said(old, 'was')} and {_said(new, 'is')}"


def _said(value: object, verb: str) -> str:
    if value is None:
        return f"{verb} not given"
    return f"{verb} {value if isinstance(value, str) else orjson.dumps(value).decode()}"
