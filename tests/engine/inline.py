"""Queues that the engine's own thread works off whenever it waits: for tests in which nothing is concurrent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from vsgen.engine.drive import drive
from vsgen.engine.queues import Batched
from vsgen.engine.source import Flows
from vsgen.flow import Flow
from vsgen.ports import LanguageModel, Queue, Teacher, Ticket
from vsgen.values import Answer, Call, Embed, Generate, Score, Teach

R = TypeVar("R")


class Inline:
    """An executor and the mailbox in one: the queue with the oldest ticket does a step when the engine waits."""

    def __init__(self, queues: Mapping[type[Call], Queue]) -> None:
        self.executors: dict[type[Call], Inline] = dict.fromkeys(queues, self)
        self._queues = queues
        self._waiting: dict[Ticket, type[Call]] = {}

    def submit(self, ticket: Ticket, call: Call) -> None:
        self._waiting[ticket] = type(call)
        self._queues[type(call)].submit(ticket, call)

    def flush(self) -> None: ...

    def room(self) -> int:
        return 64 - len(self._waiting)

    def close(self, *, cancel: bool) -> None: ...

    def wait(self, seconds: float | None = None) -> Sequence[tuple[Ticket, Answer]]:
        assert self._waiting or seconds == 0, "the engine waits for nothing"
        answered = self._queues[self._waiting[min(self._waiting)]].work() if self._waiting else ()
        for ticket, _ in answered:
            del self._waiting[ticket]
        return answered


def moved(
    flows: Iterable[Flow[R]], queues: Mapping[type[Call], Queue], *, most: Callable[[], int | None] | None = None
) -> list[R]:
    """The values of flows whose calls these queues answer."""
    inline = Inline(queues)
    return list(drive(Flows(flows), inline.executors, inline, most=most))


def queues_of(model: LanguageModel, *, size: int = 64) -> dict[type[Call], Queue]:
    """The queues of a model that answers batches."""
    queues: dict[type[Call], Queue] = {
        Generate: Batched[Generate](model.generate, size),
        Score: Batched[Score](model.score, size),
    }
    return {**queues, Teach: Batched[Teach](model.teach, size)} if isinstance(model, Teacher) else queues


def embedding(embed: Callable[[Sequence[Embed]], Any]) -> dict[type[Call], Queue]:
    """The queue of an embedder."""
    return {Embed: Batched[Embed](embed, 256)}
