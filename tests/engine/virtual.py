"""A clock that is none: simulated time passes while the engine waits, so laws about time are exact and instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from heapq import heappop, heappush
from typing import Generic, TypeVar

from vsgen.errors import VsgenError
from vsgen.flow import Flow
from vsgen.ports import Ticket
from vsgen.values import Answer, Call

R = TypeVar("R")


class Stuck(Exception):
    """The engine waits for something that will never come."""


class Clock:
    """A mailbox whose `wait` runs what was planned, in the order of its time, until something is put into it."""

    def __init__(self) -> None:
        self.now = 0.0
        """Seconds."""
        self._plans: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._letters: list[tuple[Ticket, Answer] | VsgenError | None] = []

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Plan something; what is planned for the same time is done in the order in which it was planned."""
        self._count += 1
        heappush(self._plans, (self.now + seconds, self._count, do))

    def put(self, ticket: Ticket, answer: Answer) -> None:
        """See `vsgen.engine.mailbox.Mailbox`."""
        self._letters.append((ticket, answer))

    def wake(self) -> None:
        """See `vsgen.engine.mailbox.Mailbox`."""
        self._letters.append(None)

    def fail(self, error: VsgenError) -> None:
        """See `vsgen.engine.mailbox.Mailbox`."""
        self._letters.append(error)

    def wait(self, seconds: float | None = None) -> Sequence[tuple[Ticket, Answer]]:
        """See `vsgen.ports.Answers`."""
        while not self._letters and seconds is None:
            if not self._plans:
                raise Stuck
            self.now, _, do = heappop(self._plans)
            do()
        letters, self._letters = self._letters, []
        for letter in letters:
            if isinstance(letter, VsgenError):
                raise letter
        return [letter for letter in letters if isinstance(letter, tuple)]


class Server:
    """An executor that has so many calls in flight at once, the oldest first, each for as long as `latency` says."""

    def __init__(
        self,
        clock: Clock,
        answer: Callable[[Call], Answer],
        latency: Callable[[Call], float | None],
        *,
        limit: int = 64,
    ) -> None:
        """Set up; a call whose latency is None is never answered."""
        self._clock = clock
        self._answer = answer
        self._latency = latency
        self._limit = limit
        self._waiting: list[tuple[Ticket, Call]] = []
        self._flying = 0
        self.asked = 0
        """Calls."""
        self.took: list[float] = []
        """Seconds of each call that is answered, in the order in which they were sent."""
        self.most = 0
        """Calls in flight at once."""

    def submit(self, ticket: Ticket, call: Call) -> None:
        """See `vsgen.ports.Executor`."""
        heappush(self._waiting, (ticket, call))

    def flush(self) -> None:
        """See `vsgen.ports.Executor`."""
        while self._waiting and self._flying < self._limit:
            ticket, call = heappop(self._waiting)
            self._flying += 1
            self.most = max(self.most, self._flying)
            self.asked += 1
            seconds = self._latency(call)
            if seconds is not None:
                self.took.append(seconds)
                self._clock.after(seconds, partial(self._done, ticket, call))

    def room(self) -> int:
        """See `vsgen.ports.Executor`."""
        return 2 * self._limit - self._flying - len(self._waiting)

    def close(self, *, cancel: bool) -> None:
        """See `vsgen.ports.Executor`."""
        self._waiting = []

    def _done(self, ticket: Ticket, call: Call) -> None:
        self._flying -= 1
        self._clock.put(ticket, self._answer(call))
        self.flush()


class Batches:
    """An executor that computes all that waits, up to `size`, one batch after the other, `seconds` for each call."""

    def __init__(self, clock: Clock, answer: Callable[[Call], Answer], *, seconds: float, size: int = 256) -> None:
        self._clock = clock
        self._answer = answer
        self._seconds = seconds
        self._size = size
        self._waiting: list[tuple[Ticket, Call]] = []
        self._computing = False

    def submit(self, ticket: Ticket, call: Call) -> None:
        """See `vsgen.ports.Executor`."""
        heappush(self._waiting, (ticket, call))

    def flush(self) -> None:
        """See `vsgen.ports.Executor`."""
        if self._waiting and not self._computing:
            self._computing = True
            batch = [heappop(self._waiting) for _ in range(min(self._size, len(self._waiting)))]
            self._clock.after(self._seconds * len(batch), partial(self._done, batch))

    def room(self) -> int:
        """See `vsgen.ports.Executor`."""
        return 2 * self._size - len(self._waiting)

    def close(self, *, cancel: bool) -> None:
        """See `vsgen.ports.Executor`."""
        self._waiting = []

    def _done(self, batch: Sequence[tuple[Ticket, Call]]) -> None:
        self._computing = False
        for ticket, call in batch:
            self._clock.put(ticket, self._answer(call))
        self.flush()


class Slow(Generic[R]):
    """A source whose flows come one by one, each so many seconds after the one before."""

    def __init__(self, clock: Clock, flows: Iterable[Flow[R]], *, seconds: float) -> None:
        self._clock = clock
        self._flows: Iterator[Flow[R]] = iter(flows)
        self._seconds = seconds
        self._there: list[Flow[R]] = []
        self._error: VsgenError | None = None
        self.ended = False
        clock.after(seconds, self._come)

    def take(self) -> Flow[R] | None:
        """See `vsgen.ports.Source`."""
        if self._there:
            return self._there.pop(0)
        if self._error is not None:
            raise self._error
        return None

    def _come(self) -> None:
        try:
            self._there.append(next(self._flows))
        except StopIteration:
            self.ended = True
        except VsgenError as error:
            self._error = error
        else:
            self._clock.after(self._seconds, self._come)
        self._clock.wake()
