"""A dialog over several runs: moved as far as the responses go that have come so far; pure.

Each run begins the dialog anew and feeds it what came of its requests, in their order, until one has not come. That
request is the next one to be written. So nothing of a dialog has to be kept but its responses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from vsgen.backends.endpoint.batch.lines import Lost
from vsgen.backends.endpoint.batch.names import ATTEMPTS, Name, name_of
from vsgen.backends.endpoint.batch.results import Found, in_vain, usable
from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.wire import Dialog, Said, Unreadable
from vsgen.values import Refused

Find: TypeAlias = Callable[[Name], Found | None]
"""What came of the latest attempt of a request; None if nothing did."""


@dataclass(frozen=True, slots=True)
class Waits:
    """A dialog that can go no further."""

    name: Name
    request: Request
    """To be sent."""
    lost: Lost | None = None
    """Why it is sent again; None if nothing has come of it."""


@dataclass(frozen=True, slots=True)
class Round:
    """How far a dialog has come."""

    end: Said | Waits
    used: tuple[tuple[Name, Found], ...] = ()
    """What it was given, in order; at the end what made it be refused or wait, if that counts as an attempt."""


def played(dialog: Dialog, key: str, find: Find) -> Round:
    """Move a dialog as far as the responses go.

    Args:
        dialog: Of the call, not begun.
        key: Of the call in the journal.
        find: Knows the responses.
    """
    used: list[tuple[Name, Found]] = []
    step = _moved(dialog, None)
    while isinstance(step, Request):
        name = name_of(key, step, len(used) + 1)
        if (found := find(name)) is None:
            return Round(Waits(name, step), tuple(used))
        after = _fed(dialog, found)
        if isinstance(after, Lost):
            return _again(name, step, found, after, used)
        used.append((name, found))
        step = after
    if isinstance(step, Lost):
        raise TypeError("a dialog begins with a request")
    return Round(step, tuple(used))


def _fed(dialog: Dialog, found: Found) -> Request | Said | Lost:
    """The next step of a dialog after a response, or why it cannot have it."""
    if (lost := usable(found.came)) is not None or not isinstance(found.came, Response):
        return lost or Lost("no response")
    return _moved(dialog, found.came)


def _again(name: Name, request: Request, found: Found, lost: Lost, used: list[tuple[Name, Found]]) -> Round:
    """A request is written again, or its call is given up."""
    kept = (*used, (name, in_vain(found, lost))) if lost.blamed else tuple(used)
    if (waits := again(name, request, found.attempt, lost)) is not None:
        return Round(waits, kept)
    why = f"no usable reply in {found.attempt} batches: {lost.why}"
    return Round(Said(Refused("refused", why)), kept)


def again(name: Name, request: Request, attempt: int, lost: Lost) -> Waits | None:
    """A request that is to be sent again; None where that was done too often.

    Args:
        name: Its name, whatever the attempt.
        request: The request.
        attempt: The latest one.
        lost: What came of it.
    """
    following = attempt + lost.blamed
    return None if following > ATTEMPTS else Waits(name._replace(attempt=following), request, lost)


def _moved(dialog: Dialog, response: Response | None) -> Request | Said | Lost:
    try:
        step = next(dialog) if response is None else dialog.send(response)
    except StopIteration as end:
        said: Said = end.value
        return said
    return Lost(f"a reply that cannot be read: {step}") if isinstance(step, Unreadable) else step
