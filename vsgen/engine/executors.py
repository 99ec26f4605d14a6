"""Executors over models that live in this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, cast

from vsgen.errors import CallError
from vsgen.ports import Executor, LanguageModel, Streaming
from vsgen.values import Call, Generate, Reply

C = TypeVar("C", bound=Call)


class Batched(Generic[C]):
    """Gathers calls, and answers up to `size` of the oldest at once with a plain batch function.

    Where the function refuses a batch because of one call, the batch is halved until that call stands alone; the others
    are answered all the same.
    """

    def __init__(self, answer: Callable[[Sequence[C]], Sequence[Reply]], size: int) -> None:
        self._answer = answer
        self._size = size
        self._queue: deque[tuple[int, C]] = deque()

    def submit(self, ticket: int, call: Call) -> None:
        """Put a call in the queue."""
        self._queue.append((ticket, cast(C, call)))

    def collect(self) -> Sequence[tuple[int, Reply | CallError]]:
        """Answer the oldest calls of the queue, in its order."""
        batch = [self._queue.popleft() for _ in range(min(self._size, len(self._queue)))]
        replies = self._replies([call for _, call in batch])
        return [(ticket, reply) for (ticket, _), reply in zip(batch, replies, strict=True)]

    def _replies(self, calls: Sequence[C]) -> Sequence[Reply | CallError]:
        if not calls:
            return ()
        try:
            return self._answer(calls)
        except CallError as error:
            if len(calls) == 1:
                return [error]
        half = len(calls) // 2
        return [*self._replies(calls[:half]), *self._replies(calls[half:])]


def decoder(model: LanguageModel, size: int) -> Executor:
    """The executor of a model's `Generate` calls: its own running batch where it has one."""
    if isinstance(model, Streaming):
        return model.decoder()
    return Batched[Generate](model.generate, size)
