"""Answers calls from the journal, and puts every new reply into it before anyone sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vsgen.errors import CallError
from vsgen.ports import Executor, Journal
from vsgen.values import Call, Reply


class Replay:
    """An executor in front of another one. A call that was answered once is never asked again."""

    def __init__(
        self, inner: Executor, journal: Journal, model: str, *, paid: Callable[[Call, Reply], None] | None = None
    ) -> None:
        """Set up; `paid` is told of every reply that `inner` gave, once it is in the journal."""
        self._inner = inner
        self._journal = journal
        self._model = model
        self._paid = paid
        self._known: list[tuple[int, Reply]] = []
        self._asked: dict[int, tuple[str, Call]] = {}
        self._same: dict[str, list[int]] = {}

    def submit(self, ticket: int, call: Call) -> None:
        """Look the call up; ask it if it is new and not already on its way."""
        key = self._journal.key(self._model, call)
        reply = self._journal.find(key)
        if reply is not None:
            self._known.append((ticket, reply))
        elif key in self._same:
            self._same[key].append(ticket)
        else:
            self._inner.submit(ticket, call)
            self._same[key] = []
            self._asked[ticket] = (key, call)

    def collect(self) -> Sequence[tuple[int, Reply | CallError]]:
        """Known replies if there are any, else new ones; an error is no reply and is not remembered."""
        if self._known:
            known, self._known = self._known, []
            return known
        return [answered for ticket, reply in self._inner.collect() for answered in self._keep(ticket, reply)]

    def _keep(self, ticket: int, reply: Reply | CallError) -> list[tuple[int, Reply | CallError]]:
        key, call = self._asked.pop(ticket)
        if not isinstance(reply, CallError):
            self._journal.add(key, self._model, call, reply)
            if self._paid:
                self._paid(call, reply)
        return [(t, reply) for t in (ticket, *self._same.pop(key))]
