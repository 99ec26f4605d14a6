"""The mailbox: the one place where the engine waits, and where whoever computes puts answers, from any thread."""

from __future__ import annotations

from queue import Empty, SimpleQueue

from vsgen.errors import VsgenError
from vsgen.ports import Ticket
from vsgen.values import Answer


class Mailbox:
    """Answers on their way to the engine, in the order in which they came in.

    `put`, `wake` and `fail` may be called from any thread and never block; `wait` is called by the engine alone.
    """

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[Ticket, Answer] | VsgenError | None] = SimpleQueue()
        self._error: VsgenError | None = None

    def put(self, ticket: Ticket, answer: Answer) -> None:
        """Answer a call."""
        self._waiting.put((ticket, answer))

    def wake(self) -> None:
        """Let the engine look around: a source has something, say."""
        self._waiting.put(None)

    def fail(self, error: VsgenError) -> None:
        """Say that a device has failed for good; the engine raises this when it waits next."""
        self._waiting.put(error)

    def wait(self, seconds: float | None = None) -> list[tuple[Ticket, Answer]]:
        """All that came in since; waits until something does, or `seconds` have passed. Ctrl-C gets out at once.

        Raises:
            VsgenError: What `fail` was given, once all answers that came with it are taken out.
        """
        letters = self._letters(0 if self._error else seconds)
        self._error = self._error or next((one for one in letters if isinstance(one, VsgenError)), None)
        answers = [letter for letter in letters if isinstance(letter, tuple)]
        if self._error is not None and not answers:
            raise self._error
        return answers

    def _letters(self, seconds: float | None) -> list[tuple[Ticket, Answer] | VsgenError | None]:
        try:
            first = self._waiting.get(timeout=seconds)
        except Empty:
            return []
        return [first, *(self._waiting.get_nowait() for _ in range(self._waiting.qsize()))]
