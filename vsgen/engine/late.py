"""A queue over a model that may never be needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vsgen.ports import Drawing, Queue, Ticket
from vsgen.values import Answer, Call


class Late:
    """A queue that is made when the first of its calls is to be computed, in the thread that computes."""

    def __init__(self, make: Callable[[], Queue]) -> None:
        """Set up; `make` may take long, and raise what opening a model raises."""
        self._make = make
        self._waiting: list[tuple[Ticket, Call]] = []
        self._inner: Queue | None = None

    def submit(self, ticket: Ticket, call: Call) -> None:
        """Take a call."""
        self._waiting.append((ticket, call))

    def work(self) -> Sequence[tuple[Ticket, Answer]]:
        """Hand on what was taken, and let the queue do a step."""
        if self._inner is None:
            if not self._waiting:
                return ()
            self._inner = self._make()
        waiting, self._waiting = self._waiting, []
        for ticket, call in waiting:
            self._inner.submit(ticket, call)
        return self._inner.work()

    def drawing(self) -> Sequence[tuple[Ticket, int]]:
        """What the queue draws, once it is made; see `vsgen.ports.Drawing`."""
        return self._inner.drawing() if isinstance(self._inner, Drawing) else ()
