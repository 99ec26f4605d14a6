"""The mailbox: the one place where the engine waits, and where whoever computes puts answers, from any thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue

from vsgen.errors import VsgenError
from vsgen.ports import Ticket
from vsgen.values import Answer


class Mailbox:
    """Answers on their way to the engine, in the order in which they came in.

    `put`, `put_all`, `wake` and `fail` may be called from any thread and never block; `wait` is called by the engine
    alone. What `wait` gives out stays here until it is called again, so that an interruption in between loses nothing.
    """

    def __init__(self) -> None:
        self._letters: deque[tuple[Ticket, Answer]] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._given = 0
        """Letters that the engine has had."""
        self._error: VsgenError | None = None

    def put(self, ticket: Ticket, answer: Answer) -> None:
        """Answer a call."""
        self._letters.append((ticket, answer))
        self._bell.put(None)

    def put_all(self, letters: Sequence[tuple[Ticket, Answer]]) -> None:
        """Answer several calls, and wake the engine once."""
        self._letters.extend(letters)
        self._bell.put(None)

    def wake(self) -> None:
        """Let the engine look around: a source has something, say."""
        self._bell.put(None)

    def fail(self, error: VsgenError) -> None:
        """Say that a device has failed for good; the engine raises this once it has had all answers."""
        self._error = self._error or error
        self._bell.put(None)

    def wait(self, seconds: float | None = None) -> list[tuple[Ticket, Answer]]:
        """All that came in since; waits until something does, or `seconds` have passed. Ctrl-C gets out at once.

        Raises:
            VsgenError: What `fail` was given.
        """
        while self._given:
            self._given -= 1
            self._letters.popleft()
        if not self._letters and self._error is None:
            self._listen(seconds)
        count = len(self._letters)
        letters = [self._letters[i] for i in range(count)]  # others append meanwhile
        self._given = count
        if self._error is not None and not letters:
            raise self._error
        return letters

    def again(self) -> None:
        """Let `wait` give out once more what it gave last: an interruption may have come in between."""
        self._given = 0

    def _listen(self, seconds: float | None) -> None:
        with suppress(Empty):
            self._bell.get(timeout=seconds)
            for _ in range(self._bell.qsize()):
                self._bell.get_nowait()
