"""Queues over models that live in this process, and who finds the right one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Generic, TypeVar, cast

from vsgen.errors import CallError, no_memory, short_of_memory
from vsgen.flow import refusal
from vsgen.ports import Executor, LanguageModel, Queue, Streaming, Ticket
from vsgen.values import Answer, Call, Directed, Generate, Refused, Reply

C = TypeVar("C", bound=Call)


class Batched(Generic[C]):
    """Gathers calls, and answers up to `size` of the oldest at once with a plain batch function.

    Where the function refuses a batch because of one call, or memory does not suffice for it, the batch is halved until
    that call stands alone; the others are answered all the same. Later batches are no larger than memory sufficed for.
    """

    def __init__(self, answer: Callable[[Sequence[C]], Sequence[Reply]], size: int) -> None:
        self._answer = answer
        self._size = size
        self._waiting: list[tuple[Ticket, C]] = []

    def submit(self, ticket: Ticket, call: Call) -> None:
        """Take a call."""
        heappush(self._waiting, (ticket, cast(C, call)))

    def work(self) -> Sequence[tuple[Ticket, Answer]]:
        """Answer the oldest calls, one batch of them."""
        batch = [heappop(self._waiting) for _ in range(min(self._size, len(self._waiting)))]
        answers = self._answers([call for _, call in batch])
        return [(ticket, answer) for (ticket, _), answer in zip(batch, answers, strict=True)]

    def _answers(self, calls: Sequence[C]) -> Sequence[Answer]:
        if not calls:
            return ()
        try:
            return self._answer(calls)
        except CallError as error:
            alone, large = refusal(error), False
        except (MemoryError, RuntimeError) as error:
            if not short_of_memory(error):
                raise
            alone, large = refusal(no_memory(error)), True
        if len(calls) == 1:
            return [alone]
        half = len(calls) // 2
        answers = [*self._answers(calls[:half]), *self._answers(calls[half:])]
        if large and not any(isinstance(answer, Refused) for answer in answers):  # no single call was to blame
            self._size = min(self._size, half)
        return answers


class Directory:
    """Hands a directed call to the executor of the model that it names; those who own these close them."""

    def __init__(self, models: Mapping[str, Mapping[type[Call], Executor]]) -> None:
        self._models = models

    def submit(self, ticket: Ticket, call: Call) -> None:
        """Hand a directed call on."""
        if not isinstance(call, Directed):
            raise TypeError(f"{type(call).__name__} names no model")
        self._models[call.model][type(call.call)].submit(ticket, call.call)

    def flush(self) -> None:
        """Let all begin."""
        for executor in self._executors():
            executor.flush()

    def room(self) -> int:
        """As much as where there is least."""
        return min((executor.room() for executor in self._executors()), default=0)

    def close(self, *, cancel: bool) -> None:
        """Nothing runs here."""

    def _executors(self) -> list[Executor]:
        every = [executor for kinds in self._models.values() for executor in kinds.values()]
        return list({id(executor): executor for executor in every}.values())


def decoder(model: LanguageModel, size: int) -> Queue:
    """The queue of a model's `Generate` calls: its own running batch where it has one."""
    if isinstance(model, Streaming):
        return model.decoder()
    return Batched[Generate](model.generate, size)
