"""Responses that later runs need again, kept in the journal by the digests of their requests.

A reply is in the journal as every reply is. What would be lost is: the responses of a dialog that is not at its end,
those of a call that was refused (which the journal does not remember, and which would be asked again in every round),
and how often a request was answered in vain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Protocol

from vsgen.backends.endpoint.batch.lines import Came, Lost
from vsgen.backends.endpoint.batch.names import ATTEMPTS, Name
from vsgen.backends.endpoint.batch.results import Found, Results, usable
from vsgen.backends.endpoint.http import Response
from vsgen.values import Usage


class Memory(Protocol):
    """Where they are kept; `vsgen.ports.Journal` is one."""

    def keep(self, key: str, value: Mapping[str, object]) -> None:
        """Keep a JSON object under a digest."""
        ...

    def kept(self, key: str) -> Mapping[str, Any] | None:
        """What was last kept under it; None if nothing was."""
        ...


class Shelf:
    """All responses that have come: those of the files of results, and those that were kept."""

    def __init__(self, results: Results | None, memory: Memory) -> None:
        """Set up.

        Args:
            results: Of this run; None if it was given none.
            memory: Of the runs before.
        """
        self._results = results
        self._memory = memory

    def find(self, name: Name) -> Found | None:
        """What came of the latest attempt of a request, of those of use the newest; None if nothing came."""
        new = self._results.find(name) if self._results else None
        old = _read(self._memory.kept(name.digest))
        if new is None or old is None:
            return new or old
        best = old if usable(new.came) and not usable(old.came) else new
        return Found(max(new.attempt, old.attempt), best.came, old.taken, best.kept)

    def keep(self, name: Name, found: Found) -> None:
        """Keep a response, where it is not kept already.

        Raises:
            OutputError: The journal cannot be written.
        """
        value, before = _written(found), self._memory.kept(name.digest)
        if before != value and not _counted(before, found):
            self._memory.keep(name.digest, value)


def _counted(before: Mapping[str, Any] | None, found: Found) -> bool:
    """Whether an attempt of no use is kept already: the same results may be read again."""
    old = _read(before)
    both_lost = old is not None and isinstance(old.came, Lost) and isinstance(found.came, Lost)
    return both_lost and old is not None and old.attempt >= found.attempt


def _written(found: Found) -> dict[str, object]:
    taken = {"usage": asdict(found.taken)} if found.taken.total else {}
    if isinstance(found.came, Lost):
        return {"attempt": found.attempt, "lost": found.came.why, **taken}
    body = found.came.body.decode("utf-8", "replace")
    return {"attempt": found.attempt, "status": found.came.status, "body": body, **taken}


def _read(value: Mapping[str, Any] | None) -> Found | None:
    """What was kept; None where it is not of the right types, so that the request is sent again."""
    if value is None:
        return None
    attempt, came = value.get("attempt"), _came(value)
    if came is None or type(attempt) is not int or not 1 <= attempt <= ATTEMPTS:
        return None
    return Found(attempt, came, _taken(value.get("usage")), kept=True)


def _taken(value: object) -> Usage:
    counts = value if isinstance(value, dict) else {}
    names = [field.name for field in fields(Usage)]
    return Usage(**{name: one for name in names if type(one := counts.get(name)) is int and one > 0})


def _came(value: Mapping[str, Any]) -> Came | None:
    match value.get("lost"), value.get("status"), value.get("body"):
        case str(why), None, None:
            return Lost(why)
        case None, int(status), str(body) if 200 <= status < 600:
            return Response(status, body=body.encode())
        case _:
            return None
