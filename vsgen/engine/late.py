"""An executor over a model that may never be needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vsgen.errors import CallError
from vsgen.ports import Executor
from vsgen.values import Call, Reply


class Late:
    """An executor that is made when the first of its calls is to be answered, by whoever lets it work."""

    def __init__(self, make: Callable[[], Executor]) -> None:
        """Set up; `make` may take long, and raise what opening a model raises."""
        self._make = make
        self._waiting: list[tuple[int, Call]] = []
        self._inner: Executor | None = None

    def submit(self, ticket: int, call: Call) -> None:
        """Put a call in the queue."""
        self._waiting.append((ticket, call))

    def collect(self) -> Sequence[tuple[int, Reply | CallError]]:
        """Hand on what was put in the queue, and let the executor work; what it does not take is answered with why."""
        if self._inner is None:
            if not self._waiting:
                return ()
            self._inner = self._make()
        waiting, self._waiting = self._waiting, []
        refused = [(ticket, why) for ticket, call in waiting if (why := _handed_on(self._inner, ticket, call))]
        return refused or self._inner.collect()


def _handed_on(executor: Executor, ticket: int, call: Call) -> CallError | None:
    try:
        executor.submit(ticket, call)
    except CallError as error:
        return error
    return None
