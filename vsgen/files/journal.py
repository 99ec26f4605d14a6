"""The journal: every call and its raw reply, one JSON object a line, on disk before anything is derived from it.

A call is named by the digest of what is asked (model, prompt, parameters, seed), so the journal is a cache that any
later run may read: a changed filter or threshold finds all its replies again. A line is written by a single `write`; a
line that a kill or a full disk has torn is cut off when the journal is opened again.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import orjson

from vsgen.errors import OptionError, OutputError
from vsgen.values import (
    Call,
    Check,
    Checked,
    Completion,
    Embed,
    Generate,
    Reply,
    Score,
    Scores,
    Taught,
    Teach,
    Vector,
)

_KEY = b'{"key":"'
_END = b'{"kind":"end"'
_DIGITS = 32
_REMEMBERED = 4096
_KINDS: dict[type[Call], str] = {Generate: "generate", Score: "score", Teach: "teach", Embed: "embed", Check: "check"}
_REPLIES: dict[str, type[Reply]] = {
    "generate": Completion,
    "score": Scores,
    "teach": Taught,
    "embed": Vector,
    "check": Checked,
}


def digest(model: str, call: Call) -> str:
    """128 bits, as hex, of all that is asked; equal calls of one model have equal digests."""
    asked = orjson.dumps([model, _KINDS[type(call)], asdict(call)], option=orjson.OPT_SORT_KEYS)
    return blake2b(asked, digest_size=_DIGITS // 2).hexdigest()


class End(NamedTuple):
    """How a run ended; see `vsgen.ports.Journal.end`."""

    origin: str
    complete: bool
    passed: bool = True


def last_end(path: Path | None) -> End | None:
    """How the last run on a journal ended; None if it did not."""
    if path is None or not path.exists():
        return None
    with path.open("rb") as lines:
        ends = [line for line in lines if line.startswith(_END)]
    try:
        end = orjson.loads(ends[-1])
        return End(end["origin"], end["complete"], end.get("passed", True))
    except (IndexError, KeyError, orjson.JSONDecodeError):
        return None


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

    def end(self, origin: str, *, complete: bool, passed: bool = True) -> None:
        """See `vsgen.ports.Journal`."""


class FileJournal:
    """A journal in a file, which one run at a time may hold open.

    Memory grows by a digest and an offset a call; replies are read back from disk when they are asked for.
    """

    def __init__(self, path: Path) -> None:
        """Open or create; cut a torn last line off.

        Raises:
            OutputError: The file cannot be written, or another run holds it.
            OptionError: The file is something else than a journal.
        """
        self._path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            raise OutputError(
                f"{path}: another vsgen run is writing here; wait for it, or choose another -o"
            ) from error
        except OSError as error:
            raise OutputError(f"{path}: cannot write the journal: {error.strerror}; choose another -o") from error
        head = os.pread(self._file, len(_KEY), 0)
        if head and not (_KEY.startswith(head) or _END.startswith(head)):
            os.close(self._file)
            raise OptionError(f"{path}: is not a journal of vsgen; name another file, or one that does not exist yet")
        self._places = self._read()

    def __enter__(self) -> FileJournal:
        """Return the open journal itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close, and let another run in."""
        with contextlib.suppress(OSError):
            os.fsync(self._file)
        os.close(self._file)

    def __len__(self) -> int:
        """How many different calls are answered in it."""
        return len(self._places)

    def key(self, model: str, call: Call) -> str:
        """See `vsgen.ports.Journal`."""
        return digest(model, call)

    def find(self, key: str) -> Reply | None:
        """See `vsgen.ports.Journal`; a line that cannot be read counts as not there, so its call is asked again."""
        place = self._places.get(bytes.fromhex(key))
        if place is None:
            return None
        try:
            entry = orjson.loads(os.pread(self._file, place[1], place[0]))
            return _reply(entry["kind"], entry["reply"])
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError):
            return None

    def add(self, key: str, model: str, call: Call, reply: Reply) -> None:
        """Append a line. Of a prefix it has the length only: its tokens are those of earlier replies, and in the key.

        Raises:
            OutputError: The line could not be written whole.
        """
        asked = asdict(call)
        if asked.get("prefix"):
            asked["prefix"] = len(asked["prefix"])
        line = orjson.dumps(
            {"key": key, "kind": _KINDS[type(call)], "model": model, "call": asked, "reply": asdict(reply)},
            default=_base64,
        )
        self._places[bytes.fromhex(key)] = (self._append(line), len(line))

    def end(self, origin: str, *, complete: bool, passed: bool = True) -> None:
        """See `vsgen.ports.Journal`."""
        self._append(orjson.dumps({"kind": "end", "origin": origin, "complete": complete, "passed": passed}))

    def _append(self, line: bytes) -> int:
        """Write a line; returns where it begins."""
        try:
            written = os.write(self._file, line + b"\n")
        except OSError as error:
            raise OutputError(f"{self._path}: cannot write the journal: {error.strerror}; {_REMEDY}") from error
        if written <= len(line):
            raise OutputError(f"{self._path}: cannot write the journal: the disk is full; {_REMEDY}")
        self._end += len(line) + 1
        return self._end - len(line) - 1

    def _read(self) -> dict[bytes, tuple[int, int]]:
        places: dict[bytes, tuple[int, int]] = {}
        self._end = 0
        with open(self._file, "rb", closefd=False) as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    os.ftruncate(self._file, self._end)
                    break
                if (key := _key(line)) is not None:
                    places[key] = (self._end, len(line) - 1)
                self._end += len(line)
        return places


_REMEDY = "free some space, then run the same command with --resume"


def _key(line: bytes) -> bytes | None:
    try:
        return bytes.fromhex(line[len(_KEY) : len(_KEY) + _DIGITS].decode("ascii")) if line.startswith(_KEY) else None
    except ValueError:
        return None


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"cannot be written to the journal: {type(value).__name__}")


def _reply(kind: str, values: dict[str, Any]) -> Reply:
    if kind == "embed":
        return Vector(base64.b64decode(values["data"]))
    if kind == "teach":
        values |= {name: base64.b64decode(values[name]) for name in ("top_ids", "top_logps")}
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return _REPLIES[kind](**{**values, **lists})
