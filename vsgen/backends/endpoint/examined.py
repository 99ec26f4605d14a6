"""An examination of a server (`abilities`) over a transport; it waits, so it is for before a run."""

from __future__ import annotations

from collections.abc import Container, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from queue import SimpleQueue
from typing import Final, TypeVar

from vsgen.backends.endpoint.abilities import Found, find_base, found, probes, said_by
from vsgen.backends.endpoint.exchange import Patience
from vsgen.backends.endpoint.http import Request, Response
from vsgen.backends.endpoint.listed import list_others
from vsgen.backends.endpoint.settings import Target
from vsgen.backends.endpoint.transport import EndpointExecutor, Transport
from vsgen.backends.endpoint.wire import Abilities, Dialog, Said
from vsgen.errors import EndpointError, VsgenError
from vsgen.ports import Ticket
from vsgen.values import Answer, Call, Refused, Verified, Verify

R = TypeVar("R")
_PATIENCE: Final = Patience(tries=4, seconds=0.0, limited=60.0, first=0.25, longest=1.0)
"""Whoever typed the command waits. A server that is away for a while lacks no ability: it is waited for, and what
ends the wait is the breaker, with an error."""
_UNKNOWN: Final = 404
"""The status where there is no such model, or no such route."""


def examined(transport: Transport, target: Target, only: Container[str] | None = None) -> Found:
    """What a server can do for a model; its abilities are tried side by side, so that it takes a few replies' time.

    Args:
        transport: How requests get there.
        target: The server, the wire and the model; what it is said to be able to do is not heeded.
        only: The abilities that matter; None for all.

    Raises:
        EndpointError: No request can be answered there: a wrong key, an unknown model, a server that is away.
    """
    with asking(transport, target) as ask:
        base = _based(ask, target, only)
        if base.problem is not None:
            return base
        return found(base.can, ask(probes(target.wire, target.model, base.can, only)))


def _based(ask: Asker, target: Target, only: Container[str] | None) -> Found:
    """Whether the model can be asked at all; where it cannot, why, and which models the server has in its place."""
    try:
        (base,) = ask([find_base(target.wire, target.model, only)])
    except EndpointError as error:
        if error.http != _UNKNOWN:
            raise
        (others,) = ask([list_others(target.wire.name, target.model)])
        raise EndpointError(f"{error}{others}", http=error.http) from None
    if base.problem is None:
        return base
    problem = ask.refused or base.problem
    (others,) = ask([list_others(target.wire.name, target.model)])
    return replace(base, problem=f"{problem}{others}")


@contextmanager
def asking(transport: Transport, target: Target) -> Iterator[Asker]:
    """Within it, requests are sent to a server one by one, outside of a run."""
    relay, box = _Relay(target.wire.name), _Box()
    executor = transport.executor(replace(target, wire=relay), box, patience=_PATIENCE)
    try:
        yield Asker(relay, executor, box)
    finally:
        executor.close(cancel=True)


def refusals(transport: Transport, target: Target, calls: Sequence[Call]) -> list[str | None]:
    """Why a server refuses each of some calls; None of one that it answers, now or perhaps later.

    Args:
        transport: How requests get there.
        target: The server, the wire and the model, with what it can do.
        calls: They are asked side by side.

    Raises:
        EndpointError: No request can be answered there.
    """
    with asking(transport, target) as ask:
        found = ask([said_by(target.wire, call, target.model, target.can) for call in calls])
    return [said.answer.problem if said and isinstance(said.answer, Refused) else None for said in found]


class Asker:
    """Moves dialogs whose requests one server answers; see `asking`."""

    def __init__(self, relay: _Relay, executor: EndpointExecutor, box: _Box) -> None:
        """See `asking`."""
        self._relay, self._executor, self._box = relay, executor, box

    @property
    def refused(self) -> str | None:
        """Why the last request that was given up was."""
        return self._box.refused

    def __call__(self, dialogs: Sequence[Generator[Request, Response | None, R]]) -> list[R]:
        """Move dialogs side by side to their ends; their values, in order.

        Raises:
            EndpointError: No request can be answered there.
        """
        return _moved(dialogs, self._relay, self._executor, self._box)


def _moved(
    dialogs: Sequence[Generator[Request, Response | None, R]], relay: _Relay, executor: EndpointExecutor, box: _Box
) -> list[R]:
    ends: dict[int, R] = {}
    responses: dict[int, Response | None] = dict.fromkeys(range(len(dialogs)))
    begun: set[int] = set()
    while len(ends) < len(dialogs):
        for number, response in responses.items():
            dialog = dialogs[number]
            try:
                request = dialog.send(response) if number in begun else next(dialog)
            except StopIteration as end:
                ends[number] = end.value
                continue
            begun.add(number)
            executor.submit(Ticket(0, number), relay.call(number, request))
        executor.flush()
        responses = {number: relay.taken(number) for number in (box.wait() if len(ends) < len(dialogs) else ())}
    return [ends[number] for number in range(len(dialogs))]


class _Relay:
    """A wire whose calls are numbers of requests that it holds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._requests: dict[str, Request] = {}
        self._responses: dict[str, Response] = {}

    def call(self, number: int, request: Request) -> Call:
        """The call that has a request sent."""
        self._requests[str(number)] = request
        return Verify((), str(number))

    def taken(self, number: int) -> Response | None:
        """The response to the last request of this number; None if that was given up."""
        return self._responses.pop(str(number), None)

    def lacks(self, call: Call, can: Abilities) -> str | None:
        """See `vsgen.backends.endpoint.wire.Wire`."""
        return None

    def dialog(self, call: Call, model: str, can: Abilities) -> Dialog:
        """See `vsgen.backends.endpoint.wire.Wire`."""
        assert isinstance(call, Verify)
        self._responses[call.row] = yield self._requests[call.row]
        return Said(Verified(ok=True))


class _Box:
    """Where the answers come in."""

    def __init__(self) -> None:
        self._letters: SimpleQueue[Sequence[int] | VsgenError] = SimpleQueue()
        self.refused: str | None = None
        """Why the last request that was given up was."""

    def put_all(self, letters: Sequence[tuple[Ticket, Answer]]) -> None:
        """See `vsgen.ports.Letterbox`."""
        for _, answer in letters:
            self.refused = answer.problem if isinstance(answer, Refused) else self.refused
        self._letters.put([ticket.place for ticket, _ in letters])

    def fail(self, error: VsgenError) -> None:
        """See `vsgen.ports.Letterbox`."""
        self._letters.put(error)

    def wait(self) -> Sequence[int]:
        """Wait for answers; which they are. Raises what has failed for good."""
        letter = self._letters.get()
        if isinstance(letter, VsgenError):
            raise letter
        return letter
