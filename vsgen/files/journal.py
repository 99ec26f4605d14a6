"""The journal: every call and its raw reply, one JSON object a line, on disk before anything is derived from it.

A call is named by the digest of what is asked (model, prompt, parameters, seed), so the journal is a cache that any
later run may read: a changed filter or threshold finds all its replies again.

The first line says what the file is and its version. Every line ends with a checksum; one that does not fit counts as
not there, so its call is asked again, and a tail that a kill or a full disk has torn is cut off when the journal is
opened again. "On disk" means: with the system, by a single `write`, before the reply is used, so that no kill loses it;
and on the disk itself a second later, so that a power cut loses that second.

Vectors lie in a file of their own beside it, `vsgen.files.vectors`.

A journal of before there were versions is read and continued: its lines, up to the version line that then follows them,
have no checksum.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import fields
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from vsgen.digests import SIZE, DigestMap
from vsgen.errors import OptionError
from vsgen.files.appended import Appended
from vsgen.files.ends import START, End, end_line
from vsgen.files.notes import START as NOTE
from vsgen.files.notes import note_line, read_note
from vsgen.files.sealed import intact, sealed
from vsgen.files.vectors import Vectors, vectors_path
from vsgen.values import (
    Call,
    Completion,
    Embed,
    Generate,
    Message,
    Prompt,
    Reply,
    Score,
    Scores,
    Taught,
    Teach,
    Vector,
    Verified,
    Verify,
)

VERSION = 1
"""Of the journals that are written; see docs/journal.md."""
_VERSION = b'{"vsgen journal":'
_FIRST = sealed(_VERSION + b'%d,"kind":"version","holds":"calls and their raw replies: docs/journal.md"}' % VERSION)
_KEY = b'{"key":"'
_PLACE = struct.Struct("<QI")
"""Where a line begins, and how long it is."""
_REMEMBERED = 4096
_KINDS: dict[type[Call], str] = {Generate: "generate", Score: "score", Teach: "teach", Embed: "embed", Verify: "check"}
_REPLIES: dict[str, type[Reply]] = {
    "generate": Completion,
    "score": Scores,
    "teach": Taught,
    "embed": Vector,
    "check": Verified,
}
_NAMES: dict[type[object], list[str]] = {
    kind: sorted(field.name for field in fields(kind)) for kind in (*_KINDS, Prompt, Message)
}


def digest(model: str, call: Call) -> str:
    """128 bits, as hex, of all that is asked; equal calls of one model have equal digests."""
    asked = orjson.dumps([model, _KINDS[type(call)], call], default=_by_name, option=orjson.OPT_PASSTHROUGH_DATACLASS)
    return blake2b(asked, digest_size=SIZE).hexdigest()


def _by_name(value: object) -> dict[str, object]:
    """The fields of a dataclass in the order of their names, which the digest of a call has always had."""
    return {name: getattr(value, name) for name in _NAMES[type(value)]}


class MemoryJournal:
    """The journal of a run that writes to a pipe: remembers, but leaves nothing behind."""

    def __init__(self) -> None:
        self._replies: dict[str, Reply] = {}

    def key(self, model: str, call: Call) -> str:
        """See `vsgen.ports.Journal`."""
        return digest(model, call)

    def find(self, key: str) -> Reply | None:
        """See `vsgen.ports.Journal`."""
        return self._replies.get(key)

    def add(self, key: str, model: str, call: Call, reply: Reply) -> None:
        """Keep the latest scores, which may be asked again; a drawn reply has a seed of its own and never is."""
        if isinstance(call, Score):
            self._replies[key] = reply
            if len(self._replies) > _REMEMBERED:
                del self._replies[next(iter(self._replies))]

    def end(
        self,
        parts: Mapping[str, object],
        *,
        complete: bool,
        passed: bool = True,
        summary: Mapping[str, object] | None = None,
    ) -> None:
        """See `vsgen.ports.Journal`."""

    def note(self, name: str, value: Mapping[str, object]) -> None:
        """See `vsgen.ports.Journal`."""

    def noted(self, name: str) -> Mapping[str, Any] | None:
        """See `vsgen.ports.Journal`."""
        return None


class FileJournal:
    """A journal in a file, which one run at a time may hold open, and the vectors beside it.

    Memory grows by a digest and a place a call, less than 40 bytes; replies are read back from disk when asked for.
    """

    def __init__(self, path: Path) -> None:
        """Open or create; cut a torn last line off.

        Raises:
            OutputError: The file cannot be written, or another run holds it.
            OptionError: The file is something else than a journal, or one of a newer version.
        """
        self._path = path
        self._files = ExitStack()
        self._file = self._files.enter_context(Appended(path, "the journal"))
        self._places = DigestMap(_PLACE.size)
        self._notes: dict[str, Mapping[str, Any]] = {}
        self._vectors: Vectors | None = None
        try:
            if not self._read():
                self._file.append(_FIRST)
            if vectors_path(path).exists():
                self._open_vectors()
        except BaseException as error:
            self._files.__exit__(type(error), error, None)
            raise

    def __enter__(self) -> FileJournal:
        """Return the open journal itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close, and let another run in."""
        self._files.__exit__(kind, error, at)

    def __len__(self) -> int:
        """How many different calls are answered in it."""
        return len(self._places) + (0 if self._vectors is None else len(self._vectors))

    def key(self, model: str, call: Call) -> str:
        """See `vsgen.ports.Journal`."""
        return digest(model, call)

    def find(self, key: str) -> Reply | None:
        """See `vsgen.ports.Journal`; a line that cannot be read counts as not there, so its call is asked again."""
        place = self._places.get(bytes.fromhex(key))
        if place is None:
            return None if self._vectors is None else self._vectors.find(bytes.fromhex(key))
        begin, length = _PLACE.unpack(place)
        try:
            entry = orjson.loads(self._file.read(length, begin))
            return _reply(entry["kind"], entry["reply"])
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError):
            return None

    def add(self, key: str, model: str, call: Call, reply: Reply) -> None:
        """Append a line, or a vector to the vectors.

        Of a prefix a line has the length only: its tokens are those of earlier replies, and in the key.

        Raises:
            OutputError: The line could not be written whole.
        """
        if isinstance(reply, Vector):
            self._open_vectors().add(bytes.fromhex(key), reply)
            return
        entry = {"key": key, "kind": _KINDS[type(call)], "model": model, "call": _asked(call), "reply": reply}
        line = sealed(orjson.dumps(entry, default=_base64))
        self._places[bytes.fromhex(key)] = _PLACE.pack(self._file.append(line), len(line))

    def end(
        self,
        parts: Mapping[str, object],
        *,
        complete: bool,
        passed: bool = True,
        summary: Mapping[str, object] | None = None,
    ) -> None:
        """See `vsgen.ports.Journal`."""
        self._file.append(end_line(End(parts, complete, passed, summary)))

    def note(self, name: str, value: Mapping[str, object]) -> None:
        """See `vsgen.ports.Journal`."""
        line = note_line(name, value)
        self._file.append(line)
        self._notes |= read_note(line)

    def noted(self, name: str) -> Mapping[str, Any] | None:
        """See `vsgen.ports.Journal`."""
        return self._notes.get(name)

    def _open_vectors(self) -> Vectors:
        if self._vectors is None:
            self._vectors = self._files.enter_context(Vectors(vectors_path(self._path)))
        return self._vectors

    def _read(self) -> bool:
        """Find the places of all calls; whether there is a version line."""
        at, versioned = 0, False
        with open(self._file.fileno(), "rb", closefd=False) as lines:
            for line in lines:
                if at == 0:
                    _recognize(line, self._path)
                if not line.endswith(b"\n"):
                    self._file.cut(at)
                    break
                if line.startswith(_VERSION):
                    versioned = True
                    _refuse_newer(line, self._path)
                elif (key := _key(line)) and (intact(line) or not versioned):
                    self._places[key] = _PLACE.pack(at, len(line))
                elif line.startswith(NOTE):
                    self._notes |= read_note(line)
                at += len(line)
        return versioned


def _recognize(line: bytes, path: Path) -> None:
    """See that a first line, torn or whole, is a journal's; what a power cut kept from being written is zeros."""
    line = line.rstrip(b"\0")
    if not any(line.startswith(start[: len(line)]) for start in (_VERSION, _KEY, START)):
        raise OptionError(f"{path}: is not a journal of vsgen; name another file, or one that does not exist yet")


def _refuse_newer(line: bytes, path: Path) -> None:
    version = line.removeprefix(_VERSION).partition(b",")[0].decode("ascii", "replace")
    if intact(line) and version != str(VERSION):
        remedy = f"this vsgen reads version {VERSION}; upgrade it, or name another file"
        raise OptionError(f"{path}: is a journal of version {version}, but {remedy}")


def _key(line: bytes) -> bytes | None:
    try:
        name = line[len(_KEY) : len(_KEY) + 2 * SIZE].decode("ascii")
        return bytes.fromhex(name) if line.startswith(_KEY) else None
    except ValueError:
        return None


def _asked(call: Call) -> object:
    if not isinstance(call, Generate) or not call.prefix:
        return call
    return {field: getattr(call, field) for field in call.__slots__} | {"prefix": len(call.prefix)}


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"cannot be written to the journal: {type(value).__name__}")


def _old_vector(data: bytes) -> Vector:
    """One of float32 components, from the time when vectors lay in the journal."""
    count = len(data) // 4
    return Vector(struct.pack(f"<{count}e", *struct.unpack(f"<{count}f", data)))


def _reply(kind: str, values: dict[str, Any]) -> Reply:
    if kind == "embed":
        return _old_vector(base64.b64decode(values["data"]))
    if kind == "teach":
        values |= {name: base64.b64decode(values[name]) for name in ("top_ids", "top_logps")}
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return _REPLIES[kind](**{**values, **lists})
