"""Executors over models that live in this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar, cast

from vsgen.errors import CallError
from vsgen.ports import Executor, LanguageModel, Streaming
from vsgen.values import Call, Directed, Generate, Reply

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


class Directory:
    """Hands a directed call to the executor of the model that it names.

    The executors may be others' as well, and then answer calls that others submitted; those are passed on.
    """

    def __init__(self, models: Mapping[str, Mapping[type[Call], Executor]]) -> None:
        self._models = models
        self._waiting: dict[int, Executor] = {}

    def submit(self, ticket: int, call: Call) -> None:
        """Put a directed call in its executor's queue."""
        if not isinstance(call, Directed):
            raise TypeError(f"{type(call).__name__} names no model")
        executor = self._models[call.model][type(call.call)]
        executor.submit(ticket, call.call)
        self._waiting[ticket] = executor

    def collect(self) -> Sequence[tuple[int, Reply | CallError]]:
        """Let the executor of the oldest call work."""
        while self._waiting:
            executor = next(iter(self._waiting.values()))
            answered = executor.collect()
            for ticket, _ in answered:
                self._waiting.pop(ticket, None)
            if answered:
                return answered
            self._waiting = {ticket: other for ticket, other in self._waiting.items() if other is not executor}
        return ()


def decoder(model: LanguageModel, size: int) -> Executor:
    """The executor of a model's `Generate` calls: its own running batch where it has one."""
    if isinstance(model, Streaming):
        return model.decoder()
    return Batched[Generate](model.generate, size)
