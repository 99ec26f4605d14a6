"""An examination of a server (`abilities`) over a transport; it waits, so it is for before a run."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from queue import SimpleQueue

from vsgen.backends.endpoint.abilities import Found, examine
from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.settings import Target
from vsgen.backends.endpoint.transport import EndpointExecutor, Transport
from vsgen.backends.endpoint.wire import Abilities, Dialog, Said
from vsgen.errors import VsgenError
from vsgen.ports import Ticket
from vsgen.values import Answer, Call, Verified, Verify


def examined(transport: Transport, target: Target, only: Container[str] | None = None) -> Found:
    """What a server can do for a model, asked in as many requests as that takes.

    Args:
        transport: How requests get there.
        target: The server, the wire and the model; what it is said to be able to do is not heeded.
        only: The abilities that matter; None for all.

    Raises:
        EndpointError: No request can be answered there: a wrong key, an unknown model, a server that is away.
    """
    relay, box = _Relay(target.wire.name), _Box()
    executor = transport.executor(replace(target, wire=relay), box)
    try:
        return _moved(target, only, relay, executor, box)
    finally:
        executor.close(cancel=True)


def _moved(target: Target, only: Container[str] | None, relay: _Relay, executor: EndpointExecutor, box: _Box) -> Found:
    dialog = examine(target.wire, target.model, only)
    place = 0
    try:
        relay.request = next(dialog)
        while True:
            relay.response = None
            executor.submit(Ticket(0, place), _ANY)
            executor.flush()
            box.wait()
            relay.request, place = dialog.send(relay.response), place + 1
    except StopIteration as end:
        found: Found = end.value
        return found


_ANY = Verify((), "")
"""Stands for the request that the relay holds."""


class _Relay:
    """A wire whose every call is the one request that it holds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.request = Request("")
        self.response: Response | None = None
        """To the last request; None if that was given up."""

    def lacks(self, call: Call, can: Abilities) -> str | None:
        """See `vsgen.backends.endpoint.wire.Wire`."""
        return None

    def dialog(self, call: Call, model: str, can: Abilities) -> Dialog:
        """See `vsgen.backends.endpoint.wire.Wire`."""
        self.response = yield self.request
        return Said(Verified(ok=True))


class _Box:
    """Where the answers come in."""

    def __init__(self) -> None:
        self._letters: SimpleQueue[VsgenError | None] = SimpleQueue()

    def put_all(self, letters: Sequence[tuple[Ticket, Answer]]) -> None:
        """See `vsgen.ports.Letterbox`."""
        for _ in letters:
            self._letters.put(None)

    def fail(self, error: VsgenError) -> None:
        """See `vsgen.ports.Letterbox`."""
        self._letters.put(error)

    def wait(self) -> None:
        """Wait for one answer; raises what has failed for good."""
        if (error := self._letters.get()) is not None:
            raise error
