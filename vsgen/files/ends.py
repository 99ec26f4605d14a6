"""What a journal tells of runs: from what each began to make an output, and how it ended."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import orjson

from vsgen.files.sealed import intact, sealed

BEGIN: Final = b'{"kind":"begin"'
END: Final = b'{"kind":"end"'
_NEXT: Final = b'\n{"kind":"'
_BEGIN: Final = {"parts": (dict,), "output": (str, type(None))}
_END: Final = {
    "parts": (dict,),
    "complete": (bool,),
    "passed": (bool,),
    "summary": (dict, type(None)),
    "made": (dict, type(None)),
}
"""Of which types the members of each line are."""


@dataclass(frozen=True, slots=True)
class Begin:
    """A run began."""

    parts: Mapping[str, object]
    """What its output is made from, by name, but for what it reads of its input."""
    output: str | None
    """The file that it makes, seen from the journal's folder; None where it makes none."""


@dataclass(frozen=True, slots=True)
class End:
    """The run that began last has ended."""

    parts: Mapping[str, object] | None
    """What its output was made from, by name: all that shapes it. None where an older version of vsgen wrote it."""
    complete: bool
    """All that was wanted is there."""
    passed: bool = True
    """Its verdict was not bad."""
    summary: Mapping[str, object] | None = None
    """Its counts."""
    made: Mapping[str, str | None] | None = None
    """The digests of its output and of its rejects, where they are files; None where an older version wrote it."""


Told: TypeAlias = Begin | End


def begin_line(begin: Begin) -> bytes:
    """The line that says it."""
    return _line(b"begin", begin)


def end_line(end: End) -> bytes:
    """The line that says it."""
    return _line(b"end", end)


def told(path: Path) -> Iterator[Told]:
    """What a journal tells of its runs, the last word first; a damaged line says nothing.

    Raises:
        OSError: The journal cannot be read.
    """
    if not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        at = len(whole)
        while at > 0:
            at = whole.rfind(_NEXT, 0, at) + 1
            if whole[at : at + len(BEGIN)].startswith((BEGIN, END)):
                one = _read(whole[at : whole.find(b"\n", at) + 1])
                if one is not None:
                    yield one


def _line(kind: bytes, said: Told) -> bytes:
    return sealed(b'{"kind":"%s",%s' % (kind, orjson.dumps(said, option=orjson.OPT_NON_STR_KEYS)[1:]))


def _read(line: bytes) -> Told | None:
    """What a line says; None if it is damaged, or no run says it."""
    try:
        said = orjson.loads(line)
        if "origin" in said:
            return End(None, said["complete"], said.get("passed", True))
    except (KeyError, TypeError, orjson.JSONDecodeError):
        return None
    if not intact(line):
        return None
    if said["kind"] == "begin":
        return Begin(said["parts"], said["output"]) if _fits(said, _BEGIN) else None
    if not _fits(said, _END):
        return None
    return End(said["parts"], said["complete"], said["passed"], said["summary"], said.get("made"))


def _fits(said: Mapping[str, object], kinds: Mapping[str, tuple[type, ...]]) -> bool:
    return all(type(said.get(name)) in allowed for name, allowed in kinds.items())
