"""The journal: every call and its raw reply, one JSON object a line, on disk before anything is derived from it.

A call is named by the digest of what is asked (model, prompt, parameters, seed), so the journal is a cache that any
later run may read: a changed filter or threshold finds all its replies again.

The first line says what the file is and its version. Every line ends with a checksum; one that does not fit counts as
not there, so its call is asked again, and a tail that a kill or a full disk has torn is cut off when the journal is
opened again. "On disk" means: with the system, by a single `write`, before the reply is used, so that no kill loses it;
and on the disk itself a second later, so that a power cut loses that second.

Vectors lie in a file of their own beside it, `vsgen.files.vectors`.

A journal of before there were versions is read and continued: its lines, up to the version line that then follows them,
have no checksum. Of these the key, which is the digest of the rest of what was asked, and all types must fit.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from vsgen.digests import SIZE
from vsgen.files.appended import Appended
from vsgen.files.contents import PLACE, Contents
from vsgen.files.ends import Begin, End, begin_line, end_line
from vsgen.files.notes import note_line, read_note
from vsgen.files.replies import KINDS, Unreadable, read_reply, said_reply
from vsgen.files.sealed import sealed
from vsgen.files.vectors import Vectors, vectors_path
from vsgen.values import Call, Decide, Embed, Generate, Message, Prompt, Reply, Score, TypedQuestion, Vector

_REMEMBERED = 4096
_KEPT = "kept"
"""The kind of lines that are no call's."""
_NAMES: dict[type[object], list[str]] = {
    kind: sorted(field.name for field in fields(kind)) for kind in (*KINDS, Prompt, Message, TypedQuestion)
}


def digest(model: str, call: Call) -> str:
    """128 bits, as hex, of all that is asked; equal calls of one model have equal digests."""
    asked = orjson.dumps([model, KINDS[type(call)], call], default=_by_name, option=orjson.OPT_PASSTHROUGH_DATACLASS)
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

    def find(self, key: str, call: Call) -> Reply | None:
        """See `vsgen.ports.Journal`."""
        return self._replies.get(key)

    def add(self, key: str, model: str, call: Call, reply: Reply) -> None:
        """Keep the latest probabilities, which may be asked again; a drawn reply has a seed of its own and never is."""
        if isinstance(call, Score | Decide):
            self._replies[key] = reply
            if len(self._replies) > _REMEMBERED:
                del self._replies[next(iter(self._replies))]

    def sync(self) -> None:
        """See `vsgen.ports.Journal`."""

    def begin(self, parts: Mapping[str, object], output: str | None = None) -> None:
        """See `vsgen.ports.Journal`."""

    def end(
        self,
        parts: Mapping[str, object],
        *,
        complete: bool,
        passed: bool = True,
        summary: Mapping[str, object] | None = None,
        made: Mapping[str, str | None] | None = None,
    ) -> None:
        """See `vsgen.ports.Journal`."""

    def note(self, name: str, value: Mapping[str, object]) -> None:
        """See `vsgen.ports.Journal`."""

    def noted(self, name: str) -> Mapping[str, Any] | None:
        """See `vsgen.ports.Journal`."""
        return None

    def keep(self, key: str, value: Mapping[str, object]) -> None:
        """See `vsgen.ports.Journal`."""

    def kept(self, key: str) -> Mapping[str, Any] | None:
        """See `vsgen.ports.Journal`."""
        return None

    @property
    def problems(self) -> Sequence[str]:
        """See `vsgen.ports.Journal`."""
        return ()

    @property
    def unreadable(self) -> int:
        """See `vsgen.ports.Journal`."""
        return 0


class FileJournal:
    """A journal in a file, which one run at a time may hold open, and the vectors beside it.

    Memory grows by a digest and a place a call, less than 40 bytes; replies are read back from disk when asked for.
    """

    def __init__(self, path: Path) -> None:
        """Open or create; cut a torn last line off.

        Raises:
            OutputError: The file cannot be written, or another run holds it.
            OptionError: The file, or the vectors beside it, is something else, of a newer version, or damaged where it
                says what it is.
        """
        self._path = path
        self._files = ExitStack()
        self._file = self._files.enter_context(Appended(path, "the journal"))
        self._vectors: Vectors | None = None
        self._misfits: set[str] = set()
        """Keys whose lines are whole, but hold no reply to their calls."""
        try:
            self._contents = Contents(self._file)
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
        return len(self._contents.places) + (0 if self._vectors is None else len(self._vectors))

    def key(self, model: str, call: Call) -> str:
        """See `vsgen.ports.Journal`."""
        return digest(model, call)

    def find(self, key: str, call: Call) -> Reply | None:
        """See `vsgen.ports.Journal`; a line that cannot be read counts as not there, so its call is asked again."""
        if self._contents.places.get(bytes.fromhex(key)) is None:
            return self._vectors.find(bytes.fromhex(key)) if self._vectors and isinstance(call, Embed) else None
        try:
            entry = self._entry(key) or {}
            return read_reply(call, entry["kind"], entry["reply"])
        except (KeyError, TypeError, Unreadable):
            self._misfits.add(key)
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
        entry = {
            "key": key,
            "kind": KINDS[type(call)],
            "model": model,
            "call": _asked(call),
            "reply": said_reply(reply),
        }
        self._append(key, entry)

    def sync(self) -> None:
        """See `vsgen.ports.Journal`.

        Raises:
            OutputError: The disk did not take it.
        """
        self._file.sync()
        if self._vectors is not None:
            self._vectors.sync()

    def begin(self, parts: Mapping[str, object], output: str | None = None) -> None:
        """See `vsgen.ports.Journal`."""
        self._file.append(begin_line(Begin(parts, output)))

    def end(
        self,
        parts: Mapping[str, object],
        *,
        complete: bool,
        passed: bool = True,
        summary: Mapping[str, object] | None = None,
        made: Mapping[str, str | None] | None = None,
    ) -> None:
        """See `vsgen.ports.Journal`."""
        self._file.append(end_line(End(parts, complete, passed, summary, made)))

    def note(self, name: str, value: Mapping[str, object]) -> None:
        """See `vsgen.ports.Journal`."""
        line = note_line(name, value)
        self._file.append(line)
        self._contents.notes |= read_note(line)

    def noted(self, name: str) -> Mapping[str, Any] | None:
        """See `vsgen.ports.Journal`."""
        return self._contents.notes.get(name)

    def keep(self, key: str, value: Mapping[str, object]) -> None:
        """See `vsgen.ports.Journal`."""
        self._append(key, {"key": key, "kind": _KEPT, "value": value})

    def kept(self, key: str) -> Mapping[str, Any] | None:
        """See `vsgen.ports.Journal`."""
        entry = self._entry(key)
        value = entry.get("value") if entry is not None and entry.get("kind") == _KEPT else None
        return value if isinstance(value, dict) else None

    @property
    def problems(self) -> Sequence[str]:
        """See `vsgen.ports.Journal`."""
        found, vectors = [], self._vectors.unreadable if self._vectors else 0
        if lines := self._contents.damaged + len(self._misfits):
            found.append(f"{self._path}: {_damaged(lines, 'line', 'call is', 'calls are')} asked again")
        if vectors:
            place = vectors_path(self._path)
            found.append(f"{place}: {_damaged(vectors, 'vector', 'text is', 'texts are')} embedded again")
        if unchecked := self._contents.unchecked:
            found.append(
                f"{self._path}: older than checksums, so damage to its first {unchecked} replies may go unnoticed"
            )
        return found

    @property
    def unreadable(self) -> int:
        """See `vsgen.ports.Journal`."""
        return self._contents.damaged + len(self._misfits) + (self._vectors.unreadable if self._vectors else 0)

    def _append(self, key: str, entry: Mapping[str, object]) -> None:
        line = sealed(orjson.dumps(entry, default=_base64))
        self._contents.places[bytes.fromhex(key)] = PLACE.pack(self._file.append(line), len(line))

    def _entry(self, key: str) -> dict[str, Any] | None:
        """The line under a key, parsed; None where there is none, or it is none of ours."""
        place = self._contents.places.get(bytes.fromhex(key))
        if place is None:
            return None
        begin, length = PLACE.unpack(place)
        try:
            entry = orjson.loads(self._file.read(length, begin))
        except orjson.JSONDecodeError:
            return None
        return entry if isinstance(entry, dict) else None

    def _open_vectors(self) -> Vectors:
        if self._vectors is None:
            self._vectors = self._files.enter_context(Vectors(vectors_path(self._path)))
        return self._vectors


def _damaged(count: int, what: str, one: str, several: str) -> str:
    each = f"its {one}" if count == 1 else f"their {several}"
    return f"{count} {what}{'s' * (count > 1)} cannot be read (damaged): {each}"


def _asked(call: Call) -> object:
    if not isinstance(call, Generate) or not call.prefix:
        return call
    return {field: getattr(call, field) for field in call.__slots__} | {"prefix": len(call.prefix)}


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"cannot be written to the journal: {type(value).__name__}")
