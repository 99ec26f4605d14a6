"""A worker: one thread that computes for one device, which has one or several queues.

The queue that the oldest waiting ticket stands in does a step, then the worker looks again. What a step finished goes
into the mailbox at once; what was submitted meanwhile joins before the next step. So the steps of queues should be
short: a decoder makes one step of its running batch, which new calls join.
"""

from __future__ import annotations

import atexit
import ctypes
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from queue import SimpleQueue
from typing import Final

from vsgen.engine.mailbox import Mailbox
from vsgen.errors import ModelError, VsgenError
from vsgen.ports import Drawing, Queue, Ticket
from vsgen.values import Call

_GRACE: Final = 0.1
"""Seconds within which a step ends that is not interrupted."""
_AGAIN: Final = 0.5
"""Seconds after which an interruption that had no effect is repeated."""


class _Interrupted(BaseException):
    """Raised by `close` in the thread itself, in the middle of a step."""


@dataclass(slots=True)
class _Line:
    """Who waits in one queue."""

    queue: Queue
    tickets: list[Ticket] = field(default_factory=list)
    """A heap; those answered are dropped from it when they come to its top."""
    open: set[Ticket] = field(default_factory=set)

    def oldest(self) -> Ticket | None:
        while self.tickets and self.tickets[0] not in self.open:
            heappop(self.tickets)
        return self.tickets[0] if self.tickets else None


class Worker:
    """An executor with a thread of its own, which starts with the first call."""

    def __init__(
        self,
        queues: Mapping[type[Call], Queue],
        mailbox: Mailbox,
        *,
        name: str,
        capacity: int,
        interrupt: Callable[[], None] | None = None,
    ) -> None:
        """Set up.

        Args:
            queues: What the device computes, by the kind of call.
            mailbox: Where answers go.
            name: Of the device, for messages.
            capacity: Calls that may be here before it has enough; no call is refused for that.
            interrupt: Called, in the thread that closes, to end a step that waits for something outside of Python.
        """
        self._lines = {kind: _Line(queue) for kind, queue in queues.items()}
        self._order = list(self._lines.values())
        self._mailbox = mailbox
        self._name = name
        self._capacity = capacity
        self._interrupt = interrupt
        self._new: list[tuple[Ticket, Call]] = []
        self._handed_in: SimpleQueue[list[tuple[Ticket, Call]] | None] = SimpleQueue()
        self._submitted = 0
        self._answered = 0
        self._closing = self._cancelled = self._computing = False
        self._thread: threading.Thread | None = None

    def submit(self, ticket: Ticket, call: Call) -> None:
        """Take a call; it is begun with after `flush`."""
        self._new.append((ticket, call))
        self._submitted += 1

    def flush(self) -> None:
        """Hand in what was submitted."""
        if not self._new:
            return
        self._handed_in.put(self._new)
        self._new = []
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"vsgen {self._name}", daemon=True)
            atexit.register(self.close, cancel=True)  # a thread that computes while the interpreter ends crashes it
            self._thread.start()

    def room(self) -> int:
        """How many more calls it could use now."""
        return self._capacity - self._submitted + self._answered

    def drawing(self) -> list[tuple[Ticket, int]]:
        """The replies that its queues draw, and how long they are so far; may be asked in any thread."""
        return [one for line in self._order if isinstance(line.queue, Drawing) for one in line.queue.drawing()]

    def cancel(self) -> None:
        """Give up what was handed in; `close` then waits for the thread."""
        self._closing = self._cancelled = True
        self._handed_in.put(None)

    def close(self, *, cancel: bool) -> None:
        """Finish what was handed in, or give it up within a second; the thread has ended when this returns."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._closing, self._cancelled = True, cancel
        self._handed_in.put(None)
        try:
            thread.join(_GRACE if cancel else None)
            while thread.is_alive():
                self._break_off(thread)
                thread.join(_AGAIN)
        finally:
            self._thread = thread if thread.is_alive() else None
            if self._thread is None:
                atexit.unregister(self.close)

    def _break_off(self, thread: threading.Thread) -> None:
        if self._interrupt is not None:
            self._interrupt()
        if self._computing and thread.ident is not None:
            _raise_in(thread.ident)

    def _run(self) -> None:
        try:
            while self._receive():
                self._step()
        except _Interrupted:
            pass
        except VsgenError as error:
            self._fail(error)
        except BaseException as error:
            self._fail(ModelError(f"{self._name}: {type(error).__name__}: {error}"))

    def _fail(self, error: VsgenError) -> None:
        if not self._cancelled:  # else it may be what the interruption has become
            self._mailbox.fail(error)

    def _receive(self) -> bool:
        """Take what was handed in, and wait for it where there is nothing else to do; whether there is work."""
        while not self._cancelled:
            idle = not any(line.open for line in self._order)
            if not self._handed_in.empty() or (idle and not self._closing):
                for ticket, call in self._handed_in.get() or ():
                    line = self._lines[type(call)]
                    heappush(line.tickets, ticket)
                    line.open.add(ticket)
                    line.queue.submit(ticket, call)
            else:
                return not idle
        return False

    def _step(self) -> None:
        _, first = min((oldest, i) for i, line in enumerate(self._order) if (oldest := line.oldest()))
        line = self._order[first]
        self._computing = True
        try:
            answers = line.queue.work()
        finally:
            self._computing = False
        for ticket, answer in answers:
            line.open.discard(ticket)
            self._answered += 1
            self._mailbox.put(ticket, answer)


def _raise_in(thread: int) -> None:
    """Raise `_Interrupted` in a thread, but not while one is being started.

    CPython gives a new thread the identity of its starter until it runs, and so the exception as well: it would die
    before its first line, and who started it (a library that opens a model, say) would wait for it for ever.
    """
    with threading._active_limbo_lock:  # type: ignore[attr-defined]  # a thread is in limbo from before it is started
        if not threading._limbo:  # type: ignore[attr-defined]
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(_Interrupted))
